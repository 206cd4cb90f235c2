"""The people of an operator (主体人员): who acts for it, from when to when; nobody is deleted."""

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.granting import has_area
from nongma.accounts.models import User
from nongma.accounts.queries import places_of
from nongma.accounts.services import place_operator_person
from nongma.audit.services import record
from nongma.lib.refused import Refused
from nongma.registry.models import NOT_TRADING, Claim, Operator, OperatorMember
from nongma.registry.services.checks import check_may_change
from nongma.registry.services.closing import close_invitations
from nongma.registry.services.unclaiming import take_back
from nongma.registry.telling import tell_member

Role = OperatorMember.Role
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
    return join(operator, user, actor, role)


@transaction.atomic
def end_membership(*, membership: OperatorMember, actor: User, reason: str = "") -> OperatorMember:
    """A person acts for an operator no more, at once (离开); what was done stays.

    By an owner, an agency of the area, or the person; what the person asked others to join for is taken back. Refuses
    `already_ended`, `last_owner` (an operator's own people hand on first), `owner_by_reviewer` (of an agency only who
    reviews in the area ends a 负责人), `not_own_operator`, `outside_area`. An agency that ends the last owner of an
    imported operator which was claimed and not decided on takes the claim back (`take_back`), for the `reason`: it
    waits to be claimed again (待认领) as it was imported, and nobody whom the claimant let in stays.
    """
    operator = Operator.objects.select_for_update().get(pk=membership.operator_id)
    member = _locked(membership)
    if member.user_id != actor.pk:
        check_may_change(operator, actor)
        _check_may_end(member, operator, actor)
    is_last = member.role == Role.OWNER and not operator.members.owners().exclude(pk=member.pk).exists()
    if is_last and actor.is_operator:
        raise Refused("last_owner", "您是唯一的负责人，请先把负责人交接给别人")
    _end(member, actor)
    close_invitations(operator.invitations.filter(invited_by=member.user), actor)
    _note_ended(member, operator, actor)
    claim = false_claim(operator, member) if is_last else None
    if claim:
        # Whoever the claimant let in acts for nobody either.
        for other in operator.members.open().select_related("user"):
            _end(other, actor)
            _note_ended(other, operator, actor)
        close_invitations(operator.invitations.all(), actor)
        take_back(operator=operator, claim=claim, actor=actor, reason=reason)
    return member


def false_claim(operator: Operator, member: OperatorMember) -> Claim | None:
    """The claim by which an undecided operator has its owner, and that an agency takes back by ending the last one.

    Also when the claimant has handed it on to somebody else.
    """
    if member.role != Role.OWNER or operator.status not in UNDECIDED:
        return None
    return operator.claims.filter(state=Claim.State.PROVED).order_by("-id").first()


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


def join(operator: Operator, user: User, actor: User | None, role: OperatorMember.Role) -> OperatorMember:
    """The membership of a person in a locked operator, new or as it is; the operator is locked before the person."""
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


def _locked(membership: OperatorMember) -> OperatorMember:
    member = OperatorMember.objects.select_for_update(of=("self",)).select_related("user__agency").get(pk=membership.pk)
    if member.to_at:
        raise Refused("already_ended", "这个人已经不是本主体的人员")
    return member


def _check_may_end(member: OperatorMember, operator: Operator, actor: User) -> None:
    if actor.is_operator or member.role != Role.OWNER:
        return
    if operator.region_id not in scope_of(actor, Action.REVIEW_OPERATORS):
        raise Refused("owner_by_reviewer", "负责人的离开由审核员办理")


def _note_ended(member: OperatorMember, operator: Operator, actor: User) -> None:
    record(
        "operator.member_ended",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        person=member.user.name,
        role=member.role,
    )
    tell_member(operator=operator, user=member.user, title="您不再替一个主体办事", actor=actor)


def _end(member: OperatorMember, actor: User) -> None:
    member.to_at, member.ended_by = timezone.now(), actor
    member.save(update_fields=["to_at", "ended_by"])
