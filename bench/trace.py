"""Tracing a lot through twenty levels, back and forward, with millions of lots on file.

NONGMA_BENCH_LOTS says how many (10,000,000). They stand in groups of 42: twenty-one levels of two lots, each lot made
of both lots of the level before. So a trace goes twenty levels deep and meets every lot by two ways. The figure is the
slowest of twenty.
"""

import os
import random
import time
from collections.abc import Callable
from typing import Any

from bench.figures import figure, percentile
from bench.lots import fill_lots, without_key_checks

LOTS = int(os.environ.get("NONGMA_BENCH_LOTS", "10000000"))
LEVELS = 20
TRACES = 200

LINKS = """
INSERT INTO tracing_lotlink (parent_id, child_id, quantity)
SELECT parent.id, child.id, 1
FROM tracing_lot child
CROSS JOIN generate_series(1, 2) place
JOIN tracing_lot parent ON parent.serial = child.serial - (child.serial - %(first)s) %% 2 - place
WHERE child.serial >= %(first)s AND child.serial < %(stop)s AND (child.serial - %(first)s) %% %(group)s >= 2
  AND parent.id < child.id
ON CONFLICT DO NOTHING
"""


def measure() -> list[dict[str, Any]]:
    """Milliseconds of a whole trace (links, lots, who may see them), p95."""
    import django

    django.setup()
    from django.db import connection

    from nongma.accounts.models import User
    from nongma.tracing.models import Lot, LotLink
    from nongma.tracing.queries import Direction, trace

    first = fill_lots(LOTS)
    group = 2 * (LEVELS + 1)
    if not LotLink.objects.exists():
        with connection.cursor() as cursor, without_key_checks(cursor):
            cursor.execute(LINKS, {"first": first, "stop": first + LOTS, "group": group})
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) tracing_lotlink")
    user = User.objects.get(username="bench")
    chance = random.Random(11)
    starts = [first + chance.randrange(LOTS // group) * group for _ in range(TRACES)]
    youngest = list(Lot.objects.filter(serial__in=[start + group - 1 for start in starts]))
    oldest = list(Lot.objects.filter(serial__in=starts))

    def timed(lots: list[Lot], work: Callable[[Lot], object]) -> float:
        times = []
        for lot in lots:
            started = time.perf_counter()
            work(lot)
            times.append(1000 * (time.perf_counter() - started))
        return percentile(times, 95)

    for lot in youngest[:5]:
        depths = [node.depth for node in trace(lot, Direction.BACK, user).nodes]
        if min(depths) != -LEVELS or len(depths) != group - 1:
            raise RuntimeError(f"not {LEVELS} levels: {min(depths)}, {len(depths)} lots")
    back = timed(youngest, lambda lot: trace(lot, Direction.BACK, user))
    forward = timed(oldest, lambda lot: trace(lot, Direction.FORWARD, user))
    bare = timed(youngest, lambda lot: list(Lot.objects.filter(pk__in=range(lot.pk - group + 2, lot.pk + 1))))
    limit = f"{group - 1} lots by key"
    return [
        figure(f"trace back, {LEVELS} levels, {LOTS:,} lots, p95", back, "ms", limit, bare),
        figure(f"trace forward, {LEVELS} levels, {LOTS:,} lots, p95", forward, "ms", limit, bare),
    ]
