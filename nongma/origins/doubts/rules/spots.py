"""Who else is on the spot (与别家点位重合、在别家基地里、多家挤在一点)."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import shapely
from django.db import connection
from shapely.geometry import shape

from nongma.lib.copying import array
from nongma.lib.distances import Degrees, metres_between
from nongma.lib.quadkeys import ZOOM, cells_beside
from nongma.origins.doubts.batch import Batch, Found, Kind
from nongma.origins.doubts.limits import OTHER_METRES, PILE_OPERATORS, SPOT_LEVEL, TOWN_LEVEL
from nongma.origins.models import Origin

SHIFT = 2 * (ZOOM - SPOT_LEVEL)
MOST, MOST_BASES = 40, 200
ON_SPOT = """
    SELECT asked.cell, near.*
    FROM unnest(%(cells)s::bigint[]) AS asked(cell)
    CROSS JOIN LATERAL (
        SELECT o.id, o.operator_id, o.longitude, o.latitude FROM origins_origin AS o
        WHERE o.quadkey >= asked.cell << %(bits)s AND o.quadkey < (asked.cell + 1) << %(bits)s
            AND o.state <> 'superseded'
        LIMIT %(most)s
    ) AS near
"""
OUTLINED = """
    SELECT asked.cell, base.*
    FROM unnest(%(cells)s::bigint[]) AS asked(cell)
    CROSS JOIN LATERAL (
        SELECT b.id, b.operator_id, b.outline FROM registry_base AS b
        WHERE b.quadkey >= asked.cell << %(bits)s AND b.quadkey < (asked.cell + 1) << %(bits)s
            AND b.outline IS NOT NULL AND b.quadkey IS NOT NULL AND b.closed_on IS NULL
        LIMIT %(most)s
    ) AS base
"""


def others_on_spot(batch: Batch) -> Iterator[Found]:
    """Points within a few metres of another operator's; of many operators together, one doubt that says so."""
    if not batch.located:
        return
    cells = cells_beside(batch.quadkeys, SPOT_LEVEL).tolist()
    near: dict[int, list[tuple[int, int, Degrees]]] = defaultdict(list)
    with connection.cursor() as cursor:
        asked = array(sorted({cell for four in cells for cell in four}))
        cursor.execute(ON_SPOT, {"cells": asked, "bits": SHIFT, "most": MOST})
        for cell, number, operator, x, y in cursor.fetchall():
            near[cell].append((number, operator, (float(x), float(y))))
    for row, four in zip(batch.located, cells, strict=True):
        others = sorted(
            (metres, number, operator)
            for cell in set(four)
            for number, operator, point in near[cell]
            if operator != row.operator and (metres := metres_between(row.point, point)) <= OTHER_METRES
        )
        if not others:
            continue
        metres, number, neighbour = others[0]
        households = len({operator for _, _, operator in others}) + 1
        if households >= PILE_OPERATORS:
            many = f"{households} 家" if len(others) < MOST else f"{households} 家以上"
            text = (
                f"这个点位 {OTHER_METRES:.0f} 米以内有 {many}主体的记录，像是在同一处（村委会、市场）填的，不是各家的地"
            )
            yield Found(row.id, Kind.PILE, text, row.spot, number)
        else:
            text = f"点位离另一主体的点位只有 {metres:.1f} 米，两家的地不会在同一点上"
            yield Found(row.id, Kind.OTHER_POINT, text, f"{neighbour}:{row.spot}", number)


def in_other_base(batch: Batch) -> Iterator[Found]:
    """Points inside the drawn outline of another operator's base."""
    if not batch.located:
        return
    cells = cells_beside(batch.quadkeys, TOWN_LEVEL).tolist()
    bases: dict[int, dict[int, tuple[int, Any]]] = defaultdict(dict)
    with connection.cursor() as cursor:
        asked = array(sorted({cell for four in cells for cell in four}))
        cursor.execute(OUTLINED, {"cells": asked, "bits": 2 * (ZOOM - TOWN_LEVEL), "most": MOST_BASES})
        rows = cursor.fetchall()
    for cell, number, operator, outline in rows:
        bases[cell][number] = operator, shape(json.loads(outline))
    inside = {}
    for row, four in zip(batch.located, cells, strict=True):
        for cell in four:
            for number, (operator, land) in bases[cell].items():
                if operator != row.operator and shapely.contains_xy(land, *row.point):
                    inside[row.id] = number
    others = dict(
        Origin.objects.current().filter(base__in=set(inside.values())).order_by("-pk").values_list("base", "pk")
    )
    spots = {row.id: row.spot for row in batch.located}
    for key, number in inside.items():
        text = "点位落在另一主体已画出轮廓的基地里面"
        yield Found(key, Kind.OTHER_BASE, text, f"{number}:{spots[key]}", others.get(number))
