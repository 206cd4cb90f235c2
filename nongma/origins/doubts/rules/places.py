"""In which township and county a point lies (点位像在别的乡镇、在县界外)."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from django.db import connection

from nongma.lib.copying import array
from nongma.lib.distances import METRES_PER_DEGREE, Degrees, metres_between, told_metres
from nongma.lib.quadkeys import ZOOM, cells_beside, position, positions
from nongma.origins.doubts.batch import TOWN_WIDTH, Batch, Found, Kind, Row
from nongma.origins.doubts.limits import (
    COUNTY_METRES,
    TOWN_LEVEL,
    TOWN_NEAR_METRES,
    TOWN_NEAR_POINTS,
    TOWN_OWN_METRES,
    TOWN_SAME_SPOT_METRES,
    TOWN_TIMES,
)
from nongma.regions.boundaries import outside_counties
from nongma.regions.models import Region
from nongma.regions.spans import level_of

SHIFT = 2 * (ZOOM - TOWN_LEVEL)
MOST_OWN, MOST_NEAR, MOST_OF_TOWN = 40, 400, 5_000

# From the map's index alone; the first points of the own township in a cell end the search in it.
OWN = """
    SELECT asked.cell, asked.town, near.quadkey
    FROM unnest(%(cells)s::bigint[], %(towns)s::bigint[]) AS asked(cell, town)
    CROSS JOIN LATERAL (
        SELECT o.quadkey FROM origins_origin AS o
        WHERE o.quadkey >= asked.cell << %(bits)s AND o.quadkey < (asked.cell + 1) << %(bits)s
            AND o.region_id BETWEEN asked.town AND asked.town + 999 AND o.state <> 'superseded'
        LIMIT %(most)s
    ) AS near
"""
NEAR = """
    SELECT asked.cell, near.id, near.quadkey, near.region_id
    FROM unnest(%(cells)s::bigint[]) AS asked(cell)
    CROSS JOIN LATERAL (
        SELECT o.id, o.quadkey, o.region_id FROM origins_origin AS o
        WHERE o.quadkey >= asked.cell << %(bits)s AND o.quadkey < (asked.cell + 1) << %(bits)s
            AND o.state <> 'superseded'
        LIMIT %(most)s
    ) AS near
"""
OF_TOWN = """
    SELECT asked.town, own.quadkey
    FROM unnest(%(towns)s::bigint[]) AS asked(town)
    CROSS JOIN LATERAL (
        SELECT o.quadkey FROM origins_origin AS o
        WHERE o.region_id BETWEEN asked.town AND asked.town + 999 AND o.state <> 'superseded' AND o.quadkey IS NOT NULL
        LIMIT %(most)s
    ) AS own
"""


def outside_county(batch: Batch) -> Iterator[Found]:
    """Points a little outside the border of the county that was written (the far ones were refused)."""
    if not batch.located:
        return
    metres = outside_counties([row.region for row in batch.located], batch.longitudes, batch.latitudes)
    for row, far in zip(batch.located, metres.tolist(), strict=True):
        if far > COUNTY_METRES:
            told = told_metres(far)
            text = f"点位在所填县（市、区）的界线外 {told}；界线按县级行政区边界图，边界附近会差几百米"
            yield Found(row.id, Kind.COUNTY, text, row.spot)


def other_town(batch: Batch) -> Iterator[Found]:
    """Points among those of another township, far from all of their own. Rests on points on record: there is no
    public map of township borders, and the divisions have no centres below the county.
    """
    rows = [row for row in batch.located if level_of(row.region) >= Region.Level.TOWN]
    if not rows:
        return
    beside = cells_beside([row.quadkey or 0 for row in rows], TOWN_LEVEL).tolist()
    cells = {row.id: four for row, four in zip(rows, beside, strict=True)}
    lonely = _lonely(rows, cells)
    if not lonely:
        return
    near = _near(lonely, cells)
    suspects = {row.id: best for row in lonely if (best := _neighbour(row, near))}
    towns = {row.town for row in lonely if row.id in suspects}
    if not towns:
        return
    own = _of_towns(towns)
    names = dict(Region.objects.filter(pk__in={town for town, _, _ in suspects.values()}).values_list("code", "name"))
    for row in lonely:
        if row.id not in suspects:
            continue
        town, metres, other = suspects[row.id]
        away = _nearest(row.point, own.get(row.town))
        if away is None or away < max(TOWN_OWN_METRES, TOWN_TIMES * metres):
            continue
        text = (
            f"点位离所填乡镇最近的点 {told_metres(away)}，比离{names.get(town, '邻近乡镇')}的点"
            f"（{told_metres(metres)}）远得多；没有乡镇界线数据，按已采集的点位判断"
        )
        yield Found(row.id, Kind.TOWN, text, f"{town}:{row.spot}", other)


def _lonely(rows: list[Row], cells: dict[int, list[int]]) -> list[Row]:
    """Those with no other point of their own township near."""
    pairs = sorted({(cell, row.town) for row in rows for cell in cells[row.id]})
    points: dict[tuple[int, int], list[Degrees]] = defaultdict(list)
    with connection.cursor() as cursor:
        asked = {"cells": array(cell for cell, _ in pairs), "towns": array(town for _, town in pairs)}
        cursor.execute(OWN, {**asked, "bits": SHIFT, "most": MOST_OWN})
        for cell, town, key in cursor.fetchall():
            points[cell, town].append(position(key))
    return [
        row
        for row in rows
        if not any(
            metres_between(row.point, point) > TOWN_SAME_SPOT_METRES
            for cell in cells[row.id]
            for point in points[cell, row.town]
        )
    ]


def _near(rows: list[Row], cells: dict[int, list[int]]) -> dict[int, list[tuple[int, int, Degrees]]]:
    """The points around each record: (id, township, position)."""
    asked = sorted({cell for row in rows for cell in cells[row.id]})
    by_cell: dict[int, list[tuple[int, int, Degrees]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(NEAR, {"cells": array(asked), "bits": SHIFT, "most": MOST_NEAR})
        for cell, number, key, region in cursor.fetchall():
            by_cell[cell].append((number, region - region % TOWN_WIDTH, position(key)))
    return {row.id: [point for cell in cells[row.id] for point in by_cell[cell]] for row in rows}


def _neighbour(row: Row, near: dict[int, list[tuple[int, int, Degrees]]]) -> tuple[int, float, int] | None:
    """The other township with points enough around: its code, how far the nearest is, and which record that is."""
    found: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for number, town, point in near[row.id]:
        if town != row.town and town % (TOWN_WIDTH * 1000):
            metres = metres_between(row.point, point)
            if metres <= TOWN_NEAR_METRES:
                found[town].append((metres, number))
    enough = [(min(points), town) for town, points in found.items() if len(points) >= TOWN_NEAR_POINTS]
    if not enough:
        return None
    (metres, number), town = min(enough)
    return town, metres, number


def _of_towns(towns: set[int]) -> dict[int, list[int]]:
    keys: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(OF_TOWN, {"towns": array(sorted(towns)), "most": MOST_OF_TOWN})
        for town, key in cursor.fetchall():
            keys[town].append(key)
    return keys


def _nearest(point: Degrees, keys: list[int] | None) -> float | None:
    """Metres to the nearest of other spots; None where there is none."""
    if not keys:
        return None
    longitudes, latitudes = positions(keys)
    east = (longitudes - point[0]) * np.cos(np.radians(point[1]))
    metres = np.hypot(east, latitudes - point[1]) * METRES_PER_DEGREE
    others = metres[metres > TOWN_SAME_SPOT_METRES]
    return float(others.min()) if len(others) else None
