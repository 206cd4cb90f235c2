"""Counting who reviewed and corrected in time (绩效考核), and reading it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.origins.models import AnswerCount, Origin
from nongma.regions.spans import WIDTHS, Span

UPSERT = """
    INSERT INTO origins_answercount (user_id, kind, month, county, on_time, late)
    SELECT each.user_id, %s, %s, each.county, each.on_time, each.late
    FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[]) AS each (user_id, county, on_time, late)
    ON CONFLICT (county, month, kind, user_id) DO UPDATE SET
        on_time = origins_answercount.on_time + excluded.on_time, late = origins_answercount.late + excluded.late
"""


@dataclass(frozen=True)
class Answered:
    """What one person answered, and what waits beyond its deadline."""

    name: str
    kind: str
    on_time: int
    late: int

    @property
    def total(self) -> int:
        return self.on_time + self.late

    @property
    def rate(self) -> float:
        """The part that was in time, in percent."""
        return 100 * self.on_time / self.total if self.total else 0.0


def count_answers(kind: str, answers: Iterable[tuple[int, int, date | None]]) -> None:
    """Count answers, each (who, division code, deadline), as of today; those without a deadline are in time.

    One statement; in the transaction of the answers, in one order, so that two wait for each other.
    """
    today = timezone.localdate()
    found: Counter[tuple[int, int, bool]] = Counter(
        (user, code - code % WIDTHS[3], due_on is not None and due_on < today) for user, code, due_on in answers
    )
    pairs = sorted({(county, user) for user, county, _ in found})
    if not pairs:
        return
    columns = (
        [user for _, user in pairs],
        [county for county, _ in pairs],
        [found[user, county, False] for county, user in pairs],
        [found[user, county, True] for county, user in pairs],
    )
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [kind, today.replace(day=1), *columns])


def answered(user: User, span: Span, first: date, last: date) -> list[Answered]:
    """Who reviewed and corrected how much in time, in a part of the person's area, in these months; worst first."""
    counts = AnswerCount.objects.filter(
        scope_of(user).query("county"),
        county__gte=span.start - span.start % WIDTHS[3],
        county__lte=span.stop,
        month__gte=first.replace(day=1),
        month__lte=last,
    )
    rows = counts.order_by().values_list("user__name", "kind").annotate(Sum("on_time"), Sum("late"))
    labels = dict(AnswerCount.Kind.choices)
    found = [Answered(name, str(labels[kind]), on_time, late) for name, kind, on_time, late in rows]
    return sorted(found, key=lambda one: (one.rate, -one.total, one.name))


def overdue(user: User, span: Span) -> dict[str, int]:
    """How many records of the area wait beyond their deadline: for the reviewer, and for the collector."""
    waiting = Origin.objects.visible_to(user).filter(
        due_on__lt=timezone.localdate(), region_id__gte=span.start, region_id__lte=span.stop
    )
    states = Origin.State
    counts: dict[str, int] = waiting.order_by().aggregate(
        review=Count("pk", filter=Q(state=states.SUBMITTED)), correct=Count("pk", filter=Q(state=states.RETURNED))
    )
    return counts
