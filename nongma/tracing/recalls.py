"""Stopping lots: freezing what is in doubt (冻结), recalling what is not fit (召回).

A recall reaches every lot that the recalled one went into, in the same transaction: recalls are rare and scans are
not, so a shopper's page must find the state on the lot itself. A freeze holds the one lot alone: it stops what is
still there from being sold, and the trace shows where the rest went. docs/adr/0011-ledger.md
"""

from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.codes.services import subject_changed, subjects_changed
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.notices.services import notify
from nongma.registry.models import OperatorMember
from nongma.tracing import queries
from nongma.tracing.events import note, note_all
from nongma.tracing.models import Lot, LotQuerySet, TraceEvent

NO_REASON = "请写明原因"


@transaction.atomic
def recall_lot(*, lot: Lot, reason: str, actor: User) -> list[Lot]:
    """Recall a lot and every lot that it went into; the lots that were recalled by this, the lot itself first.

    Refuses `lot_recalled`, `reason_missing`, `outside_area` (neither the actor's own nor in the area of a post that
    may recall).
    """
    reason = checked_reason(reason, told=NO_REASON)
    lot = _lock(lot, Lot.objects.recallable_by(actor))
    if lot.recalled_at:
        raise Refused("lot_recalled", "该批次已经召回")
    reached = _lock_reached(lot)
    now = timezone.now()
    Lot.objects.filter(pk__in=[each.pk for each in reached]).update(recalled_at=now, recall_reason=reason)
    Lot.objects.filter(pk__in=[each.pk for each in reached if each.pk != lot.pk]).update(recalled_from=lot)
    note(lot, TraceEvent.Step.RECALLED, reason=reason, reached=len(reached) - 1)
    note_all(reached[1:], TraceEvent.Step.RECALLED, reason=reason, source=lot.code)
    record(
        "lot.recalled",
        actor=actor,
        target=lot,
        region_code=lot.region_id,
        reason=reason,
        reached=[each.code for each in reached[1:]],
    )
    for each in reached:
        each.recalled_at, each.recall_reason = now, reason
        each.recalled_from = None if each.pk == lot.pk else lot
    subjects_changed(each.uid for each in reached)
    tell_owners(
        [each.operator_id for each in reached],
        title="{count} 个批次已召回，请立即停止销售",
        body=f"召回原因：{reason}",
        url=f"{reverse('tracing:lots')}?state={Lot.State.RECALLED}",
        actor=actor,
    )
    return reached


@transaction.atomic
def freeze_lot(*, lot: Lot, reason: str, actor: User) -> Lot:
    """Hold what is left of a lot until it is cleared; only the authority of the place may.

    Refuses `lot_frozen`, `lot_recalled`, `reason_missing`, `outside_area`.
    """
    reason = checked_reason(reason, told=NO_REASON)
    lot = _lock(lot, Lot.objects.watched_by(actor))
    if lot.recalled_at:
        raise Refused("lot_recalled", "该批次已经召回，不必冻结")
    if lot.frozen_at:
        raise Refused("lot_frozen", "该批次已经冻结")
    lot.frozen_at, lot.freeze_reason = timezone.now(), reason
    lot.save(update_fields=["frozen_at", "freeze_reason"])
    title, body = "一个批次已冻结，解除前不能销售", f"冻结原因：{reason}"
    tell_owners([lot.operator_id], title=title, body=body, url=lot.get_absolute_url(), actor=actor)
    return _changed(lot, TraceEvent.Step.FROZEN, "lot.frozen", reason, actor)


@transaction.atomic
def unfreeze_lot(*, lot: Lot, reason: str, actor: User) -> Lot:
    """Let a frozen lot go (解除冻结). Refuses `not_frozen`, `reason_missing`, `outside_area`."""
    reason = checked_reason(reason, told=NO_REASON)
    lot = _lock(lot, Lot.objects.watched_by(actor))
    if not lot.frozen_at:
        raise Refused("not_frozen", "该批次没有冻结")
    lot.frozen_at, lot.freeze_reason = None, ""
    lot.save(update_fields=["frozen_at", "freeze_reason"])
    return _changed(lot, TraceEvent.Step.UNFROZEN, "lot.unfrozen", reason, actor)


def tell_owners(operators: Sequence[int], *, title: str, body: str, url: str, actor: User) -> None:
    """Tell the people of operators; one that is named several times has its people read that number."""
    named = Counter(operators)
    members = OperatorMember.objects.open().filter(operator__in=named).values_list("user_id", "operator_id")
    counts: Counter[int] = Counter()
    for user, operator in members:
        counts[user] += named[operator]
    notify(users=counts, kind=Notice.Kind.DECISION, title=title, body=body, url=url, actor=actor)


def _changed(lot: Lot, step: TraceEvent.Step, action: str, reason: str, actor: User) -> Lot:
    note(lot, step, reason=reason)
    record(action, actor=actor, target=lot, region_code=lot.region_id, reason=reason)
    subject_changed(lot.uid)
    return lot


def _lock(lot: Lot, within_reach: LotQuerySet) -> Lot:
    if not within_reach.filter(pk=lot.pk).exists():
        raise Refused("outside_area", "该批次不在您的管辖范围内")
    return Lot.objects.select_for_update(of=("self",)).select_related("operator", "base").get(pk=lot.pk)


def _lock_reached(lot: Lot) -> list[Lot]:
    """The lot and all that it went into, not recalled yet, under their row locks.

    A lot reached may be divided further while its lock is awaited, so look again until nothing new turns up.
    """
    reached = {lot.pk: lot}
    seen = {lot.pk}
    while new := queries.descendants(lot) - seen:
        seen |= new
        locked = (
            Lot.objects.select_for_update(of=("self",))
            .select_related("operator", "base")
            .filter(pk__in=new)
            .order_by("pk")
        )
        reached |= {each.pk: each for each in locked if not each.recalled_at}
    return list(reached.values())
