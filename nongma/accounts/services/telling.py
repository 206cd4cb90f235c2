"""Telling people what was decided about their accounts.

The notices lie above this room, so their task is named; it is given keys of records, never words: what waits for the
worker is kept apart from what it tells of.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from django.urls import reverse
from procrastinate.contrib.django import app

from nongma.accounts.models import Authorisation, Handout, Membership, Role, ThirdParty, User

TASK = "notices.tell_of_account"


class Decision(StrEnum):
    """What was decided, and of which record the key is told."""

    APPOINTED = "appointed"
    DISMISSED = "dismissed"
    RESTORED = "restored"
    PASSWORD_RESET = "password_reset"  # noqa: S105 (no password)
    AUTHORISED = "authorised"
    REVOKED = "revoked"
    HANDED_OUT = "handed_out"


class Told(NamedTuple):
    """What the people concerned are told, and where it leads them."""

    users: list[int]
    title: str
    body: str
    url: str


def tell_appointed(*, post: Membership, actor: User | None) -> None:
    if actor:
        _tell(Decision.APPOINTED, post.pk)


def tell_dismissed(*, post: Membership) -> None:
    _tell(Decision.DISMISSED, post.pk)


def tell_restored(*, user: User) -> None:
    """Who is suspended could not read it and is told by the sign-in; who may work again finds this."""
    _tell(Decision.RESTORED, user.pk)


def tell_password_reset(*, user: User) -> None:
    _tell(Decision.PASSWORD_RESET, user.pk)


def tell_authorised(*, authorisation: Authorisation) -> None:
    _tell(Decision.AUTHORISED, authorisation.pk)


def tell_revoked(*, authorisation: Authorisation) -> None:
    _tell(Decision.REVOKED, authorisation.pk)


def tell_handed_out(*, handout: Handout) -> None:
    """Who uploaded a sheet may be elsewhere by the time it is done."""
    _tell(Decision.HANDED_OUT, handout.pk)


def told_of(decision: Decision, key: int) -> Told:
    """The words for a decision, from the record as it stands."""
    return _WORDS[decision](key)


def _appointed(key: int) -> Told:
    post = Membership.objects.select_related("agency").get(pk=key)
    return _of_account([post.user_id], f"您现在是{Role(post.role).label}", post.agency.name)


def _dismissed(key: int) -> Told:
    post = Membership.objects.select_related("agency").get(pk=key)
    return _of_account([post.user_id], f"您不再是{Role(post.role).label}", post.agency.name)


def _restored(key: int) -> Told:
    return _of_account([key], "您的账号已恢复使用")


def _password_reset(key: int) -> Told:
    return _of_account([key], "您的密码由管理员重置过", "如果不是您要求的，请联系本机构的平台管理员")


def _authorised(key: int) -> Told:
    made, firm = _authorisation(key)
    return _of_account(_people(firm), "您可以采集产地信息了", f"{firm.agency}授权，{made.from_on} 至 {made.to_on}")


def _revoked(key: int) -> Told:
    made, firm = _authorisation(key)
    return _of_account(_people(firm), "采集授权已撤销", f"{firm.agency}撤销，原因：{made.revoked_for}")


def _handed_out(key: int) -> Told:
    handout = Handout.objects.get(pk=key)
    if handout.status == Handout.Status.FAILED:
        title, body = "账号分配没有完成", handout.message
    else:
        title, body = f"账号分配完成：新账号 {handout.created} 个，有误 {handout.rejected} 行", handout.filename
    return Told([handout.user_id], title, body[:400], handout.get_absolute_url())


_WORDS: dict[Decision, Callable[[int], Told]] = {
    Decision.APPOINTED: _appointed,
    Decision.DISMISSED: _dismissed,
    Decision.RESTORED: _restored,
    Decision.PASSWORD_RESET: _password_reset,
    Decision.AUTHORISED: _authorised,
    Decision.REVOKED: _revoked,
    Decision.HANDED_OUT: _handed_out,
}


def _authorisation(key: int) -> tuple[Authorisation, ThirdParty]:
    made = Authorisation.objects.select_related("third_party__agency").get(pk=key)
    return made, made.third_party


def _people(firm: ThirdParty) -> list[int]:
    """Everybody who collects for the firm."""
    return list(firm.people.filter(is_active=True).order_by("pk").values_list("pk", flat=True))


def _of_account(users: list[int], title: str, body: str = "") -> Told:
    return Told(users, title, body[:400], reverse("accounts:account"))


def _tell(decision: Decision, key: int) -> None:
    """In the transaction of what it tells of: the task is a row."""
    app.configure_task(name=TASK).defer(decision=decision.value, key=key)
