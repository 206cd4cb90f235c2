"""What people and other writers do with the calendar (采集日历): records saved, 无变化, 不再种养."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.origins.due.calendar import bring_up_to_date
from nongma.origins.models import Due, Origin

Outcome = Due.Outcome


def origins_saved(ids: Iterable[int]) -> None:
    """Keep the calendar true after origins were written, changed or superseded, in the writer's transaction.

    A decision on a record changes nothing: what counts is when it was collected, however late it was reviewed.
    """
    bring_up_to_date(list(ids))


@transaction.atomic
def confirm_unchanged(*, due: Due, actor: User) -> Due:
    """Note that what was recorded last is still so (无变化): livestock and fishery need no new record for a month.

    Answers the due that comes next, or the one that was met where nothing is due any more. Refuses `outside_area`,
    `not_collector`, `already_met`, `not_settled` (it waits for its point or its correction), `not_open_yet`,
    `crop_anew` (each 茬 is a record of its own).
    """
    held, origin = _held(due, actor)
    if origin.state in (Origin.State.RETURNED, Origin.State.TO_LOCATE):
        raise Refused("not_settled", f"这条记录{origin.get_state_display()}，请先办完，再记无变化")
    today = timezone.localdate()
    if held.rhythm != Due.Rhythm.MONTHLY:
        raise Refused("crop_anew", "种植产品每茬都要采集，请录入这一茬")
    if today < held.opens_on:
        raise Refused("not_open_yet", f"这个月已经采集过，{held.opens_on} 起再确认")
    _close(held, Outcome.UNCHANGED, actor)
    origin.confirmed_on = today
    origin.save(update_fields=["confirmed_on", "updated_at"])
    record("origin.confirmed", actor=actor, target=origin, region_code=origin.region_id)
    origins_saved([origin.pk])
    return Due.objects.filter(origin=origin, outcome=Outcome.OPEN).first() or held


@transaction.atomic
def end_collecting(*, due: Due, reason: str, actor: User) -> Due:
    """Note that nothing is grown or raised there any more (不再种养): no more is due, until undone or recorded anew.

    Refuses `outside_area`, `not_collector`, `already_met`, `reason_missing`, `text_too_long`.
    """
    told = checked_reason(reason, told="请写明为什么不再种养")
    held, origin = _held(due, actor)
    _close(held, Outcome.ENDED, actor, told)
    record("origin.collecting_ended", actor=actor, target=origin, region_code=origin.region_id, reason=told)
    return held


@transaction.atomic
def resume_collecting(*, due: Due, actor: User) -> Due:
    """Take back 不再种养: the due stands open again, with the dates that it had.

    Refuses `outside_area`, `not_collector`, `not_ended`, `superseded` (recorded anew meanwhile).
    """
    held, origin = _held(due, actor, Outcome.ENDED)
    held.outcome, held.reason, held.met_on, held.met_by = Outcome.OPEN, "", None, None
    held.save(update_fields=["outcome", "reason", "met_on", "met_by"])
    record("origin.collecting_resumed", actor=actor, target=origin, region_code=origin.region_id)
    origins_saved([origin.pk])
    return held


def _close(due: Due, outcome: Due.Outcome, actor: User, reason: str = "") -> None:
    due.outcome, due.reason, due.met_by, due.met_on = outcome, reason, actor, timezone.localdate()
    due.save(update_fields=["outcome", "reason", "met_by", "met_on"])


def _held(due: Due, actor: User, outcome: Due.Outcome = Outcome.OPEN) -> tuple[Due, Origin]:
    """The due and its origin under their locks, if the actor may collect there. The origin first, as its writers do."""
    if not may(actor, Action.COLLECT_ORIGINS):
        raise Refused("not_collector", "您的角色不能采集产地信息")
    origin = Origin.objects.select_for_update(of=("self",)).get(pk=due.origin_id)
    held = Due.objects.select_for_update(of=("self",)).get(pk=due.pk)
    if held.region_id not in scope_of(actor, Action.COLLECT_ORIGINS):
        raise Refused("outside_area", "这条记录不在您的管辖范围内")
    if held.outcome != outcome and outcome == Outcome.ENDED:
        raise Refused("not_ended", "这一条没有标为不再种养")
    if held.outcome != outcome or held.origin_id != origin.pk:
        raise Refused("already_met", f"这一条已经办过了：{held.get_outcome_display()}")
    if origin.state == Origin.State.SUPERSEDED:
        raise Refused("superseded", "这里已经有新的采集记录")
    return held, origin
