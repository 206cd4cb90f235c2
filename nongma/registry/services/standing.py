"""Whether an operator takes part: suspended, restored, cancelled, and merged into another; never deleted."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nongma.accounts.access import Action
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.codes.services import subject_changed
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.registry.directory.marks import mark
from nongma.registry.models import (
    NOT_TRADING,
    Claim,
    Correction,
    Invitation,
    Licence,
    Operator,
    OperatorMember,
    Produce,
    Revision,
)
from nongma.registry.services.checks import check_area
from nongma.registry.services.closing import close_invitations, close_what_is_open
from nongma.registry.telling import tell_merged, tell_revision_decided, tell_standing

Status = Operator.Status
OPEN = {Status.APPROVED, Status.IMPORTED}
RECORDS = ("bases", "certifications", "origins", "lots", "sales", "purchases", "certificates")
"""What keeps a record from being merged away; its people, licence and produce go over, its waiting change is closed."""
BUILT_ON = (*(Q(**{f"{name}__isnull": False}) for name in RECORDS), Q(corrections__state__in=Correction.OPEN))
"""Each finds operators that are more than an entry: with one of `RECORDS`, or asked to put something right (督促整改).

A notice that is settled is history: it stays with the record it was sent to, which is cancelled and never deleted, and
says so on its page; it holds up neither a merge nor taking a load back.
"""
MERGEABLE = {Status.SUBMITTED, Status.RETURNED, Status.IMPORTED}


@transaction.atomic
def suspend_operator(*, operator: Operator, reason: str, actor: User) -> Operator:
    """Stop an operator from trading and certifying for a time (停用); its people still sign in and read.

    Invitations and claims on it that wait are closed, and who waits is told.

    Refuses `outside_area`, `not_active` (only an approved or imported one), `reason_missing`, `text_too_long`.
    """
    operator = _locked(operator, actor)
    if operator.status not in OPEN:
        raise Refused("not_active", f"主体现在是“{operator.get_status_display()}”，不能停用")
    return _stop(operator, Status.SUSPENDED, reason, actor)


@transaction.atomic
def cancel_operator(*, operator: Operator, reason: str, actor: User) -> Operator:
    """Close an operator that is no more (注销); its record, codes and history stay.

    What is open of it is closed with it, and who waits is told: changes, invitations, claims, 督促整改.

    Refuses `outside_area`, `already_cancelled`, `not_decided` (one that waits is returned instead), `reason_missing`,
    `text_too_long`.
    """
    operator = _locked(operator, actor)
    if operator.status == Status.CANCELLED:
        raise Refused("already_cancelled", "这个主体已经注销")
    if operator.status == Status.SUBMITTED:
        raise Refused("not_decided", "还没有审核，请通过或退回")
    return _stop(operator, Status.CANCELLED, reason, actor)


@transaction.atomic
def restore_operator(*, operator: Operator, reason: str, actor: User) -> Operator:
    """Let a suspended or cancelled operator take part again, as what it was (恢复).

    Refuses `outside_area`, `not_stopped`, `merged` (its place is taken by another), `reason_missing`, `text_too_long`.
    """
    operator = _locked(operator, actor)
    if operator.status not in NOT_TRADING:
        raise Refused("not_stopped", "这个主体没有停用，也没有注销")
    if operator.merged_into:
        raise Refused("merged", f"这个主体已经并入“{operator.merged_into}”，不能恢复")
    note = checked_reason(reason, told="请写明恢复的原因")
    if operator.review_note or operator.review_faults:
        operator.status = Status.RETURNED
    else:
        operator.status = Status.APPROVED if operator.reviewed_at else Status.IMPORTED
    operator.stopped_for = ""
    operator.save(update_fields=["status", "stopped_for"])
    record("operator.restored", actor=actor, target=operator, region_code=operator.region_id, reason=note)
    mark([operator.pk])
    tell_standing(operator=operator, actor=actor)
    subject_changed(operator.uid)
    return operator


@transaction.atomic
def merge_operators(*, operator: Operator, into: Operator, reason: str, actor: User) -> Operator:
    """Take an operator that is on file already for the other: its people go over, itself is cancelled (合并).

    Numbers (信用代码, 身份证号, 手机) that only the one that goes has go over, too; an imported operator that gets an
    owner is approved by it. Refuses `outside_area`, `same_operator`, `not_mergeable` (one that goes must not be
    approved yet, one that stays must take part), `has_records` (`BUILT_ON`, the one that goes),
    `reason_missing`, `text_too_long`. Returns the one that stays.
    """
    if operator.pk == into.pk:
        raise Refused("same_operator", "不能并入自己")
    locked = {
        one.pk: one for one in Operator.objects.select_for_update().filter(pk__in=(operator.pk, into.pk)).order_by("pk")
    }
    operator, into = locked[operator.pk], locked[into.pk]
    for one in (operator, into):
        check_area(one.region_id, actor, Action.REVIEW_OPERATORS)
    if operator.status not in MERGEABLE or into.status not in OPEN:
        raise Refused("not_mergeable", "只能把还没有通过审核的主体，并入一个已通过或待认领的主体")
    if any(Operator.objects.filter(found, pk=operator.pk).exists() for found in BUILT_ON):
        told = "要并掉的主体已经有基地、认证、产地信息、批次、交易，或没有办结的督促整改，请先处理这些记录"
        raise Refused("has_records", told)
    note = checked_reason(reason, told="请写明为什么是同一个主体")
    _hand_numbers_over(operator, into)
    _hand_people_over(operator, into, actor)
    _settle_claim(operator, into, actor)
    _close_revisions(operator, note, actor)
    operator.merged_into = into
    operator.review_note, operator.review_faults, operator.due_on = "", {}, None
    operator.status, operator.stopped_for = Status.CANCELLED, note
    operator.reviewed_by, operator.reviewed_at = actor, timezone.now()
    operator.save()
    if into.status == Status.IMPORTED and into.members.open().exists():
        into.status, into.reviewed_by, into.reviewed_at = Status.APPROVED, actor, timezone.now()
    into.save()
    for one, other in ((operator, into), (into, operator)):
        done = "operator.merged" if one is operator else "operator.absorbed"
        record(done, actor=actor, target=one, region_code=one.region_id, other=str(other.uid), reason=note)
        subject_changed(one.uid)
    mark([operator.pk, into.pk])
    tell_merged(operator=into, actor=actor)
    return into


def _hand_numbers_over(operator: Operator, into: Operator) -> None:
    """The numbers that are told apart by go with the one that stays; each stands in one place, so the old row first."""
    numbers: dict[str, object] = {}
    if operator.uscc and not into.uscc:
        numbers["uscc"] = operator.uscc
        operator.uscc = None
    if operator.id_index and not into.id_index:
        numbers["id_number"] = operator.id_number
        operator.id_number, operator.id_index = "", None
    if operator.phone and not into.phone:
        numbers["phone"] = operator.phone
    # Of two records with one name and phone the county takes only one: the merged one gives its phone up.
    operator.phone, operator.phone_index = "", None
    operator.save(update_fields=["uscc", "id_number", "id_index", "phone", "phone_index"])
    for field, value in numbers.items():
        setattr(into, field, value)


def _hand_people_over(operator: Operator, into: Operator, actor: User) -> None:
    """Its people, whom they asked to join, the photo of its licence and what it said it grows go to the one that stays.

    The last two where that has none.
    """
    theirs = set(into.members.open().values_list("user_id", flat=True))
    now = timezone.now()
    for member in operator.members.open().select_for_update():
        member.to_at, member.ended_by = now, actor
        member.save(update_fields=["to_at", "ended_by"])
        if member.user_id not in theirs:
            OperatorMember.objects.create(operator=into, user=member.user, role=member.role, from_at=now)
    asked = into.invitations.filter(state=Invitation.State.WAITING).values("phone_index")
    operator.invitations.waiting().exclude(phone_index__in=asked).update(operator=into)
    close_invitations(operator.invitations.all(), actor)
    if not Licence.objects.current().filter(operator=into).exists():
        Licence.objects.filter(operator=operator).update(operator=into)
    known = Produce.objects.filter(operator=into).values("product")
    Produce.objects.filter(operator=operator).exclude(product__in=known).update(operator=into)


def _settle_claim(operator: Operator, into: Operator, actor: User) -> None:
    """A claim that came with the registration that goes is decided by the merge: rightly, or for another record."""
    state = Claim.State.APPROVED
    waiting = Claim.objects.waiting().filter(fresh=operator)
    waiting.exclude(operator=into).update(
        state=Claim.State.RETURNED, note=f"并入了“{into}”", decided_by=actor, decided_at=timezone.now()
    )
    waiting.update(state=state, decided_by=actor, decided_at=timezone.now())


def _close_revisions(operator: Operator, note: str, actor: User) -> None:
    """A change that waits for an operator that is no more is over; who asked for it is told."""
    for revision in operator.revisions.waiting().select_for_update():
        revision.state, revision.note = Revision.State.RETURNED, note
        revision.decided_by, revision.decided_at = actor, timezone.now()
        revision.save(update_fields=["state", "note", "decided_by", "decided_at"])
        tell_revision_decided(revision=revision, operator=operator, actor=actor)


def _locked(operator: Operator, actor: User) -> Operator:
    operator = Operator.objects.select_for_update(of=("self",)).select_related("merged_into").get(pk=operator.pk)
    check_area(operator.region_id, actor, Action.REVIEW_OPERATORS)
    return operator


def _stop(operator: Operator, status: Operator.Status, reason: str, actor: User) -> Operator:
    note = checked_reason(reason, told="请写明原因，主体看得到")
    operator.status, operator.stopped_for = status, note
    operator.save(update_fields=["status", "stopped_for"])
    if status == Status.CANCELLED:
        _close_revisions(operator, note, actor)
    close_what_is_open(operator, note, actor)
    record(f"operator.{status.value}", actor=actor, target=operator, region_code=operator.region_id, reason=note)
    mark([operator.pk])
    tell_standing(operator=operator, actor=actor)
    subject_changed(operator.uid)
    return operator
