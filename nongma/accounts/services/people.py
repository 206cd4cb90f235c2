"""Accounts of people: entering, correcting, suspending, closing."""

import re
from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from nongma.accounts.granting import has_area, level_over, roles_grantable
from nongma.accounts.models import Agency, Role, ThirdParty, User
from nongma.accounts.rollout.figures import recount
from nongma.accounts.services.agencies import check_rank, reason_of
from nongma.accounts.services.passwords import check_strength, looks_after, random_password
from nongma.accounts.services.posts import appoint, dismiss
from nongma.accounts.services.telling import tell_restored
from nongma.accounts.services.turns import wait_for_turn
from nongma.audit.services import record
from nongma.lib import phones
from nongma.lib.fields import blind_index
from nongma.lib.once import once
from nongma.lib.refused import Misfilled, Refused

USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{1,58}[A-Za-z0-9]")
NAME_LENGTH, EMAIL_LENGTH = 60, 200
TAKEN = ("username_taken", "这个用户名已经有人用了")
SUSPENSION = ["suspended_at", "suspended_for", "suspended_level"]


@transaction.atomic
def create_user(
    *,
    username: str,
    name: str,
    password: str,
    actor: User | None,
    agency: Agency | None = None,
    operator_place: int | None = None,
    third_party: ThirdParty | None = None,
    phone: str = "",
    email: str = "",
) -> User:
    """Enter a person who may sign in; what the person may do comes with posts (`appoint`).

    The account belongs to an agency, or, with `operator_place` (the operator's division), to an operator's person. A
    password that an administrator gives has to be changed at the first sign-in. Refuses `outside_area`,
    `agency_suspended`, `username_taken`, `weak_password`, and (422) `username_form`, `name_missing`, `phone_invalid`
    and `email_invalid`.
    """
    hashed = make_password(password)  # takes long: before the turn
    wait_for_turn()
    user = User(
        username=checked_username(username),
        agency=agency,
        third_party=third_party,
        place=operator_place if agency is None else agency.region_id,
        is_operator=operator_place is not None,
        must_change_password=actor is not None,
    )
    if actor:
        _check_may_enter(actor, user)
    if agency and agency.suspended_at:
        raise Refused("agency_suspended", f"{agency}已停用", field="agency")
    if User.objects.filter(username__iexact=username).exists():
        raise Refused(*TAKEN, field="username")
    _fill(user, name, phone, email)
    check_strength(password, user)
    user.password = hashed
    with once(*TAKEN, field="username"):
        user.save()
    record("account.created", actor=actor, target=user, region_code=user.place, username=username)
    recount(user.place)
    return user


@transaction.atomic
def hand_out(
    *,
    agency: Agency,
    name: str,
    username: str,
    roles: Sequence[Role],
    actor: User,
    phone: str = "",
    email: str = "",
) -> tuple[User, str]:
    """Enter a person at an agency with the posts that come with the account (分配账号).

    Gives the person and the first password, which nobody can read again. Refuses what `create_user` and `appoint`
    refuse, and `roles_missing` (422).
    """
    if not roles:
        raise Misfilled("roles_missing", "请至少选一个角色", field="roles")
    password = random_password()
    user = create_user(
        username=username, name=name, password=password, actor=actor, agency=agency, phone=phone, email=email
    )
    for role in roles:
        appoint(user=user, agency=agency, role=role, actor=actor)
    return user, password


@transaction.atomic
def change_person(*, user: User, name: str, phone: str, email: str, actor: User) -> User:
    """Correct a person's name, phone and mail address; an empty phone or address stays as it is.

    A new phone signs nobody in before its holder has proved it (`note_phone_proved`).

    Refuses `outside_area`, and (422) `name_missing`, `phone_invalid` and `email_invalid`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.pk != actor.pk and not looks_after(actor, user):
        raise Refused("outside_area", "这个人不归您管理")
    before = {field: getattr(user, field) for field in ("name", "phone", "email")}
    _fill(user, name, phone.strip() or user.phone, email.strip() or user.email)
    user.save(update_fields=["name", "phone", "phone_index", "phone_proved_at", "email"])
    fields = [field for field, value in before.items() if getattr(user, field) != value]
    record("account.changed", actor=actor, target=user, region_code=user.place, fields=fields)
    return user


@transaction.atomic
def suspend_user(*, user: User, reason: str, actor: User) -> User:
    """Cut a person off at once, everywhere: sessions and tokens end at the next request, posts stay.

    Refuses `self`, `outside_area`, `inactive`, `already_suspended`, and `reason_missing` (422).
    """
    user, level = _in_care(user, actor, "不能停用自己的账号")
    if user.suspended_at:
        raise Refused("already_suspended", "这个账号已经停用")
    user.suspended_at, user.suspended_for, user.suspended_level = timezone.now(), reason_of(reason), level
    user.save(update_fields=SUSPENSION)
    record("account.suspended", actor=actor, target=user, region_code=user.place, reason=user.suspended_for)
    recount(*_counted(user))
    return user


@transaction.atomic
def restore_user(*, user: User, actor: User) -> User:
    """Let a suspended person work again; sessions and tokens of before stay ended.

    Refuses `self`, `outside_area`, `inactive`, `not_suspended` and `suspended_above` (a higher level ordered it).
    """
    user, level = _in_care(user, actor, "不能恢复自己的账号")
    if not user.suspended_at:
        raise Refused("not_suspended", "这个账号没有停用")
    check_rank(user.suspended_level, level)
    user.suspended_at, user.suspended_for, user.suspended_level = None, "", None
    user.epoch += 1
    user.save(update_fields=[*SUSPENSION, "epoch"])
    record("account.restored", actor=actor, target=user, region_code=user.place)
    tell_restored(user=user)
    recount(*_counted(user))
    return user


@transaction.atomic
def deactivate_user(*, user: User, actor: User, reason: str) -> User:
    """Close an account for good (注销): sessions and tokens end at once, posts end, history stays.

    Refuses `self`, `outside_area`, `inactive`, `last_administrator`, `not_grantor`, and `reason_missing` (422).
    """
    user, _ = _in_care(user, actor, "不能注销自己的账号")
    note = reason_of(reason)
    for post in user.memberships.filter(to_on=None):
        dismiss(membership=post, actor=actor)
    user.is_active = False
    user.save(update_fields=["is_active"])
    record("account.deactivated", actor=actor, target=user, region_code=user.place, reason=note)
    recount(user.place)
    return user


def _counted(user: User) -> list[int | None]:
    """Where figures change when a person is cut off: at home, and where the person is the administrator."""
    return [user.place, *Agency.objects.filter(administrator=user).values_list("region_id", flat=True)]


def place_operator_person(user: User, region_code: int) -> None:
    """Note where an operator's person is looked after; called by the room that knows operators."""
    if user.place is None:
        user.place = region_code
        user.save(update_fields=["place"])


@transaction.atomic
def note_phone_proved(*, user: User, phone: str) -> User:
    """Note that a person has the phone on file: the code that was sent to it came back (手机已证实).

    Called by the room that sends codes. Refuses `phone_changed`: another number is on file by now.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.phone != phone:
        raise Refused("phone_changed", "您的手机号刚刚改过，请重新证实", field="code")
    user.phone_proved_at = timezone.now()
    user.save(update_fields=["phone_proved_at"])
    record("account.phone_proved", actor=user, target=user, region_code=user.place)
    return user


def checked_phone(text: str) -> str:
    """The mobile number as it is kept, empty without one. Raises `phone_invalid`."""
    phone = phones.tidy(text)
    if phone and not phones.is_mobile(phone):
        raise Misfilled("phone_invalid", "手机号要 11 位数字，以 13–19 开头", field="phone")
    return phone


def checked_username(text: str) -> str:
    """The username, if it has the form of one. Raises `username_form`."""
    if not USERNAME.fullmatch(text):
        raise Misfilled("username_form", "用户名要用 3 到 60 个字母、数字或 _ . @ -", field="username")
    return text


def _check_may_enter(actor: User, user: User) -> None:
    """Who hands out accounts at the agency enters its people; whoever has the area in care, operators' people."""
    if user.agency:
        allowed = bool(roles_grantable(actor, user.agency))
    else:
        allowed = user.place is not None and has_area(actor, user.place)
    if not allowed:
        raise Refused("outside_area", "这个地方的账号不归您分配", field="agency")


def _in_care(user: User, actor: User, refusal: str) -> tuple[User, int]:
    """The locked person and the level from which the actor decides. Raises `self`, `outside_area`, `inactive`."""
    wait_for_turn()
    user = User.objects.select_for_update(no_key=True, of=("self",)).select_related("agency").get(pk=user.pk)
    if user.pk == actor.pk:
        raise Refused("self", refusal)
    if not looks_after(actor, user):
        raise Refused("outside_area", "这个人不归您管理")
    if not user.is_active:
        raise Refused("inactive", "这个账号已经注销")
    return user, _level_over_person(actor, user)


def _level_over_person(actor: User, user: User) -> int:
    """The highest level from which the actor looks after the person; the own agency's administrator stands at its."""
    if user.agency is None:
        return min(one.level for one in actor.administers)
    above = level_over(actor, user.agency)
    return user.agency.level if above is None else above


def checked_email(text: str, field: str = "email") -> str:
    """A mail address as it is kept, or nothing. Raises `email_invalid`."""
    email = text.strip()
    try:
        if email:
            validate_email(email)
    except ValidationError:
        raise Misfilled("email_invalid", "邮箱地址不对，应像 name@example.cn", field=field) from None
    if len(email) > EMAIL_LENGTH:
        raise Misfilled("email_invalid", f"邮箱地址最多 {EMAIL_LENGTH} 个字符", field=field)
    return email


def _fill(user: User, name: str, phone: str, email: str) -> None:
    user.name = " ".join(name.split())
    if not user.name or len(user.name) > NAME_LENGTH:
        raise Misfilled("name_missing", f"请填写姓名，最多 {NAME_LENGTH} 字", field="name")
    before, user.phone = user.phone, checked_phone(phone)
    if user.phone != before:
        user.phone_proved_at = None
    user.phone_index = blind_index(user.phone) if user.phone else None
    user.email = checked_email(email)
