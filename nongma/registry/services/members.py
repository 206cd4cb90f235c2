"""The people of an operator (主体人员): who acts for it, from when to when; nobody is deleted."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from nongma.accounts.granting import has_area
from nongma.accounts.models import User
from nongma.accounts.queries import places_of
from nongma.accounts.services import place_operator_person
from nongma.accounts.services.people import checked_phone
from nongma.accounts.services.turns import wait_for_turn
from nongma.audit.services import record
from nongma.lib.fields import blind_index, blind_indexes
from nongma.lib.letters import DASH, random_letters
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.texts import checked_text
from nongma.registry.directory.marks import mark
from nongma.registry.models import NOT_TRADING, Invitation, Operator, OperatorMember
from nongma.registry.services.checks import check_may_change
from nongma.registry.telling import tell_member

Role = OperatorMember.Role
USERNAME_LETTERS = 12  # of 31 each: 59 bits
INVITED_FOR = timedelta(days=7)
MOST_PEOPLE = 100


@transaction.atomic
def add_member(
    *, operator: Operator, user: User, actor: User | None, role: OperatorMember.Role = OperatorMember.Role.STAFF
) -> OperatorMember:
    """Let a person act for an operator (主体人员); whoever does already keeps the role. `actor` None: the platform.

    Refuses `outside_area`, `operator_role` (who holds a post acts for no operator), `inactive` and `not_active` (the
    operator is suspended or cancelled).
    """
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    if actor and not has_area(actor, operator.region_id):
        raise Refused("outside_area", "这个地方的账号不归您管理")
    if operator.status in NOT_TRADING:
        raise Refused("not_active", f"主体{operator.get_status_display()}，不能增加人员")
    return _join(operator, user, actor, role)


@transaction.atomic
def invite_person(
    *, operator: Operator, name: str, phone: str, actor: User, role: OperatorMember.Role = OperatorMember.Role.STAFF
) -> OperatorMember:
    """Let somebody act for an operator who signs in by the own phone and code (增加员工).

    By its owner, or an agency of the area (for who is old, or has no owner yet); a 负责人 is added by an agency only.
    Who has an account by that phone acts by it, and is told. For anybody else an account is made, into which the phone
    signs in within `INVITED_FOR` by an `Invitation`; a new one when that is over. Refuses what `check_may_change`
    does, `not_owner` (an owner hands on, and makes no second one), `official`, `name_differs`, `not_proved`,
    `suspended`, `member_already`, `too_many`, and (422) `phone_invalid`, `phone_missing` and what is wrong with a name.
    """
    wait_for_turn()
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    check_may_change(operator, actor)
    if actor.is_operator and role != Role.STAFF:
        raise Refused("not_owner", "负责人要用“交接”，把自己的交给员工")
    name = checked_text(name, label="姓名", longest=60, field="name", is_needed=True)
    phone = checked_phone(phone)
    if not phone:
        raise Misfilled("phone_missing", "请填写手机号，员工用它登录", field="phone")
    if operator.members.open().count() >= MOST_PEOPLE:
        raise Refused("too_many", f"一个主体最多 {MOST_PEOPLE} 人")
    user = _of_phone(phone, name, operator) or _made(phone, name, operator)
    known = operator.members.open().filter(user=user).first()
    if known and (user.phone_proved_at or known.role != role):
        raise Refused("member_already", "这个人已经是本主体的人员", field="phone")
    member = known or _join(operator, user, actor, role)
    if not user.phone_proved_at:
        Invitation.objects.filter(user=user, used_at=None).update(expires_at=timezone.now())
        Invitation.objects.create(
            operator=operator,
            user=user,
            phone_index=blind_index(phone),
            invited_by=actor,
            expires_at=timezone.now() + INVITED_FOR,
        )
        record(
            "operator.member_invited", actor=actor, target=operator, region_code=operator.region_id, person=user.name
        )
    tell_member(operator=operator, user=user, title="您现在可以替一个主体办事", actor=actor)
    return member


@transaction.atomic
def end_membership(*, membership: OperatorMember, actor: User) -> OperatorMember:
    """A person acts for an operator no more, at once (离开); what was done stays.

    By an owner, an agency of the area, or the person. Refuses `already_ended`, `last_owner` (an operator's own people
    hand on first), `not_own_operator`, `outside_area`. An agency that ends the last owner of an operator which was
    never approved puts it back to be claimed (待认领) where it came from an import.
    """
    operator = Operator.objects.select_for_update().get(pk=membership.operator_id)
    member = _locked(membership)
    if member.user_id != actor.pk:
        check_may_change(operator, actor)
    is_last = member.role == Role.OWNER and not operator.members.owners().exclude(pk=member.pk).exists()
    if is_last and actor.is_operator:
        raise Refused("last_owner", "您是唯一的负责人，请先把负责人交接给别人")
    _end(member, actor)
    if is_last and operator.status in UNDECIDED and operator.claims.filter(user=member.user).exists():
        operator.status, operator.due_on = Operator.Status.IMPORTED, None
        operator.review_note, operator.review_faults = "", {}
        operator.save(update_fields=["status", "due_on", "review_note", "review_faults"])
        mark([operator.pk])
    record(
        "operator.member_ended",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        person=member.user.name,
        role=member.role,
    )
    tell_member(operator=operator, user=member.user, title="您不再替一个主体办事", actor=actor)
    return member


@transaction.atomic
def hand_ownership_on(*, membership: OperatorMember, actor: User) -> OperatorMember:
    """Make a person of the staff the 负责人, in the place of the actor, who stays as staff (交接负责人).

    Refuses `not_own_operator` to whoever is no owner of it, `already_ended`, `owner_already`, `not_proved` (who has
    never signed in), and `not_active`.
    """
    operator = Operator.objects.select_for_update().get(pk=membership.operator_id)
    own = operator.members.owners().filter(user=actor).first()
    if own is None:
        raise Refused("not_own_operator", "只有主体的负责人可以交接")
    check_may_change(operator, actor)
    member = _locked(membership)
    if member.role == Role.OWNER:
        raise Refused("owner_already", "这个人已经是负责人")
    if not member.user.may_sign_in or member.user.last_login is None:
        raise Refused("not_proved", "这个人还没有登录过，请他先用手机号登录一次")
    now = timezone.now()
    for one in (own, member):
        _end(one, actor)
    OperatorMember.objects.create(operator=operator, user=actor, role=Role.STAFF, from_at=now)
    successor = OperatorMember.objects.create(operator=operator, user=member.user, role=Role.OWNER, from_at=now)
    record(
        "operator.owner_changed",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        before=actor.name,
        person=member.user.name,
    )
    tell_member(operator=operator, user=member.user, title="您现在是一个主体的负责人", actor=actor)
    return successor


UNDECIDED = {Operator.Status.SUBMITTED, Operator.Status.RETURNED}


def _join(operator: Operator, user: User, actor: User | None, role: OperatorMember.Role) -> OperatorMember:
    """The membership of a person in a locked operator, new or as it is."""
    user = User.objects.select_for_update(no_key=True, of=("self",)).get(pk=user.pk)
    if not user.is_active:
        raise Refused("inactive", "这个账号已停用", field="user")
    if user.agency_id or (not user.is_operator and places_of(user)):
        raise Refused("operator_role", "机构人员不能是主体人员", field="user")
    member, added = OperatorMember.objects.open().get_or_create(operator=operator, user=user, defaults={"role": role})
    if added:
        if not user.is_operator:
            user.is_operator = True
            user.save(update_fields=["is_operator"])
        place_operator_person(user, operator.region_id)
        record("operator.member_added", actor=actor, target=operator, region_code=operator.region_id, role=role.value)
    return member


def _of_phone(phone: str, name: str, operator: Operator) -> User | None:
    """Who acts by that phone: its person, or who was invited by it and has not come yet."""
    people = list(User.objects.filter(phone_index__in=blind_indexes(phone), is_active=True).select_related("agency"))
    proved = [user for user in people if user.is_operator and user.phone_proved_at]
    invited = [
        user
        for user in people
        if user.last_login is None and operator.members.open().filter(user=user).exists() and not user.phone_proved_at
    ]
    found = proved or invited
    if len(found) == 1:
        if found[0].name != name:
            raise Refused("name_differs", "这个手机号有账号，姓名和您填的不一样，请核对", field="name")
        if found[0].is_suspended:
            raise Refused("suspended", "这个手机号的账号已停用", field="phone")
        return found[0]
    if any(not user.is_operator for user in people):
        raise Refused("official", "这个手机号是机构人员的，不能是主体人员", field="phone")
    if people:
        raise Refused("not_proved", "有账号写着这个手机号，但本人还没有证实，请本人先在“我的账号”证实", field="phone")
    return None


def _made(phone: str, name: str, operator: Operator) -> User:
    """An account without a password, whose phone is yet to be proved."""
    user = User(
        username="u" + random_letters(USERNAME_LETTERS).replace(DASH, ""),
        name=name,
        phone=phone,
        phone_index=blind_index(phone),
        is_operator=True,
        place=operator.region_id,
    )
    user.set_unusable_password()
    user.save()
    record("account.created", actor=None, target=user, region_code=user.place, username=user.username)
    return user


def _locked(membership: OperatorMember) -> OperatorMember:
    member = OperatorMember.objects.select_for_update(of=("self",)).select_related("user__agency").get(pk=membership.pk)
    if member.to_at:
        raise Refused("already_ended", "这个人已经不是本主体的人员")
    return member


def _end(member: OperatorMember, actor: User) -> None:
    member.to_at, member.ended_by = timezone.now(), actor
    member.save(update_fields=["to_at", "ended_by"])
    Invitation.objects.filter(operator=member.operator_id, user=member.user, used_at=None).update(
        expires_at=timezone.now()
    )
