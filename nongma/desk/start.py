"""The start page of each role: what waits for this person, and the next step as the biggest button (首页待办)."""

from dataclasses import dataclass

from django.urls import reverse

from nongma.accounts.access import Action, may
from nongma.accounts.models import User
from nongma.desk.queries import MANY, AccountsWaiting, Waiting, accounts_waiting_for, waiting_for
from nongma.origins.due.queries import waiting_of
from nongma.origins.models import Origin


@dataclass(frozen=True)
class Task:
    """One thing to do: its name, why now, and how many wait."""

    label: str
    note: str
    icon: str
    url: str
    count: int | None = None
    main: bool = False

    @property
    def shown_count(self) -> str:
        return f"{MANY:,}+" if self.count == MANY else f"{self.count:,}"


def tasks_for(user: User) -> list[Task]:
    """What the person can do next, the most urgent first."""
    if may(user, Action.HANDLE_LOTS):
        return _grower_tasks(user)
    tasks: list[Task] = []
    if may(user, Action.VIEW_ORIGINS):
        tasks += _origin_tasks(user, waiting_for(user))
    elif may(user, Action.VIEW_OPERATORS):
        tasks += _lookup_tasks(user)
    if may(user, Action.VIEW_ACCOUNTS):
        tasks += _account_tasks(accounts_waiting_for(user))
    return tasks


def _account_tasks(waiting: AccountsWaiting) -> list[Task]:
    agencies, people = reverse("accounts:agencies"), reverse("accounts:people")
    vacant = "还没分配账号，或等着换人" if waiting.vacant else "都有平台管理员"
    unclaimed = "给了账号，本人还没改初始密码" if waiting.unclaimed else "都在用自己的密码"
    return [
        Task("没有平台管理员的机构", vacant, "lock", f"{agencies}?state=vacant", waiting.vacant),
        Task("等本人修改密码", unclaimed, "users", f"{people}?state=unclaimed", waiting.unclaimed),
    ]


def _grower_tasks(user: User) -> list[Task]:
    tasks = [
        Task("登记采收", "今天采了多少，记下一个批次", "basket", reverse("tracing:harvest"), main=True),
        Task("开具合格证", "选一个批次，承诺、出码、打标签", "certificate", reverse("tracing:lots")),
        Task("采集产地信息", "自己上传基地、品种、规模和上市时间", "plus", reverse("origins:collect")),
        Task("我的产地信息", "基地、品种、上市时间和审核结果", "map-pin", reverse("origins:table")),
    ]
    if waiting := waiting_of(user):
        note = "采集员这个月要上门采集；有变化的，先告诉采集员"
        tasks.append(Task("等着采集", note, "clock", reverse("origins:dues"), waiting))
    return tasks


def _origin_tasks(user: User, waiting: Waiting) -> list[Task]:
    table = reverse("origins:table")
    tasks = []
    if may(user, Action.REVIEW_ORIGINS):
        note = "逐条看，或筛选后整批通过" if waiting.submitted else "都审完了"
        url = f"{table}?status={Origin.State.SUBMITTED.value}"
        tasks.append(Task("待审核", note, "clipboard-check", url, waiting.submitted, main=bool(waiting.submitted)))
    if may(user, Action.COLLECT_ORIGINS):
        tasks.append(
            Task("导入表格", "上传附件 1 的 Excel 表", "file-upload", reverse("origins:imports"), main=not tasks)
        )
        due = waiting_of(user)
        note = "没有变化的，点一下就行" if due else "都采集了"
        tasks.append(Task("待采集", note, "clock", reverse("origins:dues"), due))
        tasks.append(Task("采集一条", "在地里用手机填，边填边存", "plus", reverse("origins:collect")))
        url = f"{table}?status={Origin.State.TO_LOCATE.value}"
        note = "没有坐标，要到现场定位" if waiting.to_locate else "都定位了"
        tasks.append(Task("待定位", note, "map-pin-off", url, waiting.to_locate))
        note = "按退回原因改正后再提交" if waiting.returned else "没有被退回的"
        url = f"{table}?status={Origin.State.RETURNED.value}"
        tasks.append(Task("已退回", note, "arrow-back-up", url, waiting.returned))
    if may(user, Action.REVIEW_OPERATORS):
        note = "新登记的生产经营主体" if waiting.operators else "都审完了"
        url = reverse("registry:review")
        tasks.append(Task("待审核主体", note, "users", url, waiting.operators))
    tasks.append(Task("一张图", "产地在哪里，何时上市", "map-2", reverse("origins:map")))
    if not may(user, Action.COLLECT_ORIGINS):
        tasks.append(Task("一张表", "筛选、排序、导出", "table", table))
    return tasks


def _lookup_tasks(user: User) -> list[Task]:
    tasks = [Task("查主体", "按名称、类型、地区查", "users", reverse("registry:operators"), main=True)]
    if may(user, Action.VIEW_LOTS):
        tasks.append(Task("查批次", "按批次码查来源和去向", "package", reverse("tracing:lots")))
    if may(user, Action.VIEW_CERTIFICATES):
        tasks.append(Task("查合格证", "按合格证码查真伪和状态", "certificate", reverse("certificates:list")))
    return tasks
