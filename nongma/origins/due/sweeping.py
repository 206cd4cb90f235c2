"""Reckoning the dues of a whole division anew (采集日历重算): after new rules or terms, and at the beginning."""

from datetime import date, timedelta

from django.db import connection, transaction
from django.utils import timezone

from nongma.origins.due.calendar import CHUNK, bring_up_to_date
from nongma.origins.models import DueSweep
from nongma.regions.spans import span_of
from nongma.registry.models import ScaleRule

BATCH = CHUNK

_NEXT = """
    SELECT region_id, id FROM origins_origin
    WHERE region_id BETWEEN %(first)s AND %(stop)s AND (region_id, id) > (%(region)s, %(origin)s)
        AND state <> 'superseded'
    ORDER BY region_id, id LIMIT %(limit)s
"""


def sweep(place: int) -> None:
    """Have the worker reckon the dues of a division anew, from its beginning if it is at it already."""
    DueSweep.objects.update_or_create(place=place, defaults={"last_region": -1, "last_origin": 0})


def run_sweeps() -> int:
    """Work through what is asked for; how many records were looked at. Goes on where a crash left it."""
    total = 0
    while looked := _step():
        total += looked
    return total


@transaction.atomic
def _step() -> int:
    """One batch of the first sweep; 0 when there is none, or when somebody else is at it."""
    asked = DueSweep.objects.select_for_update(skip_locked=True).first()
    if asked is None:
        return 0
    span = span_of(asked.place)
    with connection.cursor() as cursor:
        cursor.execute(
            _NEXT,
            {
                "first": max(span.start, asked.last_region),
                "stop": span.stop,
                "region": asked.last_region,
                "origin": asked.last_origin,
                "limit": BATCH,
            },
        )
        found = cursor.fetchall()
    bring_up_to_date([number for _, number in found], with_others=False)
    if len(found) < BATCH:
        asked.delete()
        return len(found) or 1
    asked.last_region, asked.last_origin = found[-1]
    asked.save(update_fields=["last_region", "last_origin", "asked_at"])
    return len(found)


def sweep_for_rules(on: date | None = None) -> int:
    """Ask for a sweep where a rule of scale of a product began or ended yesterday or today; how many divisions."""
    today = on or timezone.localdate()
    yesterday = today - timedelta(days=1)
    rules = ScaleRule.objects.filter(basis=ScaleRule.Basis.PRODUCT)
    begun = rules.filter(valid_from__range=(yesterday, today)).values_list("region_id", flat=True)
    ended = rules.filter(valid_to__range=(yesterday - timedelta(days=1), yesterday)).values_list("region_id", flat=True)
    places = {*begun, *ended}
    for place in sorted(places):
        sweep(place)
    return len(places)
