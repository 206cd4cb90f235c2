"""Review of origins (审核): approve, or return with a reason. Source: 农质安（溯）函〔2023〕72号, 六(三).

    to_locate ──locate──▶ submitted ──approve──▶ approved
                              ▲  └────return───▶ returned ──correct──┐
                              └──────────────────────────────────────┘
    any of them ──a newer record of the same base, product and season──▶ superseded

A decision is taken once. The second of two reviewers is told who was first.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.accounts.wholes import run_whole
from nongma.audit.services import record, record_many
from nongma.codes.services import subjects_changed
from nongma.lib.refused import Misfilled, Refused
from nongma.origins.doubts.services import judge, judge_all
from nongma.origins.models import AnswerCount, Doubt, Origin, OriginQuerySet, ReviewJob
from nongma.origins.reviewing.answers import count_answers
from nongma.origins.reviewing.deadlines import deadline_of, deadlines
from nongma.origins.services.cells import mark_dirty
from nongma.origins.services.telling import tell_all_returned, tell_approved, tell_returned

AT_ONCE = 2_000
"""So many are decided while the reviewer waits; more become a `ReviewJob`."""
LONGEST_REASON = 200

Verdict = ReviewJob.Verdict
Answer = AnswerCount.Kind
STATES = {Verdict.APPROVE: Origin.State.APPROVED, Verdict.RETURN: Origin.State.RETURNED}
ACTIONS = {Verdict.APPROVE: "origin.approved", Verdict.RETURN: "origin.returned"}


class _Row(NamedTuple):
    pk: int
    uid: UUID
    region_code: int
    quadkey: int | None
    base: UUID
    operator: UUID
    collector: int
    due_on: date | None


@dataclass(frozen=True)
class Decided:
    """What came of a decision on several records."""

    decided: int
    passed_over: int
    """Not waiting for review any more: somebody else was first, or the record changed."""


def approve_origin(*, origin: Origin, actor: User) -> Origin:
    """Approve one record. Refuses `already_decided`, `not_submitted`, `outside_area`, `not_reviewer`."""
    return decide_origin(origin=origin, verdict=Verdict.APPROVE, actor=actor)


def return_origin(*, origin: Origin, reason: str, right: Collection[str] = (), actor: User) -> Origin:
    """Send one record back to its collector; the doubts of the kinds in `right` are 属实.

    Refuses as `approve_origin`, and `reason_missing`, `reason_too_long`.
    """
    return decide_origin(origin=origin, verdict=Verdict.RETURN, reason=reason, right=right, actor=actor)


@transaction.atomic
def decide_origin(
    *, origin: Origin, verdict: Verdict, reason: str = "", right: Collection[str] = (), actor: User
) -> Origin:
    """Approve or return one record, as `approve_origin` and `return_origin` say."""
    reason = _checked(verdict, reason, actor)
    held = Origin.objects.select_for_update().get(pk=origin.pk)
    if held.region_id not in scope_of(actor, Action.REVIEW_ORIGINS):
        raise Refused("outside_area", "这条记录不在您的管辖范围内")
    if held.state != Origin.State.SUBMITTED:
        raise _not_waiting(held)
    held.state = STATES[verdict]
    held.return_reason = reason
    held.reviewed_by, held.reviewed_at = actor, timezone.now()
    count_answers(Answer.REVIEW, [(actor.pk, held.region_id, held.due_on)])
    held.due_on = deadline_of(held)
    held.save(update_fields=["state", "return_reason", "reviewed_by", "reviewed_at", "due_on", "updated_at"])
    judged = judge(origin=held, right=right, actor=actor)
    record(ACTIONS[verdict], actor=actor, target=held, region_code=held.region_id, **_details(reason, judged))
    mark_dirty([(held.quadkey, held.region_id)])
    subjects_changed([held.base.uid, held.operator.uid])
    if verdict is Verdict.APPROVE:
        tell_approved(collectors=[held.collected_by_id], actor=actor)
    else:
        tell_returned(origin=held, actor=actor)
    return held


@transaction.atomic
def decide_origins(
    *, origins: OriginQuerySet, verdict: Verdict, reason: str = "", doubt: str | None = None, actor: User
) -> Decided:
    """Approve or return those of the records that wait for review, all in one go; the others are passed over.

    `origins` is what the actor may see and picked, `doubt` the kind of doubt that it was picked by, which a return
    confirms. Refuses `reason_missing`, `reason_too_long`, `not_reviewer`.
    """
    reason = _checked(verdict, reason, actor)
    asked = origins.count()
    rows = _decide(origins, verdict, reason, actor, doubt=doubt)
    return Decided(len(rows), asked - len(rows))


def waiting_for(actor: User, origins: OriginQuerySet) -> OriginQuerySet:
    """Those of the records that wait for review and that the actor may decide on."""
    return origins.filter(scope_of(actor, Action.REVIEW_ORIGINS).query("region_id"), state=Origin.State.SUBMITTED)


def _decide(
    origins: OriginQuerySet,
    verdict: Verdict,
    reason: str,
    actor: User,
    limit: int | None = None,
    about: str = "",
    doubt: str | None = None,
) -> list[_Row]:
    """Lock in one order, so that two reviewers wait instead of blocking each other; write, audit, mark the map."""
    locked = waiting_for(actor, origins).order_by("region_id", "id").select_for_update(of=("self",))[:limit]
    columns = ("pk", "uid", "region_id", "quadkey", "base__uid", "operator__uid", "collected_by_id", "due_on")
    rows = [_Row(*values) for values in locked.values_list(*columns)]
    now = timezone.now()
    due = deadlines([row.region_code for row in rows], STATES[verdict])
    for due_on in set(due.values()):
        Origin.objects.filter(pk__in=[row.pk for row in rows if due[row.region_code] == due_on]).update(
            state=STATES[verdict],
            return_reason=reason,
            reviewed_by=actor,
            reviewed_at=now,
            due_on=due_on,
            updated_at=now,
        )
    count_answers(Answer.REVIEW, [(actor.pk, row.region_code, row.due_on) for row in rows])
    judge_all([row.pk for row in rows], verdict, regions={row.region_code for row in rows}, actor=actor, kind=doubt)
    details = _details(reason)
    targets = (("origin", str(row.uid), row.region_code, details) for row in rows)
    record_many(ACTIONS[verdict], actor=actor, targets=targets)
    mark_dirty((row.quadkey, row.region_code) for row in rows)
    subjects_changed({uid for row in rows for uid in (row.base, row.operator)})
    collectors = [row.collector for row in rows]
    if verdict is Verdict.APPROVE:
        tell_approved(collectors=collectors, actor=actor)
    else:
        tell_all_returned(collectors=collectors, reason=reason, about=about, actor=actor)
    return rows


@transaction.atomic
def start_review_job(
    *,
    filters: dict[str, str],
    description: str,
    origins: OriginQuerySet,
    until: datetime,
    verdict: Verdict,
    reason: str = "",
    actor: User,
) -> ReviewJob:
    """Have the worker decide on all that a filter finds, as it was at `until`; progress stands in the job.

    Refuses `reason_missing`, `reason_too_long`, `not_reviewer`.
    """
    reason = _checked(verdict, reason, actor)
    job = ReviewJob.objects.create(
        user=actor,
        verdict=verdict,
        reason=reason,
        filters=filters,
        description=description[:300],
        until=until,
        total=waiting_for(actor, origins).filter(updated_at__lte=until).count(),
    )
    defer_review_job(job)
    return job


def defer_review_job(job: ReviewJob) -> None:
    """Hand the job to the worker, in the transaction that made it."""
    from nongma.origins.tasks import review_whole

    review_whole.defer(job_id=job.pk)


def run_review_job(job_id: int) -> None:
    """Decide chunk by chunk until nothing is left; safe to run again after a crash, and twice at once."""
    run_whole(ReviewJob.objects.all(), job_id, _decide_chunk)


def _decide_chunk(job: ReviewJob) -> bool:
    """Decide on some of what is left; whether there may be more."""
    from nongma.origins.filters import OriginFilter

    verdict = Verdict(job.verdict)
    _checked(verdict, job.reason, job.user)
    try:
        filters = OriginFilter.read(job.filters, job.user)
    except ValidationError as error:
        told = f"筛选条件已经失效：{'；'.join(error.messages)}。请重新筛选"
        raise Refused("filter_invalid", told) from error
    origins = filters.visible_to(job.user).filter(updated_at__lte=job.until)
    about = f"origins.returned:{job.pk}"
    rows = _decide(origins, verdict, job.reason, job.user, limit=AT_ONCE, about=about, doubt=filters.doubt_kind)
    job.decided += len(rows)
    return bool(rows)


def _checked(verdict: Verdict, reason: str, actor: User) -> str:
    """The reason as it will be kept: none with an approval."""
    if not may(actor, Action.REVIEW_ORIGINS):
        raise Refused("not_reviewer", "您的角色不能审核产地信息")
    if verdict is Verdict.APPROVE:
        return ""
    reason = " ".join(reason.split())
    if not reason:
        raise Misfilled("reason_missing", "请写明退回原因，采集员才知道改什么", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Misfilled("reason_too_long", f"退回原因不能超过 {LONGEST_REASON} 个字", field="reason")
    return reason


def _details(reason: str, right: Collection[str] = ()) -> dict[str, Any]:
    """What the log keeps: the reason, and the doubts that were found to be right."""
    details: dict[str, Any] = {"reason": reason} if reason else {}
    if right:
        details["doubts"] = "、".join(sorted(Doubt.Kind(kind).label for kind in right))
    return details


def _not_waiting(origin: Origin) -> Refused:
    if origin.state in STATES.values() and origin.reviewed_by and origin.reviewed_at:
        done = "审核通过" if origin.state == Origin.State.APPROVED else "退回"
        at = timezone.localtime(origin.reviewed_at)
        return Refused("already_decided", f"这条记录已由{origin.reviewed_by.name}于 {at:%Y-%m-%d %H:%M} {done}")
    if origin.state == Origin.State.SUPERSEDED:
        return Refused("already_decided", "这条记录已被更新的记录代替")
    return Refused("not_submitted", "这条记录还没有定位，不能审核")
