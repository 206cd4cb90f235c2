"""The pages that say what went wrong and what to do next.

Somebody signed in gets them in the frame of every page, with the way on. A stranger gets them bare, and so does
everybody when the platform itself is out of order: the frame needs the person, and so the database.
"""

import logging
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from nongma.accounts.access import ALLOWED, Action, roles_of
from nongma.accounts.models import Role, User
from nongma.accounts.queries import administrator_for
from nongma.accounts.third_parties.queries import Collecting, collecting_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trouble:
    """What happened, why, and what can be done about it."""

    status: int
    title: str
    steps: tuple[str, ...]
    reason: str = ""


def _bare(trouble: Trouble) -> HttpResponse:
    """The page by itself; nothing of it reads the database."""
    context = {"layout": "bare.html", "trouble": trouble}
    return HttpResponse(render_to_string("desk/error.html", context), status=trouble.status)


def _page(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """The page in the frame for somebody signed in, bare for everybody else."""
    try:
        user: User | AnonymousUser | None = getattr(request, "user", None)
        if not isinstance(user, User) or not user.is_authenticated or user.must_change_password:
            return _bare(trouble)
        context = {
            "layout": "base.html",
            "trouble": trouble,
            "roles": [role.label for role in sorted(roles_of(user))],
            "administrator": administrator_for(user),
        }
        return HttpResponse(render_to_string("desk/error.html", context, request), status=trouble.status)
    except DatabaseError:
        log.warning("an error page without its frame", exc_info=True)
        return _bare(trouble)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, Trouble(400, "这个请求不完整", ("返回上一页，刷新后再试一次",)))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    collecting = _collecting(request)
    if collecting and not collecting.towns:
        again = ("从首页看授权的情况", "要继续采集的，请县级平台管理员重新授权")
        return _page(request, Trouble(403, "现在没有采集授权", again, f"{collecting.reason}。"))
    steps = ("从首页进入您可以使用的功能", "工作需要这项功能的，请管理员给您增加角色", "换了岗位，请退出后用新账号登录")
    return _page(request, Trouble(403, "您的角色不能做这项操作", steps, _who_may(exception)))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    steps = ("检查网址或编号是否完整", "从首页或列表重新进入", "确认这条记录在您的辖区内，不在的请找当地的管理部门")
    reason = "网址不对，或者这条记录不存在、不在您的管辖范围内。"
    return _page(request, Trouble(404, "没有找到这个页面", steps, reason))


def too_large(request: HttpRequest | None) -> HttpResponse:
    """Bare: it is also the answer to a body that nobody has read, of a person whom nobody knows yet."""
    return _bare(Trouble(413, "文件太大", ("把表格按乡镇分成几个文件，分别上传", "删去表格里的图片和多余的工作表再试")))


def server_error(request: HttpRequest) -> HttpResponse:
    """Bare: whatever broke may be what the frame needs."""
    steps = ("您填写的内容没有保存，请稍后重试", "多次出现，请把时间和所在页面告诉平台管理员")
    return _bare(Trouble(500, "平台出错了", steps))


def expired_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token did not match (CSRF): nearly always a page left open too long, or cookies turned off."""
    steps = ("返回上一页，刷新后重新提交", "重新登录再试", "浏览器须允许本网站使用 Cookie")
    return _page(request, Trouble(403, "页面已过期，这次操作没有执行", steps))


def _collecting(request: HttpRequest) -> Collecting | None:
    """What a third party's person may collect; None for everybody else, and while the database is away."""
    user = getattr(request, "user", None)
    try:
        return collecting_of(user) if isinstance(user, User) else None
    except DatabaseError:
        return None


def _who_may(exception: Exception | None) -> str:
    """Which action was refused and whose it is, where `requires` refused it."""
    action = next(iter(exception.args), None) if exception else None
    if not isinstance(action, Action):
        return ""
    able = "、".join(role.label for role in Role if action in ALLOWED[role])
    return f"“{action.label}”由{able}办理。"
