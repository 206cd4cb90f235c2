"""Judging doubts (判定疑点): a part of reviewing the record; and taking one away that says nothing."""

from collections.abc import Collection, Iterable

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.origins.doubts.marks import mark
from nongma.origins.models import Doubt, DoubtQuerySet, Origin, ReviewJob
from nongma.regions.spans import WIDTHS

State = Doubt.State
Verdict = ReviewJob.Verdict


def judge(*, origin: Origin, right: Collection[str], actor: User) -> set[str]:
    """Settle the doubts of a record that was just decided, in the decision's transaction; the kinds that were right.

    Of a record that goes back those in `right` are 属实 and the others stay open, since the record will change; with an
    approval all that were open are 没有问题. Kinds that are not open are passed over.
    """
    waiting = Doubt.objects.open().filter(origin=origin)
    if origin.state == Origin.State.APPROVED:
        _settle(waiting, State.WRONG, [origin.region_id], actor)
        return set()
    named = waiting.filter(kind__in=right)
    kinds = set(named.values_list("kind", flat=True))
    _settle(named, State.RIGHT, [origin.region_id], actor)
    return kinds


def judge_all(
    ids: Collection[int], verdict: Verdict, *, regions: Iterable[int], actor: User, kind: str | None = None
) -> None:
    """Settle the doubts of many records that were just decided together, in the decision's transaction.

    An approval says 没有问题 to all that were open. A return says 属实 where the records were picked by one kind of
    doubt (`kind`), and nothing where they were not.
    """
    waiting = Doubt.objects.open().filter(origin__in=ids)
    if verdict is Verdict.APPROVE:
        _settle(waiting, State.WRONG, regions, actor)
    elif kind:
        _settle(waiting.filter(kind=kind), State.RIGHT, regions, actor)


@transaction.atomic
def withdraw(*, doubt: Doubt, reason: str, actor: User) -> Doubt:
    """Take a doubt away that says nothing (撤下), as when a border is drawn wrong; it counts neither right nor wrong.

    Refuses `not_reviewer`, `outside_area`, `doubt_closed`, `reason_missing`, `text_too_long`.
    """
    if not may(actor, Action.REVIEW_ORIGINS):
        raise Refused("not_reviewer", "您的角色不能判定疑点")
    reason = checked_reason(reason, told="请写明为什么撤下，以后的人才看得懂")
    held = Doubt.objects.select_for_update(of=("self",)).select_related("origin").get(pk=doubt.pk)
    if held.region_id not in scope_of(actor, Action.REVIEW_ORIGINS):
        raise Refused("outside_area", "这条记录不在您的管辖范围内")
    if held.state != State.OPEN:
        raise Refused("doubt_closed", f"这个疑点已经了结：{held.get_state_display()}")
    held.state, held.closed_for = State.WITHDRAWN, reason
    held.closed_by, held.closed_at = actor, timezone.now()
    held.save(update_fields=["state", "closed_for", "closed_by", "closed_at"])
    record(
        "origin.doubt_withdrawn",
        actor=actor,
        target=held.origin,
        region_code=held.region_id,
        doubt=held.get_kind_display(),
        reason=reason,
    )
    mark(counties=[_county(held.region_id)])
    return held


def _settle(doubts: DoubtQuerySet, state: Doubt.State, regions: Iterable[int], actor: User) -> None:
    if doubts.update(state=state, closed_by=actor, closed_at=timezone.now()):
        mark(counties={_county(region) for region in regions})


def _county(region: int) -> int:
    return region - region % WIDTHS[3]
