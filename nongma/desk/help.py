"""The manual (操作手册): Markdown pages of docs/manual, and which of them helps on which page."""

import functools
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from markdown_it import MarkdownIt
from markdown_it.token import Token

from nongma.accounts.access import Action, may
from nongma.accounts.models import User

FOLDER: Path = settings.ROOT / "docs" / "manual"
ORDER = (
    "index",
    "account",
    "collector",
    "collect",
    "reviewer",
    "directory",
    "dues",
    "grower",
    "shopper",
    "notices",
    "roles",
    "api",
)
BY_ROOM = {"catalogue": "index", "notices": "notices", "audit": "roles", "accounts": "roles", "api-1": "api"}
BY_VIEW = {
    "desk:home": ("index", "首页上有什么"),
    "accounts:account": ("account", "登录设备和登录记录"),
    "accounts:password": ("account", "第一次登录"),
    "accounts:confirm": ("account", "再输一次密码"),
    "accounts:code": ("account", "动态口令"),
    "accounts:stop-code": ("account", "动态口令"),
    "accounts:recovery": ("account", "手机不在身边-丢了-换了"),
    "accounts:sessions": ("account", "登录设备和登录记录"),
    "accounts:sign-ins": ("account", "登录设备和登录记录"),
    "origins:imports": ("collector", "上传"),
    "origins:import-job": ("collector", "看懂导入结果"),
    "origins:locate": ("collector", "补坐标"),
    "origins:collect": ("collect", "采集一条新的"),
    "origins:drafts": ("collect", "草稿"),
    "origins:update": ("collect", "有变化-更新"),
    "catalogue:county": ("collect", "本县增设的产品"),
    "catalogue:add-product": ("collect", "本县增设的产品"),
    "catalogue:change-product": ("collect", "本县增设的产品"),
    "origins:correct": ("collector", "改正退回的记录"),
    "origins:dues": ("dues", "该采集什么"),
    "origins:punctuality": ("dues", "乡镇-县-看及时率"),
    "origins:collection-terms": ("dues", "县-定期限"),
    "origins:table": ("reviewer", "一张表-查找和筛选"),
    "origins:record": ("reviewer", "审核一条"),
    "origins:decide": ("reviewer", "审核一批"),
    "origins:review-job": ("reviewer", "审核一批"),
    "origins:map": ("reviewer", "一张图"),
    "accounts:agencies": ("administrator", "找人-找机构"),
    "accounts:people": ("administrator", "找人-找机构"),
    "accounts:create-agency": ("administrator", "建立机构"),
    "accounts:agency": ("administrator", "分配账号"),
    "accounts:change-agency": ("administrator", "建立机构"),
    "accounts:enter-person": ("administrator", "分配账号"),
    "accounts:appoint-person": ("administrator", "分配账号"),
    "accounts:person": ("administrator", "人员变动"),
    "accounts:change-person": ("administrator", "人员变动"),
    "accounts:hand-over": ("administrator", "人员变动"),
    "accounts:handouts": ("administrator-handout", "填表"),
    "accounts:hand-out": ("administrator-handout", "上传"),
    "accounts:handout": ("administrator-handout", "看懂结果"),
    "accounts:handout-slips": ("administrator-handout", "密码条"),
    "accounts:third-parties": ("administrator-third-party", "登记"),
    "accounts:register-third-party": ("administrator-third-party", "登记"),
    "accounts:third-party": ("administrator-third-party", "授权"),
    "accounts:authorise-third-party": ("administrator-third-party", "授权"),
    "accounts:revoke-authorisation": ("administrator-third-party", "撤销"),
    "accounts:third-party-collector": ("administrator-third-party", "开账号"),
    "accounts:contacts": ("administrator-contacts", "看辖区的"),
    "accounts:contact": ("administrator-contacts", "填写和上报"),
    "accounts:fill-in-contact": ("administrator-contacts", "填写和上报"),
    "accounts:rollout": ("administrator-rollout", "推广进度"),
    "accounts:rollout-target": ("administrator-rollout", "定时限"),
    "accounts:trainings": ("administrator-rollout", "登记培训"),
    "accounts:new-training": ("administrator-rollout", "登记培训"),
    "accounts:training": ("administrator-rollout", "登记培训"),
    "registry:operators": ("reviewer", "审核主体"),
    "registry:directory": ("directory", "统计"),
    "registry:directory-list": ("directory", "目录"),
    "registry:directory-expected": ("directory", "应纳入名单"),
    "registry:directory-expect": ("directory", "应纳入名单"),
    "registry:corrections": ("directory", "督促整改"),
    "registry:correction": ("directory", "督促整改"),
    "registry:sending-new": ("directory", "一次发给许多主体"),
    "registry:sending": ("directory", "一次发给许多主体"),
    "registry:correction-send": ("directory", "督促整改"),
    "registry:directory-rules": ("directory", "规模标准和期限"),
    "registry:review": ("reviewer", "审核主体"),
    "registry:review-changes": ("reviewer", "审核主体"),
    "registry:compare": ("reviewer", "审核主体"),
    "notices:settings": ("notices", "选提醒方式"),
    "notices:sent": ("notices", "管理员-外发消息"),
    "audit:check": ("notices", "管理员-核对审计记录"),
    "origins:doubts": ("doubts", "在哪里看"),
    "tracing:harvest": ("grower", "第一步-登记采收"),
    "tracing:transfer": ("grower", "卖出-分装-混装"),
    "tracing:split": ("grower", "卖出-分装-混装"),
    "tracing:mix": ("grower", "卖出-分装-混装"),
    "tracing:recall": ("grower", "发现问题要召回"),
    "certificates:issue": ("grower", "第二步-开具合格证"),
    "certificates:certificate": ("grower", "第三步-打印或出示"),
    "certificates:show": ("grower", "第三步-打印或出示"),
    "certificates:revoke": ("grower", "开错了怎么办"),
}
"""Which chapter tells of a page; pages that are not named here get the manual of the person's role."""


@dataclass(frozen=True)
class Heading:
    """A chapter of a page, with the anchor that links point at."""

    anchor: str
    title: str


@dataclass(frozen=True)
class Page:
    """One page of the manual, rendered."""

    name: str
    title: str
    html: str
    headings: tuple[Heading, ...]


def names() -> list[str]:
    """The pages there are, in reading order."""
    found = {path.stem for path in FOLDER.glob("*.md")}
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def page(name: str) -> Page | None:
    """A page by its name; None when there is none."""
    path = FOLDER / f"{name}.md"
    if name not in names():
        return None
    return _render(name, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _render(name: str, changed: int) -> Page:
    """The page as HTML. Raw HTML in the Markdown stays text; links between its pages are made ours."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    title, headings = name, []
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            title = inline.content
        elif token.type == "heading_open" and token.tag == "h2":
            anchor = re.sub(r"[^\w]+", "-", inline.content).strip("-")
            token.attrSet("id", anchor)
            headings.append(Heading(anchor, inline.content))
    body = _without_title(tokens)
    for token in body:
        for child in token.children or ():
            _localise(child)
    return Page(name, title, parser.renderer.render(body, parser.options, {}), tuple(headings))


def _without_title(tokens: list[Token]) -> list[Token]:
    """The tokens without the h1, which the frame shows."""
    if tokens and tokens[0].tag == "h1":
        return tokens[3:]
    return tokens


def _localise(token: Token) -> None:
    """Point `collector.md#x` at the help page and `images/x.webp` at the served image."""
    if token.type == "link_open":
        target = str(token.attrGet("href") or "")
        found = re.fullmatch(r"(\w+)\.md(#.*)?", target)
        if found:
            token.attrSet("href", reverse("desk:manual", args=[found[1]]) + (found[2] or ""))
    elif token.type == "image":
        source = str(token.attrGet("src") or "")
        if source.startswith("images/"):
            token.attrSet("src", reverse("desk:manual-image", args=[source.removeprefix("images/")]))


def help_url_for(request: HttpRequest) -> str:
    """The chapter that tells of this page, else the manual of the room or of what the person may do."""
    user, match = request.user, request.resolver_match
    name, anchor = BY_VIEW.get(match.view_name if match else "", ("", ""))
    if name and not (name == "reviewer" and may(user, Action.HANDLE_LOTS)):
        return f"{reverse('desk:manual', args=[name])}#{anchor}"
    return reverse("desk:manual", args=[BY_ROOM.get(match.namespace if match else "", _manual_of(user))])


def _manual_of(user: User | AnonymousUser) -> str:
    """The page written for whoever may do what the person may do."""
    if may(user, Action.HANDLE_LOTS):
        return "grower"
    if may(user, Action.REVIEW_ORIGINS):
        return "reviewer"
    return "collector" if may(user, Action.COLLECT_ORIGINS) else "index"
