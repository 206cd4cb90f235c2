"""Drawing some of many records, looking at each, then deciding on the rest (抽查后批量审核)."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import CharField, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils import timezone

from nongma.accounts.access import Action, may
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.refused import Misfilled, Refused
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Origin, ReviewJob, ReviewSample, SampledOrigin
from nongma.origins.reviewing.estimate import share_at_most
from nongma.origins.services.review import Verdict, return_origin, start_review_job, waiting_for

FEWEST, MOST, USUAL = 5, 200, 20
SIZES = (10, 20, 30, 50, 100)
Finding = SampledOrigin.Finding
Status = ReviewSample.Status


@dataclass(frozen=True)
class Standing:
    """How far a draw is looked at, and what it says of the whole."""

    drawn: int
    right: int
    wrong: int
    gone: int

    @property
    def left(self) -> int:
        return self.drawn - self.right - self.wrong - self.gone

    @property
    def looked(self) -> int:
        """The records that were judged; what somebody else decided meanwhile says nothing."""
        return self.right + self.wrong

    @property
    def percent_at_most(self) -> int:
        """The share of wrong records in the whole is no larger, in percent, at 95 % confidence; rounded up."""
        return ceil(share_at_most(self.wrong, self.looked) * 100)


@transaction.atomic
def draw_sample(*, filters: OriginFilter, until: datetime, size: int, actor: User) -> ReviewSample:
    """Draw `size` of the records that a filter finds waiting and that stood so at `until`; all, where they are fewer.

    Each has the same chance: the order is that of a hash with a seed drawn now. Refuses `not_reviewer`,
    `size_invalid` and `nothing_waiting`.
    """
    _check_reviewer(actor)
    if not FEWEST <= size <= MOST:
        raise Misfilled("size_invalid", f"抽查条数请填 {FEWEST} 到 {MOST}", field="size")
    waiting = waiting_for(actor, filters.visible_to(actor)).filter(updated_at__lte=until)
    total = waiting.count()
    if not total:
        raise Refused("nothing_waiting", "筛选出的记录里没有待审核的")
    sample = ReviewSample.objects.create(
        user=actor,
        filters=filters.parameters(),
        description=filters.describe()[:300],
        until=until,
        seed=secrets.token_hex(16),
        total=total,
    )
    SampledOrigin.objects.bulk_create(
        SampledOrigin(sample=sample, origin_id=key, place=place)
        for place, key in enumerate(_drawn(waiting.values_list("pk", flat=True), sample.seed, size), start=1)
    )
    record(
        "origin.sample_drawn",
        actor=actor,
        target=sample,
        region_code=filters.region.code if filters.region else actor.place,
        filter=sample.description,
        total=total,
        drawn=min(size, total),
    )
    return sample


@transaction.atomic
def note_right(*, drawn: SampledOrigin, actor: User) -> SampledOrigin:
    """Note that a drawn record is in order; it goes on waiting for the decision on the whole.

    Refuses `not_reviewer`, `sample_over` and `looked_already`.
    """
    held = _held(drawn, actor)
    return _found(held, Finding.RIGHT if held.origin.state == Origin.State.SUBMITTED else Finding.GONE)


@transaction.atomic
def note_wrong(*, drawn: SampledOrigin, reason: str, actor: User) -> SampledOrigin:
    """Return a drawn record to its collector, with the reason. Refuses as `note_right` and `return_origin`.

    What somebody else decided meanwhile is noted as such.
    """
    held = _held(drawn, actor)
    try:
        with transaction.atomic():
            return_origin(origin=held.origin, reason=reason, actor=actor)
    except Refused as refusal:
        if refusal.code not in {"already_decided", "not_submitted"}:
            raise
        return _found(held, Finding.GONE)
    return _found(held, Finding.WRONG)


@transaction.atomic
def decide_rest(*, sample: ReviewSample, verdict: Verdict, reason: str = "", actor: User) -> ReviewJob:
    """Approve or return everything else that the draw was from, by the worker; on record with what was found.

    Refuses `not_reviewer`, `sample_over`, `sample_unfinished` (approving, while drawn records are not looked at), and
    what `start_review_job` does.
    """
    held = _open(sample, actor)
    standing = standing_of(held)
    if verdict is Verdict.APPROVE and standing.left:
        raise Refused("sample_unfinished", f"还有 {standing.left} 条抽中的记录没有看，看完才能全部通过")
    try:
        filters = OriginFilter.read(held.filters, actor)
    except ValidationError as error:
        raise Refused("filter_invalid", "筛选条件已经失效，请重新筛选") from error
    job = start_review_job(
        filters=held.filters,
        description=held.description,
        origins=filters.visible_to(actor),
        until=held.until,
        verdict=verdict,
        reason=reason,
        actor=actor,
    )
    held.verdict, held.job_uid = verdict, job.uid
    held.status, held.finished_at = Status.DECIDED, timezone.now()
    held.save(update_fields=["verdict", "job_uid", "status", "finished_at"])
    record(
        "origin.sample_decided",
        actor=actor,
        target=held,
        region_code=filters.region.code if filters.region else actor.place,
        verdict=verdict.label,
        filter=held.description,
        drawn=standing.drawn,
        wrong=standing.wrong,
    )
    return job


@transaction.atomic
def drop_sample(*, sample: ReviewSample, actor: User) -> ReviewSample:
    """Leave the rest undecided; what was returned stays returned. Refuses `not_reviewer`, `sample_over`."""
    held = _open(sample, actor)
    held.status, held.finished_at = Status.DROPPED, timezone.now()
    held.save(update_fields=["status", "finished_at"])
    return held


def standing_of(sample: ReviewSample) -> Standing:
    """How far a draw is looked at."""
    found = list(sample.drawn.values_list("finding", flat=True))
    return Standing(len(found), found.count(Finding.RIGHT), found.count(Finding.WRONG), found.count(Finding.GONE))


def next_drawn(sample: ReviewSample) -> SampledOrigin | None:
    """The record to look at next."""
    return sample.drawn.filter(finding="").select_related("origin").first()


def _drawn(waiting: "models.QuerySet[Origin, int]", seed: str, size: int) -> list[int]:
    """The keys that come first in the order of the seed."""
    chance = MD5(Concat(Value(seed), Cast("uid", CharField())))
    return list(waiting.order_by(chance)[:size])


def _found(held: SampledOrigin, finding: SampledOrigin.Finding) -> SampledOrigin:
    held.finding, held.looked_at = finding, timezone.now()
    held.save(update_fields=["finding", "looked_at"])
    return held


def _held(drawn: SampledOrigin, actor: User) -> SampledOrigin:
    """The drawn record under its lock, in a draw that is not over and is the actor's own."""
    _open(drawn.sample, actor)
    held = SampledOrigin.objects.select_for_update(of=("self",)).select_related("origin").get(pk=drawn.pk)
    if held.finding:
        raise Refused("looked_already", f"这一条已经看过：{held.get_finding_display()}")
    return held


def _open(sample: ReviewSample, actor: User) -> ReviewSample:
    _check_reviewer(actor)
    held = ReviewSample.objects.select_for_update(of=("self",)).get(pk=sample.pk)
    if held.status != Status.LOOKING:
        raise Refused("sample_over", f"这次抽查{held.get_status_display()}")
    return held


def _check_reviewer(actor: User) -> None:
    if not may(actor, Action.REVIEW_ORIGINS):
        raise Refused("not_reviewer", "您的角色不能审核产地信息")
