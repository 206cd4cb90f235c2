"""Agencies, people, posts and passwords: every write with a rule."""

import re
from datetime import date, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import Agency, Membership, Role, User
from nongma.accounts.queries import places_of, posts_of
from nongma.audit.services import record
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.regions.spans import level_of, span_of

COUNTRY = 0
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{1,58}[A-Za-z0-9]")


@transaction.atomic
def create_agency(
    *,
    name: str,
    region: Region,
    kind: Agency.Kind,
    actor: User | None,
    department: str = "",
    parent: Agency | None = None,
) -> Agency:
    """Enter an agency on the region tree.

    Refuses `outside_area` (the region is not the actor's), `parent_outside` (the parent's region does not cover it)
    and `agency_exists`. `actor` None: the platform itself, at set-up.
    """
    _check_area(actor, region.code)
    if parent and not span_of(parent.region_id).covers(span_of(region.code)):
        raise Refused("parent_outside", "上级机构的辖区不包含这个地方", field="parent")
    if Agency.objects.filter(region=region, kind=kind, name=name).exists():
        raise Refused("agency_exists", f"{region} 已经有“{name}”", field="name")
    agency = Agency.objects.create(
        name=name, region=region, level=region.level, kind=kind, department=department, parent=parent
    )
    record("agency.created", actor=actor, target=agency, region_code=region.code, name=name, kind=kind)
    return agency


@transaction.atomic
def create_user(
    *,
    username: str,
    name: str,
    password: str,
    actor: User | None,
    is_operator: bool = False,
    region_code: int | None = None,
) -> User:
    """Enter a person who may sign in; what the person may do comes with posts (`appoint`).

    `region_code` is where the person will work; left out, the whole country. A password that an administrator gives
    has to be changed at the first sign-in. Refuses `outside_area`, `username_form`, `username_taken` and
    `weak_password`.
    """
    _check_area(actor, COUNTRY if region_code is None else region_code)
    if not USERNAME.fullmatch(username):
        raise Refused("username_form", "用户名要用 3 到 60 个字母、数字或 _ . @ -", field="username")
    if User.objects.filter(username__iexact=username).exists():
        raise Refused("username_taken", "这个用户名已经有人用了", field="username")
    user = User(username=username, name=name, is_operator=is_operator, must_change_password=actor is not None)
    _check_strength(password, user)
    user.set_password(password)
    user.save()
    record("account.created", actor=actor, target=user, region_code=region_code, username=username)
    return user


@transaction.atomic
def appoint(*, user: User, agency: Agency, role: Role, actor: User | None, from_on: date | None = None) -> Membership:
    """Give a person a post at an agency.

    Refuses `outside_area`, `operator_role` (an operator's people hold no post), `inactive` and `already_appointed`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _check_area(actor, agency.region_id)
    if role == Role.OPERATOR or user.is_operator:
        raise Refused("operator_role", "主体人员不在机构任职，机构人员不能是主体人员", field="role")
    if not user.is_active:
        raise Refused("inactive", "这个账号已停用", field="user")
    if user.memberships.filter(agency=agency, role=role, to_on=None).exists():
        raise Refused("already_appointed", f"{user} 已经是{agency}的{role.label}", field="role")
    post = Membership.objects.create(user=user, agency=agency, role=role, from_on=from_on or timezone.localdate())
    record("account.appointed", actor=actor, target=user, region_code=agency.region_id, agency=agency.name, role=role)
    return post


@transaction.atomic
def dismiss(*, membership: Membership, actor: User | None, to_on: date | None = None) -> Membership:
    """End a post; `to_on` is its last day, yesterday when not given (a post can't end before its first day).

    Refuses `outside_area`, `already_dismissed` and `last_administrator`.
    """
    membership = (
        Membership.objects.select_for_update(of=("self",)).select_related("agency", "user").get(pk=membership.pk)
    )
    _check_area(actor, membership.agency.region_id)
    if membership.to_on:
        raise Refused("already_dismissed", "这个任职已经结束")
    _check_administrator_stays(membership)
    membership.to_on = max(to_on or timezone.localdate() - timedelta(days=1), membership.from_on)
    membership.save(update_fields=["to_on"])
    record(
        "account.dismissed",
        actor=actor,
        target=membership.user,
        region_code=membership.agency.region_id,
        agency=membership.agency.name,
        role=membership.role,
    )
    return membership


@transaction.atomic
def change_password(*, user: User, new: str, actor: User, old: str | None = None) -> User:
    """Set a password: one's own with the old one, another's as administrator of the place.

    Every session and token of the person ends. One that an administrator sets has to be changed at the next sign-in,
    except by the demo's people, whose password is public. Refuses `wrong_password`, `same_password`, `weak_password`
    and `outside_area`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    own = user.pk == actor.pk
    if own:
        if old is None or not user.check_password(old):
            raise Refused("wrong_password", "原密码不对", field="old")
        if old == new:
            raise Refused("same_password", "新密码要和原密码不一样", field="new")
    else:
        _check_administers(actor, user)
    _check_strength(new, user)
    user.set_password(new)
    user.must_change_password = not own and not user.is_demo
    user.save(update_fields=["password", "must_change_password"])
    action = "account.password_changed" if own else "account.password_reset"
    record(action, actor=actor, target=user, region_code=_widest(places_of(user)))
    return user


@transaction.atomic
def remove_lost_device(*, user: User, actor: User) -> User:
    """Stop asking a person for one-time codes, whose phone is lost: from now on the password alone signs in.

    Refuses `self` (one's own is removed under 我的账号, by password), `outside_area` and `totp_not_enrolled`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.pk == actor.pk:
        raise Refused("self", "自己的动态口令要在“我的账号”里停用；手机丢了，请另一位管理员办理")
    _check_administers(actor, user)
    deleted, _ = TOTPDevice.objects.filter(user=user).delete()
    if not deleted:
        raise Refused("totp_not_enrolled", f"{user} 没有启用动态口令")
    record("account.totp_removed", actor=actor, target=user, region_code=_widest(places_of(user)))
    return user


@transaction.atomic
def deactivate_user(*, user: User, actor: User, reason: str) -> User:
    """Close an account: sessions and tokens end at once, posts end, history stays.

    Refuses `outside_area`, `self`, `inactive` and `last_administrator`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.pk == actor.pk:
        raise Refused("self", "不能停用自己的账号")
    _check_administers(actor, user)
    if not user.is_active:
        raise Refused("inactive", "这个账号已经停用")
    place = _widest(places_of(user))
    for post in posts_of(user):
        dismiss(membership=post, actor=actor)
    user.is_active = False
    user.save(update_fields=["is_active"])
    record("account.deactivated", actor=actor, target=user, region_code=place, reason=reason)
    return user


def _check_area(actor: User | None, region_code: int) -> None:
    if actor is None:
        return
    if region_code not in scope_of(actor, Action.MANAGE_ACCOUNTS):
        raise Refused("outside_area", "这个地方不归您管理")


def _check_administers(actor: User, user: User) -> None:
    """An administrator manages people who work inside the administrator's own area only.

    Whoever works nowhere is left to the administrators of the whole country.
    """
    scope = scope_of(actor, Action.MANAGE_ACCOUNTS)
    if any(code not in scope for code in places_of(user) or {COUNTRY}):
        raise Refused("outside_area", "这个人不归您管理")


def _widest(codes: set[int]) -> int | None:
    return min(codes, key=lambda code: (level_of(code), code), default=None)


def _check_administrator_stays(membership: Membership) -> None:
    """Somebody must stay who can appoint: the last administrator of the widest area on file keeps the post."""
    if membership.role != Role.ADMINISTRATOR:
        return
    others = (
        Membership.objects.select_for_update()
        .active(timezone.localdate())
        .filter(role=Role.ADMINISTRATOR, agency__level__lte=membership.agency.level, user__is_active=True)
        .exclude(pk=membership.pk)
    )
    span = span_of(membership.agency.region_id)
    if not any(span_of(code).covers(span) for code in others.values_list("agency__region_id", flat=True)):
        raise Refused("last_administrator", "这是这个地方最后一位平台管理员，请先任命别人")


def _check_strength(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("weak_password", "".join(error.messages), field="new") from None
