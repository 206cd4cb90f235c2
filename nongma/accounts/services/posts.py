"""Appointing to posts and ending them."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction
from django.utils import timezone

from nongma.accounts.granting import check_grant, check_take_back, grantors_of, has_area, oversees
from nongma.accounts.models import Agency, Membership, Role, User
from nongma.accounts.rollout.figures import recount
from nongma.accounts.services.telling import tell_appointed, tell_dismissed
from nongma.accounts.services.turns import wait_for_turn
from nongma.audit.services import record
from nongma.lib.refused import Refused
from nongma.regions.spans import EVERYWHERE

NOTE_ROLES = """
    UPDATE accounts_user SET roles = ARRAY(
        SELECT DISTINCT role FROM accounts_membership WHERE user_id = accounts_user.id AND to_on IS NULL ORDER BY role
    ) WHERE id = ANY(%s)
"""


@transaction.atomic
def appoint(*, user: User, agency: Agency, role: Role, actor: User | None, from_on: date | None = None) -> Membership:
    """Give a person a post at an agency; who has no other post moves to that agency.

    Refuses what `granting.check_grant` refuses, `self`, `operator_role` (an operator's people hold no post),
    `third_party`, `inactive`, `agency_suspended`, `already_appointed`, `administrator_exists` (an agency has one: hand
    the post over) and `outside_area` (the person belongs to an agency that is not the actor's). `actor` None: the
    platform, at set-up.
    """
    wait_for_turn()
    agency = Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    left = user.place
    post = give_post(user, agency, role, actor, from_on or timezone.localdate())
    record("account.appointed", actor=actor, target=user, region_code=agency.region_id, agency=agency.name, role=role)
    tell_appointed(post=post, actor=actor)
    recount(left, agency.region_id)
    return post


@transaction.atomic
def dismiss(*, membership: Membership, actor: User | None, to_on: date | None = None) -> Membership:
    """End a post; `to_on` is its last day, yesterday when not given, so that it is over at once.

    Refuses `already_dismissed`, `last_administrator` (nobody would be left above to appoint another), and what
    `granting.check_take_back` refuses.
    """
    membership = locked_post(membership)
    if actor:
        check_take_back(actor, membership.agency, Role(membership.role))
    _check_administrator_stays(membership)
    end_post(membership, to_on or timezone.localdate() - timedelta(days=1))
    record(
        "account.dismissed",
        actor=actor,
        target=membership.user,
        region_code=membership.agency.region_id,
        agency=membership.agency.name,
        role=membership.role,
    )
    tell_dismissed(post=membership)
    recount(membership.agency.region_id)
    return membership


def give_post(
    user: User, agency: Agency, role: Role, actor: User | None, from_on: date, follows: Membership | None = None
) -> Membership:
    """The new post of a locked person at a locked agency; refuses what `appoint` does, and records nothing."""
    _check_candidate(user, agency, role, actor)
    if role == Role.ADMINISTRATOR:
        _check_vacant(agency)
    post = Membership.objects.create(user=user, agency=agency, role=role, from_on=from_on, follows=follows)
    if role == Role.ADMINISTRATOR:
        Agency.objects.filter(pk=agency.pk).update(administrator=user)
    if user.agency_id != agency.pk and not _other_posts(user, agency):
        user.agency, user.place = agency, agency.region_id
        user.save(update_fields=["agency", "place"])
    note_roles([user.pk])
    return post


def _check_candidate(user: User, agency: Agency, role: Role, actor: User | None) -> None:
    if role == Role.OPERATOR or user.is_operator:
        raise Refused("operator_role", "主体人员不在机构任职，机构人员不能是主体人员", field="role")
    if actor:
        if actor.pk == user.pk:
            raise Refused("self", "不能给自己任命职务", field="user")
        check_grant(actor, agency, role)
        home = Agency.objects.get(pk=user.agency_id) if user.agency_id else None
        if not (oversees(actor, home) if home else has_area(actor, EVERYWHERE.start)):
            raise Refused("outside_area", "这个人的账号不归您管理", field="user")
    check_standing(user, agency)
    if user.memberships.filter(agency=agency, role=role, to_on=None).exists():
        raise Refused("already_appointed", f"{user} 已经是{agency}的{role.label}", field="role")


def note_roles(users: Iterable[int]) -> None:
    """Keep `User.roles` in step with the posts of people by their keys; called after the posts are written."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE_ROLES, [list(users)])


def check_standing(user: User, agency: Agency) -> None:
    """Whether both are in use. Raises `third_party`, `inactive` and `agency_suspended`."""
    if user.third_party_id:
        raise Refused("third_party", "第三方采集人员按授权采集，不在机构任职", field="user")
    if not user.is_active or user.suspended_at:
        raise Refused("inactive", "这个账号已停用", field="user")
    if agency.suspended_at:
        raise Refused("agency_suspended", f"{agency}已停用", field="agency")


def administrator_exists(agency: Agency, holder: User) -> Refused:
    """The refusal of a second 平台管理员."""
    return Refused("administrator_exists", f"{agency}的平台管理员是{holder}；换人请办理交接", field="role")


def _check_vacant(agency: Agency) -> None:
    holder = (
        Membership.objects.filter(agency=agency, role=Role.ADMINISTRATOR, to_on=None).select_related("user").first()
    )
    if holder:
        raise administrator_exists(agency, holder.user)


def _other_posts(user: User, agency: Agency) -> bool:
    posts = user.memberships.exclude(agency=agency).exclude(to_on__lt=timezone.localdate())
    return posts.exists()


def locked_post(membership: Membership) -> Membership:
    """The post, locked with its agency. Refuses `already_dismissed`."""
    wait_for_turn()
    Agency.objects.select_for_update(no_key=True).get(pk=membership.agency_id)
    locked = Membership.objects.select_for_update(of=("self",)).select_related("agency", "user").get(pk=membership.pk)
    if locked.to_on:
        raise Refused("already_dismissed", "这个任职已经结束")
    return locked


def end_post(membership: Membership, to_on: date) -> None:
    """End a locked post; one that began today is over at once, too."""
    membership.to_on = max(to_on, membership.from_on - timedelta(days=1))
    membership.save(update_fields=["to_on"])
    note_roles([membership.user_id])
    if membership.role == Role.ADMINISTRATOR:
        Agency.objects.filter(pk=membership.agency_id, administrator=membership.user_id).update(administrator=None)


def _check_administrator_stays(membership: Membership) -> None:
    """Somebody must stay who can appoint another: the topmost administrator keeps the post until it is handed over."""
    if membership.role == Role.ADMINISTRATOR and not grantors_of(membership.agency):
        raise Refused("last_administrator", "上面没有平台管理员能再任命，请办理交接")
