"""Signing in by phone (手机号登录): only by a number that its person has proved."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from nongma.accounts.access import must_use_totp, roles_of
from nongma.accounts.models import Role, User
from nongma.accounts.services import note_phone_proved
from nongma.accounts.services.turns import wait_for_turn
from nongma.accounts.signing_in import start_session
from nongma.audit.services import record
from nongma.lib.fields import blind_index, blind_indexes
from nongma.lib.letters import DASH, random_letters
from nongma.lib.refused import Refused
from nongma.registry.models import Invitation, OperatorMember
from nongma.registry.self_registration.codes import use_code

USERNAME_LETTERS = 12  # of 31 each: 59 bits
BY_PASSWORD = "请用用户名和密码登录"  # noqa: S105, a sentence


def sign_in_by_phone(*, request: HttpRequest, phone: str, code: str) -> User:
    """Sign in the operator's person who has proved the phone, or a new one, by the code that was sent to it.

    Refuses what `use_code` does, and, to who has the right code only: `official` (a post in an agency),
    `several_accounts`, `not_proved` (on an account whose person has not proved it: it may be mistyped),
    `totp_needed`, `first_password`, `suspended` and `closed`.
    """
    try:
        use_code(phone=phone, code=code)
    except Refused:
        _note_failure(phone)
        raise
    user = _known(phone) or _enter(phone)
    start_session(request=request, user=user, by="phone")
    return user


def prove_own_phone(*, actor: User, code: str) -> User:
    """Prove the phone of the own account by the code that was sent to it (证实手机号).

    Refuses what `use_code` does, and `phone_changed`.
    """
    phone = actor.phone
    use_code(phone=phone, code=code)
    return note_phone_proved(user=actor, phone=phone)


def name_for(phone: str) -> str:
    """What a person is called who has told nothing but the phone."""
    return f"手机尾号{phone[-4:]}"


def _known(phone: str) -> User | None:
    """The operator's person who has proved the phone, or a refusal of who may not come this way."""
    people = [
        user
        for user in User.objects.filter(phone_index__in=blind_indexes(phone)).select_related("agency").order_by("id")
        if user.is_open or not user.is_demo
    ]
    own = [user for user in people if user.is_operator and user.is_active]
    proved = [user for user in own if user.phone_proved_at]
    if len(proved) > 1:
        raise Refused("several_accounts", f"这个手机号有几个账号，{BY_PASSWORD}", field="code")
    if proved:
        _check_may_come_by_phone(proved[0])
        return proved[0]
    if own:
        if all(_is_only_a_guest(user, phone) for user in own):
            return _taken_over(own[0])
        raise Refused(
            "not_proved",
            f"有账号写着这个手机号，但还没有证实过，不能用它登录。{BY_PASSWORD}，再到“我的账号”证实手机号；"
            "没有密码，或者账号不是您的，请联系县级管理部门",
            field="code",
        )
    if any(user.is_active for user in people):
        raise Refused("official", f"这个手机号是机构人员的，{BY_PASSWORD}", field="code")
    if any(user.is_operator for user in people):
        raise Refused("closed", "这个手机号的账号已注销，请联系县级管理部门", field="code")
    return None


def _is_only_a_guest(user: User, phone: str) -> bool:
    """Whether an account was made by inviting this phone, as was done before people were asked, and never used."""
    invited = Invitation.objects.filter(user=user, phone_index__in=blind_indexes(phone))
    unused = invited.exclude(state=Invitation.State.ACCEPTED)
    return user.last_login is None and not user.has_usable_password() and unused.exists()


@transaction.atomic
def _taken_over(guest: User) -> User:
    """Such an account as its phone's own: it acts for nobody before its person has said yes."""
    _check_may_come_by_phone(guest)
    for member in OperatorMember.objects.open().filter(user=guest).select_related("operator").select_for_update():
        member.to_at = timezone.now()
        member.save(update_fields=["to_at"])
        operator = member.operator
        record(
            "operator.member_ended",
            actor=None,
            target=operator,
            region_code=operator.region_id,
            person=guest.name,
            role=member.role,
        )
    return note_phone_proved(user=guest, phone=guest.phone)


def _check_may_come_by_phone(user: User) -> None:
    if user.is_suspended:
        record("account.refused", actor=None, target=user, region_code=user.place)
        raise Refused("suspended", "账号已停用，请联系县级管理部门", field="code")
    if roles_of(user) - {Role.OPERATOR}:
        raise Refused("official", f"您在机构里有职务，{BY_PASSWORD}", field="code")
    if user.has_totp or must_use_totp(user):
        raise Refused("totp_needed", f"您启用了动态口令，{BY_PASSWORD}和动态口令", field="code")
    if user.must_change_password:
        raise Refused("first_password", f"您的初始密码还没有改过，第一次{BY_PASSWORD}", field="code")


@transaction.atomic
def _enter(phone: str) -> User:
    """A new account of who will register an operator: no password, no place yet; the code has proved the phone."""
    wait_for_turn()
    if known := _known(phone):
        return known
    user = User(
        username="u" + random_letters(USERNAME_LETTERS).replace(DASH, ""),
        name=name_for(phone),
        phone=phone,
        phone_index=blind_index(phone),
        phone_proved_at=timezone.now(),
        is_operator=True,
    )
    user.set_unusable_password()
    user.save()
    record("account.created", actor=None, target=user, username=user.username)
    return user


def _note_failure(phone: str) -> None:
    """A false code stands in the log of who it would have signed in."""
    proved = User.objects.filter(phone_index__in=blind_indexes(phone), phone_proved_at__isnull=False)
    known = proved.filter(is_operator=True, is_active=True)[:2]
    if len(known) == 1:
        record("account.text_code_failed", actor=None, target=known[0], region_code=known[0].place)
