"""Asking somebody to act for an operator (邀请): nobody does who has not said yes."""

from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.accounts.services import change_person
from nongma.accounts.services.people import checked_phone
from nongma.audit.services import record
from nongma.lib.fields import blind_indexes
from nongma.lib.masking import mask_name
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.retention import days_ago, delete_rows
from nongma.lib.texts import checked_text
from nongma.notices.models import Notice
from nongma.notices.services import notify, withdraw
from nongma.registry.models import NOT_TRADING, Invitation, Operator, OperatorMember
from nongma.registry.names import public_name
from nongma.registry.self_registration.entering import name_for
from nongma.registry.services.checks import check_may_change
from nongma.registry.services.closing import close_invitations, settle_invitation
from nongma.registry.services.members import MOST_PEOPLE, join

Role, State = OperatorMember.Role, Invitation.State
INVITED_FOR = timedelta(days=7)
MOST_A_DAY = 20
KEPT_DAYS = 90


@transaction.atomic
def invite_person(
    *, operator: Operator, name: str, phone: str, actor: User, role: OperatorMember.Role = OperatorMember.Role.STAFF
) -> Invitation:
    """Ask who has a phone to act for an operator (邀请); good for `INVITED_FOR`, and nothing before the person agrees.

    By its owner, or an agency of the area (for who is old, or has no owner yet). Nothing that is answered depends on
    whether the phone is on file, so numbers can't be tried by this. Refuses what `check_may_change` does, `not_owner`
    (an owner hands on, and makes no second one), `second_owner` (a second 负责人 is for who reviews in the area),
    `member_already` and `invited_already` (of this operator), `too_many`, `limit_reached` (`MOST_A_DAY` by its own
    people), and (422) `phone_invalid`, `phone_missing` and what is wrong with a name.
    """
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    check_may_change(operator, actor)
    role = Role(role)
    waiting = operator.invitations.waiting()
    if role == Role.OWNER:
        _check_may_name_owner(operator, actor)
    name = checked_text(name, label="姓名", longest=60, field="name", is_needed=True)
    phone = checked_phone(phone)
    if not phone:
        raise Misfilled("phone_missing", "请填写手机号，他用它登录", field="phone")
    hashes = blind_indexes(phone)
    if operator.members.open().filter(user__phone_index__in=hashes, user__phone_proved_at__isnull=False).exists():
        raise Refused("member_already", "这个人已经是本主体的人员", field="phone")
    if waiting.filter(phone_index__in=hashes).exists():
        raise Refused("invited_already", "已经邀请过这个手机号，正等本人同意；填错了请先撤回", field="phone")
    if operator.members.open().count() + waiting.count() >= MOST_PEOPLE:
        raise Refused("too_many", f"一个主体最多 {MOST_PEOPLE} 人，包括邀请中的")
    if actor.is_operator and operator.invitations.filter(invited_at__gt=days_ago(1)).count() >= MOST_A_DAY:
        raise Refused("limit_reached", f"一天最多邀请 {MOST_A_DAY} 次，请明天再来")
    operator.invitations.filter(phone_index__in=hashes, state=State.WAITING).update(
        state=State.LAPSED, settled_at=timezone.now()
    )
    invitation = Invitation.objects.create(
        operator=operator,
        role=role,
        name=name,
        phone=phone,
        invited_by=actor,
        expires_at=timezone.now() + INVITED_FOR,
    )
    record(
        "operator.member_invited",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        person=mask_name(name),
        role=role.value,
    )
    _ask(invitation, operator, actor)
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, actor: User) -> Invitation:
    """Take an invitation back that is not answered (撤回), by an owner or an agency of the area.

    Refuses `not_own_operator`, `outside_area`, `not_active`, `not_waiting`.
    """
    operator, invitation = _locked(invitation)
    check_may_change(operator, actor)
    close_invitations(operator.invitations.filter(pk=invitation.pk), actor)
    invitation.refresh_from_db()
    return invitation


@transaction.atomic
def accept_invitation(*, invitation: Invitation, actor: User) -> OperatorMember:
    """Say yes: from now on the person acts for the operator (同意).

    Refuses `not_invited` (to another phone, or the own one is not proved), `not_waiting`, `not_active`, `name_differs`
    (somebody of another name was meant: the phone may be mistyped), `member_already`, `too_many`, `operator_role`,
    `inactive`. An account that was made by phone gets the name by which it was invited.
    """
    operator, invitation = _locked(invitation)
    _check_is_to(invitation, actor)
    if operator.status in NOT_TRADING:
        raise Refused("not_active", f"这个主体{operator.get_status_display()}，不能增加人员")
    if operator.members.open().filter(user=actor).exists():
        raise Refused("member_already", "您已经是这个主体的人员")
    if operator.members.open().count() >= MOST_PEOPLE:
        raise Refused("too_many", f"一个主体最多 {MOST_PEOPLE} 人")
    if actor.name == name_for(actor.phone):
        actor = change_person(user=actor, name=invitation.name, phone="", email="", actor=actor)
    elif actor.name != invitation.name:
        raise Refused("name_differs", "邀请上写的姓名和您的不一样，可能填错了手机号；请对方核对姓名，再邀请一次")
    member = join(operator, actor, actor, Role(invitation.role))
    invitation.user = actor
    invitation.save(update_fields=["user"])
    settle_invitation(invitation, State.ACCEPTED)
    _answer(invitation, operator, f"{actor.name}同意了您的邀请", actor)
    return member


@transaction.atomic
def decline_invitation(*, invitation: Invitation, actor: User) -> Invitation:
    """Say no (不同意). Refuses `not_invited` and `not_waiting`."""
    operator, invitation = _locked(invitation)
    _check_is_to(invitation, actor)
    settle_invitation(invitation, State.DECLINED)
    record("operator.invitation_declined", actor=actor, target=operator, region_code=operator.region_id)
    _answer(invitation, operator, "一个邀请没有得到同意", actor)
    return invitation


def forget_invited() -> int:
    """Delete invitations that nobody took up, 90 days after their time: name and phone of who never agreed."""
    return delete_rows(Invitation.objects.filter(user=None, expires_at__lt=days_ago(KEPT_DAYS)), by=["expires_at"])


def _check_may_name_owner(operator: Operator, actor: User) -> None:
    if actor.is_operator:
        raise Refused("not_owner", "负责人要用“交接”，把自己的交给员工", field="role")
    has_one = operator.members.owners().exists() or operator.invitations.waiting().filter(role=Role.OWNER).exists()
    if has_one and operator.region_id not in scope_of(actor, Action.REVIEW_OPERATORS):
        raise Refused("second_owner", "已经有负责人，或者正等一个人同意；再加负责人要由审核员办理", field="role")


def _check_is_to(invitation: Invitation, actor: User) -> None:
    if not actor.phone_proved_at or bytes(invitation.phone_index or b"") not in blind_indexes(actor.phone):
        raise Refused("not_invited", "这个邀请不是给您的手机号的")


def _ask(invitation: Invitation, operator: Operator, actor: User) -> None:
    """Put it before whoever has proved the phone; others find it when they sign in by it."""
    people = User.objects.filter(
        phone_index__in=blind_indexes(invitation.phone),
        phone_proved_at__isnull=False,
        is_operator=True,
        is_active=True,
    )
    notify(
        users=people.values_list("pk", flat=True),
        kind=Notice.Kind.PROMPT,
        title="有人请您替一个主体办事，同意不同意",
        body=public_name(operator),
        url=reverse("join:invitations"),
        about=invitation.about,
        due_on=timezone.localdate(invitation.expires_at),
        actor=actor,
    )


def _answer(invitation: Invitation, operator: Operator, title: str, actor: User) -> None:
    withdraw(about=invitation.about)
    notify(
        users=[invitation.invited_by_id],
        kind=Notice.Kind.DECISION,
        title=title,
        body=operator.name,
        url=reverse("registry:people", args=[operator.code]),
        actor=actor,
    )


def _locked(invitation: Invitation) -> tuple[Operator, Invitation]:
    """The operator, then the invitation, in the order of everybody who changes an operator's people."""
    operator = Operator.objects.select_for_update(no_key=True).get(pk=invitation.operator_id)
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if invitation.operator_id != operator.pk or invitation.state != State.WAITING:
        raise Refused("not_waiting", f"这个邀请现在是“{invitation.get_state_display()}”")
    if invitation.expires_at <= timezone.now():
        raise Refused("not_waiting", "这个邀请已经过期，请对方再邀请一次")
    return operator, invitation
