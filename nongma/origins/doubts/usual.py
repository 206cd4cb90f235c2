"""What the records of a county, or its city, usually say of a product (常见值): counted when asked, kept for a day."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from nongma.lib.copying import array
from nongma.origins.doubts.batch import Row
from nongma.origins.doubts.limits import SCALE_RECORDS
from nongma.origins.models import Usual
from nongma.regions.spans import above, span_of

KEPT = timedelta(days=1)
KEPT_WHILE_FEW = timedelta(minutes=10)
"""While there are too few records to speak of, more may come by the minute."""
MOST = 50_000
"""So many records of a division, in the order of its index, are enough to know the middle."""

Key = tuple[int, int, str]

_MONTHS = ", ".join(f"count(*) FILTER (WHERE t.month = {month})" for month in range(1, 13))
COUNT = f"""
    WITH taken AS MATERIALIZED (
        SELECT asked.start, o.product_id AS product, o.unit, ln(o.scale)::float8 AS size,
            extract(month FROM o.on_sale_on)::int AS month
        FROM unnest(%(starts)s::bigint[], %(stops)s::bigint[]) AS asked(start, stop)
        CROSS JOIN LATERAL (
            SELECT product_id, unit, scale, on_sale_on FROM origins_origin
            WHERE region_id BETWEEN asked.start AND asked.stop AND state <> 'superseded'
            LIMIT %(most)s
        ) AS o
    ), middle AS (
        SELECT start, product, unit, count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY size) AS middle
        FROM taken GROUP BY 1, 2, 3
    )
    INSERT INTO origins_usual (region_code, product_id, unit, records, middle, spread, months, counted_at)
    SELECT t.start, t.product, t.unit, m.n, m.middle,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(t.size - m.middle)), ARRAY[{_MONTHS}]::int[], %(now)s
    FROM taken AS t JOIN middle AS m USING (start, product, unit)
    GROUP BY t.start, t.product, t.unit, m.n, m.middle
"""  # noqa: S608 (numbers of months)

KEPT_OF = """
    SELECT u.id FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS asked(code, product, unit)
    JOIN origins_usual AS u ON u.region_code = asked.code AND u.product_id = asked.product AND u.unit = asked.unit
"""
COUNTED_AT = """
    SELECT asked.code, (SELECT u.counted_at FROM origins_usual AS u WHERE u.region_code = asked.code LIMIT 1)
    FROM unnest(%s::bigint[]) AS asked(code)
"""


def usual_of(rows: Iterable[Row]) -> dict[Key, Usual]:
    """By county, product and unit: the county's own where it has records enough, else the city's, else none."""
    wanted = {(row.county, row.product, row.unit) for row in rows}
    counties = _known(wanted)
    thin = {key for key in wanted if key not in counties or counties[key].records < SCALE_RECORDS}
    cities = _known({_in_city(key) for key in thin})
    found = {key: cities[_in_city(key)] for key in thin if _in_city(key) in cities} | {
        key: counties[key] for key in wanted - thin
    }
    return {key: one for key, one in found.items() if one.records >= SCALE_RECORDS}


def _in_city(key: Key) -> Key:
    return above(key[0], 2), *key[1:]


def _known(wanted: Collection[Key]) -> dict[Key, Usual]:
    """What is kept of the divisions; those that were never counted, or too long ago, are counted first."""
    codes = {code for code, _, _ in wanted}
    kept, counted = _kept(wanted), _counted(codes)
    now = timezone.now()
    stale = {code for code in codes if code not in counted or counted[code] < now - KEPT}
    stale |= {
        key[0]
        for key in wanted
        if (key not in kept or kept[key].records < SCALE_RECORDS) and counted.get(key[0], now) < now - KEPT_WHILE_FEW
    }
    if not stale:
        return kept
    Usual.objects.filter(region_code__in=stale).delete()
    starts = sorted(stale)
    stops = [span_of(code).stop for code in starts]
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"starts": starts, "stops": stops, "most": MOST, "now": now})
    return _kept(wanted)


def _kept(wanted: Collection[Key]) -> dict[Key, Usual]:
    """What is kept of exactly these, by their unique index."""
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(KEPT_OF, [array(part) for part in zip(*wanted, strict=True)])
        numbers = [number for (number,) in cursor.fetchall()]
    return {(one.region_code, one.product_id, one.unit): one for one in Usual.objects.filter(pk__in=numbers)}


def _counted(codes: Collection[int]) -> dict[int, datetime]:
    """When each division was counted: all that is kept of one is of one count."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED_AT, [array(codes)])
        return {code: at for code, at in cursor.fetchall() if at is not None}
