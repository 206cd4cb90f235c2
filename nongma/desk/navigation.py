"""What each role finds where: the sections of the top bar, the tab bar on the phone and the account menu (导航)."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from nongma.accounts.access import Action, may


@dataclass(frozen=True)
class Section:
    """One entry of the navigation: shown to whoever may do the action."""

    label: str
    icon: str
    view: str
    action: Action
    short: str = ""
    pages: "tuple[Section, ...]" = ()

    @property
    def url(self) -> str:
        return reverse(self.view)

    def holds(self, path: str) -> bool:
        """Whether the page is the section's own or lies below it or below one of its pages.

        Below the start page lies everything, so none.
        """
        own = path == self.url or (self.url != "/" and path.startswith(f"{self.url.rstrip('/')}/"))
        return own or any(page.holds(path) for page in self.pages)


@dataclass(frozen=True)
class Entry:
    """A section as one person sees it on one page."""

    label: str
    short: str
    icon: str
    url: str
    current: bool


ACCOUNT_PAGES = (
    Section("机构", "list-details", "accounts:agencies", Action.VIEW_ACCOUNTS),
    Section("人员", "users", "accounts:people", Action.VIEW_ACCOUNTS),
    Section("批量分配", "file-upload", "accounts:handouts", Action.VIEW_ACCOUNTS),
    Section("第三方采集", "users", "accounts:third-parties", Action.VIEW_ACCOUNTS),
    Section("联系方式", "phone", "accounts:contacts", Action.VIEW_ACCOUNTS),
    Section("推广进度", "list-details", "accounts:rollout", Action.VIEW_ACCOUNTS),
)
SECTIONS = (
    Section("首页", "home", "desk:home", Action.SIGNED_IN),
    Section("登记采收", "basket", "tracing:harvest", Action.HANDLE_LOTS, "采收"),
    Section("产地信息", "table", "origins:table", Action.VIEW_ORIGINS, "产地"),
    Section("采集日历", "clock", "origins:dues", Action.VIEW_ORIGINS, "日历"),
    Section("一张图", "map-2", "origins:map", Action.VIEW_ORIGINS, "地图"),
    Section("采集一条", "map-pin", "origins:collect", Action.ENTER_ORIGIN, "采集"),
    Section("导入表格", "file-upload", "origins:imports", Action.COLLECT_ORIGINS, "导入"),
    Section("主体", "users", "registry:operators", Action.VIEW_OPERATORS),
    Section("监管主体目录", "list-details", "registry:directory", Action.VIEW_DIRECTORY, "目录"),
    Section("批次", "package", "tracing:lots", Action.VIEW_LOTS),
    Section("合格证", "certificate", "certificates:list", Action.VIEW_CERTIFICATES),
    Section("产品与药物", "plant-2", "catalogue:products", Action.SIGNED_IN, "产品"),
    Section("机构和账号", "lock", "accounts:agencies", Action.VIEW_ACCOUNTS, "账号", ACCOUNT_PAGES),
    Section("审计", "history", "audit:log", Action.VIEW_AUDIT),
)
ACCOUNT = (
    Section("我的账号", "user", "accounts:account", Action.SIGNED_IN),
    Section("提醒方式", "bell", "notices:settings", Action.SIGNED_IN),
    Section("接口文档", "book", "api-1:openapi-view", Action.SIGNED_IN),
)
TABS = 4


def entries_for(request: HttpRequest, sections: tuple[Section, ...] = SECTIONS) -> list[Entry]:
    """The sections that the person may use, marked the nearest above this page: `/lots/1…` is 批次, not 登记采收."""
    allowed = [section for section in sections if may(request.user, section.action)]
    holding = [section for section in allowed if section.holds(request.path)]
    current = max(holding, key=lambda section: len(section.url), default=None)
    return [
        Entry(section.label, section.short or section.label, section.icon, section.url, section is current)
        for section in allowed
    ]
