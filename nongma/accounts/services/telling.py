"""Telling people what was decided about their accounts: the notices lie above this room, so their task is named."""

from django.urls import reverse
from procrastinate.contrib.django import app

from nongma.accounts.models import Agency, Handout, Role, User

TASK = "notices.tell_decision"


def tell_appointed(*, user: User, agency: Agency, role: Role, actor: User | None) -> None:
    if actor:
        _tell(user, f"您现在是{role.label}", agency.name)


def tell_dismissed(*, user: User, agency: Agency, role: Role) -> None:
    _tell(user, f"您不再是{role.label}", agency.name)


def tell_restored(*, user: User) -> None:
    """Who is suspended could not read it and is told by the sign-in; who may work again finds this."""
    _tell(user, "您的账号已恢复使用")


def tell_password_reset(*, user: User) -> None:
    _tell(user, "您的密码由管理员重置过", "如果不是您要求的，请联系本机构的平台管理员")


def tell_handed_out(*, handout: Handout) -> None:
    """Who uploaded a sheet may be elsewhere by the time it is done."""
    if handout.status == Handout.Status.FAILED:
        title, body = "账号分配没有完成", handout.message
    else:
        title, body = f"账号分配完成：新账号 {handout.created} 个，有误 {handout.rejected} 行", handout.filename
    _tell(handout.user, title, body, handout.get_absolute_url())


def _tell(user: User, title: str, body: str = "", url: str | None = None) -> None:
    """In the transaction of what it tells of: the task is a row."""
    page = url or reverse("accounts:account")
    app.configure_task(name=TASK).defer(user=user.pk, title=title, body=body[:400], url=page)
