"""Telling people what was decided about their accounts: the notices lie above this room, so their task is named."""

from datetime import date

from django.urls import reverse
from procrastinate.contrib.django import app
from procrastinate.types import JSONDict

from nongma.accounts.models import Agency, Handout, Role, ThirdParty, User

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


def tell_authorised(*, firm: ThirdParty, from_on: date, to_on: date) -> None:
    _tell_people(firm, "您可以采集产地信息了", f"{firm.agency}授权，{from_on} 至 {to_on}")


def tell_revoked(*, firm: ThirdParty, reason: str) -> None:
    _tell_people(firm, "采集授权已撤销", f"{firm.agency}撤销，原因：{reason}")


def tell_handed_out(*, handout: Handout) -> None:
    """Who uploaded a sheet may be elsewhere by the time it is done."""
    if handout.status == Handout.Status.FAILED:
        title, body = "账号分配没有完成", handout.message
    else:
        title, body = f"账号分配完成：新账号 {handout.created} 个，有误 {handout.rejected} 行", handout.filename
    _tell(handout.user, title, body, handout.get_absolute_url())


def _tell_people(firm: ThirdParty, title: str, body: str) -> None:
    """Everybody who collects for the firm, in one statement."""
    people = firm.people.filter(is_active=True).order_by("pk").values_list("pk", flat=True)
    page = reverse("accounts:account")
    waiting: list[JSONDict] = [{"user": pk, "title": title, "body": body[:400], "url": page} for pk in people]
    if waiting:
        app.configure_task(name=TASK).batch_defer(*waiting)


def _tell(user: User, title: str, body: str = "", url: str | None = None) -> None:
    """In the transaction of what it tells of: the task is a row."""
    page = url or reverse("accounts:account")
    app.configure_task(name=TASK).defer(user=user.pk, title=title, body=body[:400], url=page)
