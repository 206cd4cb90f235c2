"""Who collected in time (及时率, 绩效考核): reckoned from the dates of dues, nothing is counted up day by day.

A due comes round each month, or each year, until it is met. Of each round (a livestock row left alone for three months
has had three):

* 按时 in time: met on or before the round's deadline;
* 逾期 late: met after it, before the next round opened (crops: months have no day between their rounds);
* 漏采 missed: the next round opened, or the due ended, after the deadline and with nothing recorded; also where the
  deadline has passed and the due stands open.

A round belongs to the month of its deadline, and to who was to collect it.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils import timezone

from nongma.origins.due.calendar import HALF_A_YEAR
from nongma.origins.models import Due, DueQuerySet

_ROUNDS = """
    SELECT {key} AS key,
        count(*) FILTER (WHERE r.is_met AND d.until_on <= r.deadline) AS on_time,
        count(*) FILTER (WHERE r.is_met AND d.until_on > r.deadline) AS late,
        count(*) FILTER (WHERE NOT r.is_met) AS missed
    FROM (
        SELECT each.*, coalesce(met_on, %(today)s::date) AS until_on, outcome IN ('collected', 'unchanged') AS is_over,
            CASE rhythm WHEN 'monthly' THEN interval '1 month' ELSE interval '1 year' END AS period
        FROM ({dues}) AS each
    ) AS d
    CROSS JOIN LATERAL generate_series(0, greatest(0, CASE rhythm WHEN 'monthly' THEN 12 ELSE 1 END
        * (extract(year FROM until_on)::int - extract(year FROM due_on)::int)
        + CASE rhythm WHEN 'monthly' THEN extract(month FROM until_on)::int - extract(month FROM due_on)::int
            ELSE 0 END)) AS earlier(k)
    CROSS JOIN LATERAL (
        SELECT
            CASE rhythm WHEN 'monthly' THEN (date_trunc('month', due_on) + (k + 1) * period)::date - 1
                ELSE (due_on + k * period)::date END AS deadline,
            is_over AND until_on < (opens_on + (k + 1) * period)::date AS is_met,
            k = 0 OR (opens_on + k * period)::date <= until_on AS has_begun
    ) AS r
    WHERE r.has_begun AND (r.is_met OR r.deadline < d.until_on OR d.is_over)
        AND r.deadline BETWEEN %(first)s AND %(last)s
    GROUP BY 1
"""
KEYS = {"collector": "d.collector_id", "town": "d.region_id - d.region_id %% 1000"}


@dataclass(frozen=True)
class Tally:
    """Rounds of one collector or township, by what came of them."""

    key: int
    on_time: int
    late: int
    missed: int

    @property
    def total(self) -> int:
        return self.on_time + self.late + self.missed

    @property
    def rate(self) -> float:
        """The part that was in time, in percent."""
        return 100 * self.on_time / self.total if self.total else 0.0


def tallies(dues: DueQuerySet, *, by: str, first: date, last: date, today: date | None = None) -> list[Tally]:
    """Rounds whose deadline is in these days, by `collector` or `town`, who did worst first."""
    on = today or timezone.localdate()
    columns = ("collector_id", "region_id", "rhythm", "outcome", "opens_on", "due_on", "met_on")
    open_ones = dues.filter(outcome=Due.Outcome.OPEN, due_on__lt=on, due_on__lte=last)
    # A crop may be met before its window opens; what was planted earlier by more than this is another 茬.
    closed = dues.exclude(outcome=Due.Outcome.OPEN).filter(
        met_on__gte=date.fromordinal(first.toordinal() - HALF_A_YEAR), due_on__lte=last
    )
    found = []
    for part in (open_ones, closed):
        sql, params = part.order_by().values_list(*columns).query.sql_with_params()
        found.append((sql, params))
    with connection.cursor() as cursor:
        inner = " UNION ALL ".join(f"({cursor.mogrify(sql, params)})" for sql, params in found).replace("%", "%%")
        cursor.execute(
            _ROUNDS.format(key=KEYS[by], dues=inner),
            {"today": on, "first": first, "last": last},
        )
        rows = [Tally(*row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda one: (one.rate, -one.total, one.key))
