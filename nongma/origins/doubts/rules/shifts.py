"""Points of a phone map that were taken for WGS84 (像是火星坐标)."""

from collections.abc import Iterator

from django.db import connection

from nongma.lib.copying import array
from nongma.lib.distances import Degrees, metres_between, told_metres
from nongma.lib.gcj02 import to_wgs84
from nongma.origins.doubts.batch import Batch, Found, Kind
from nongma.origins.doubts.limits import COUNTY_METRES, SHIFT_METRES
from nongma.regions.boundaries import outside_counties

LEAST, MOST = 50.0, 1_000.0
"""Metres between which the shift lies everywhere in the country, and more."""
# The operator's own records, those whose place was taken among them, and the point of the base.
OWN = """
    SELECT asked.id, own.*
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS asked(id, operator, base)
    CROSS JOIN LATERAL (
        (SELECT o.id, o.longitude, o.latitude FROM origins_origin AS o
        WHERE o.operator_id = asked.operator AND o.id <> asked.id AND o.longitude IS NOT NULL LIMIT 50)
        UNION ALL
        SELECT NULL, b.longitude, b.latitude FROM registry_base AS b
        WHERE b.id = asked.base AND b.longitude IS NOT NULL
    ) AS own
"""


def phone_map_points(batch: Batch) -> Iterator[Found]:
    """Points that, shifted back, fall on the operator's own base or another point of it, or back into the county."""
    if not batch.located:
        return
    back: dict[int, Degrees] = {}
    rows = {row.id: row for row in batch.located}
    told: set[int] = set()
    columns = zip(*((row.id, row.operator, row.base) for row in batch.located), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(OWN, [array(part) for part in columns])
        own = cursor.fetchall()
    for number, other, x, y in own:
        row, there = rows[number], (float(x), float(y))
        away = metres_between(row.point, there)
        if number in told or not LEAST <= away <= MOST:
            continue
        if number not in back:
            back[number] = to_wgs84(*row.point)
        near = metres_between(back[number], there)
        if near <= SHIFT_METRES:
            told.add(number)
            what = "自己的另一个点位" if other else "自己的基地"
            text = (
                f"点位离{what} {told_metres(away)}，按火星坐标（GCJ-02）换算回来只差 {near:.0f} 米，"
                "像是从手机地图上抄的坐标"
            )
            yield Found(number, Kind.GCJ02, text, row.spot, other)
    outside = outside_counties([row.region for row in batch.located], batch.longitudes, batch.latitudes)
    far = [(row, metres) for row, metres in zip(batch.located, outside.tolist(), strict=True) if metres > COUNTY_METRES]
    far = [(row, metres) for row, metres in far if metres <= MOST and row.id not in told]
    if not far:
        return
    true = [to_wgs84(*row.point) for row, _ in far]
    inside = outside_counties([row.region for row, _ in far], [x for x, _ in true], [y for _, y in true])
    for (row, metres), rest in zip(far, inside.tolist(), strict=True):
        if rest == 0:
            text = f"点位在县界外 {told_metres(metres)}，按火星坐标（GCJ-02）换算回来就在界内，像是从手机地图上抄的坐标"
            yield Found(row.id, Kind.GCJ02, text, row.spot)
