"""The map's counts per cell: marked when origins change, recounted from the origins soon after, never added to."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from procrastinate.exceptions import AlreadyEnqueued

from nongma.lib.quadkeys import cell
from nongma.origins.models import DirtyCell
from nongma.regions.spans import WIDTHS

COUNTY_WIDTH = WIDTHS[3]
FINEST = 12
COARSEST = 5
RECOUNT_BATCH = 2_000
CELLS_LOCK = 0x6F72_6967_696E
"""Advisory lock: one recount at a time, so that an older count never overwrites a newer one."""

_DIGITS = [Decimal(text) for text in ("1", "1.2", "1.5", "2", "2.5", "3", "4", "5", "6", "7", "8", "9")]
_ROUND = [digit.scaleb(power) for power in range(-1, 5) for digit in _DIGITS]
SCALES: tuple[Decimal, ...] = tuple(sorted({edge + step for edge in _ROUND for step in (0, Decimal("0.01"))}))
"""Scales that a cell keeps counts for: the round ones, and one hundredth more, since “以下” includes the number."""

# ARRAY(…) is read once. With IN (…) a planner that takes the table for empty reads a batch anew for every row.
TAKE = """
    DELETE FROM origins_dirtycell WHERE id = ANY(ARRAY(
        SELECT id FROM origins_dirtycell ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )) RETURNING cell, county
"""
# One GROUP BY instead of joins: without statistics on what stands before, the planner would join row by row.
_TOGETHER = """
    SELECT cell, county, jsonb_object_agg(key, n) FILTER (WHERE key IS NOT NULL),
        coalesce(array_agg(band ORDER BY band) FILTER (WHERE band IS NOT NULL), '{}'),
        coalesce(array_agg(n ORDER BY band) FILTER (WHERE band IS NOT NULL), '{}')
    FROM (
        SELECT cell, county, key, NULL::int AS band, n FROM keyed
        UNION ALL SELECT cell, county, NULL, band, n FROM reached
    ) AS both_kinds
    GROUP BY cell, county"""

_ALL = "origins_origin o"
_MARKED = """
    unnest(%(cells)s::bigint[], %(counties)s::bigint[]) AS m(cell, county)
    JOIN origins_origin o ON o.quadkey >= m.cell << 24 AND o.quadkey < (m.cell + 1) << 24
        AND o.region_id BETWEEN m.county AND m.county + 999999"""
_COUNT = """
    WITH located AS (
        SELECT o.quadkey >> 24 AS cell, o.region_id - o.region_id %% 1000000 AS county, o.product_id, o.state,
            o.on_sale_on, o.off_sale_on, width_bucket(o.scale, %(scales)s::numeric[]) AS band
        FROM {source}
        WHERE o.quadkey IS NOT NULL AND o.state <> 'superseded'
    ), grouped AS (
        SELECT cell, county, product_id, state, on_sale_on, off_sale_on, band,
            grouping(product_id, state, on_sale_on, band) AS rest, count(*) AS n
        FROM located
        GROUP BY cell, county, GROUPING SETS ((), (product_id), (state), (on_sale_on, off_sale_on), (band))
    ), keyed AS (
        SELECT cell, county, '' AS key, n FROM grouped WHERE rest = b'1111'::int
        UNION ALL SELECT cell, county, 'p' || product_id, n FROM grouped WHERE rest = b'0111'::int
        UNION ALL SELECT cell, county, 'i' || p.industry, sum(n)
            FROM grouped JOIN catalogue_product p ON p.id = product_id WHERE rest = b'0111'::int GROUP BY 1, 2, 3
        UNION ALL SELECT cell, county, 's' || state, n FROM grouped WHERE rest = b'1011'::int
        UNION ALL SELECT cell, county, 'm' || to_char(month, 'YYYYMM'), sum(n)
            FROM grouped,
                generate_series(date_trunc('month', on_sale_on::timestamp), off_sale_on::timestamp, '1 month') AS month
            WHERE rest = b'1101'::int GROUP BY 1, 2, 3
    ), reached AS (
        SELECT cell, county, band, sum(n) OVER (PARTITION BY cell, county ORDER BY band DESC) AS n
        FROM grouped WHERE rest = b'1110'::int AND band > 0
    )"""

_ALL_CHILDREN = "origins_origincell c WHERE c.level = %(level)s + 1"
_MARKED_CHILDREN = """
    unnest(%(cells)s::bigint[], %(counties)s::bigint[]) AS m(cell, county)
    JOIN origins_origincell c
        ON c.level = %(level)s + 1 AND c.cell BETWEEN m.cell * 4 AND m.cell * 4 + 3 AND c.county = m.county"""
_ROLL_UP = """
    WITH children AS (
        SELECT c.cell >> 2 AS cell, c.county, c.counts, c.bands, c.reached FROM {source}
    ), keyed AS (
        SELECT cell, county, key, sum(value::bigint) AS n FROM children, jsonb_each_text(counts) GROUP BY 1, 2, 3
    ), reached AS (
        SELECT cell, county, band, sum(sum(n - rest)) OVER (PARTITION BY cell, county ORDER BY band DESC) AS n
        FROM children, unnest(bands, reached, reached[2:] || 0) AS one(band, n, rest)
        WHERE band IS NOT NULL GROUP BY cell, county, band
    )"""
_INSERT = """
    INSERT INTO origins_origincell (level, cell, county, counts, bands, reached)
    SELECT %(level)s, made.* FROM ({rows}) AS made"""


def _counted(count: str, source: str) -> str:
    """The query of a count from one of the sources."""
    return count.format(source=source) + _TOGETHER


def county_of(region_code: int) -> int:
    """The code at county level of any division at or below it."""
    return region_code - region_code % COUNTY_WIDTH


def mark_dirty(places: Iterable[tuple[int | None, int]]) -> int:
    """Note that origins at these places, (quadkey, region code), came, went or changed; how many cells that is.

    Call it in the transaction of the change, once for all its rows, with the places before and after. A place
    without a point is passed over. The recount is deferred when the transaction commits.
    """
    cells = {(cell(quadkey, FINEST), county_of(region)) for quadkey, region in places if quadkey is not None}
    if cells:
        DirtyCell.objects.bulk_create(
            [DirtyCell(cell=number, county=county) for number, county in sorted(cells)], batch_size=5_000
        )
        transaction.on_commit(_defer_recount, robust=True)
    return len(cells)


def _defer_recount() -> None:
    """Ask the worker for a recount, unless one waits already.

    After the commit and not inside it: the queueing lock is a unique key, on which writers would wait for each
    other. What is lost in between is found by the recount that runs every minute.
    """
    from nongma.origins.tasks import recount_map

    try:
        with transaction.atomic():
            recount_map.defer()
    except AlreadyEnqueued:
        pass


def recount_dirty() -> int:
    """Recount every cell that waits for it, batch by batch; how many level-12 cells that was.

    A batch is one transaction: a crash leaves its marks where they were. What commits while a batch counts has
    marks of its own that the batch did not take, so it is counted by a later one.
    """
    total = 0
    while taken := _recount_batch():
        total += taken
    return total


@transaction.atomic
def _recount_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CELLS_LOCK])
        cursor.execute(TAKE, [RECOUNT_BATCH])
        taken = sorted(set(cursor.fetchall()))
        if not taken:
            return 0
        _replace(cursor, FINEST, taken, _counted(_COUNT, _MARKED))
        cells = taken
        for level in range(FINEST - 1, COARSEST - 1, -1):
            cells = sorted({(number >> 2, county) for number, county in cells})
            _replace(cursor, level, cells, _counted(_ROLL_UP, _MARKED_CHILDREN))
    return len(taken)


def _replace(cursor: CursorWrapper, level: int, cells: list[tuple[int, int]], rows: str) -> None:
    """Take the cells of one level out and put their new counts in."""
    parameters: dict[str, Any] = {
        "level": level,
        "cells": [number for number, _ in cells],
        "counties": [county for _, county in cells],
        "scales": list(SCALES),
    }
    cursor.execute(
        "DELETE FROM origins_origincell old"
        " USING unnest(%(cells)s::bigint[], %(counties)s::bigint[]) AS m(cell, county)"
        " WHERE old.level = %(level)s AND old.cell = m.cell AND old.county = m.county",
        parameters,
    )
    cursor.execute(_INSERT.format(rows=rows), parameters)


@transaction.atomic
def rebuild_cells() -> int:
    """Count every cell anew from all origins, after a bulk load or in doubt; how many cells there are now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CELLS_LOCK])
        cursor.execute("DELETE FROM origins_dirtycell")
        cursor.execute("DELETE FROM origins_origincell")
        cursor.execute(_INSERT.format(rows=_counted(_COUNT, _ALL)), {"level": FINEST, "scales": list(SCALES)})
        made = int(cursor.rowcount)
        for level in range(FINEST - 1, COARSEST - 1, -1):
            cursor.execute(_INSERT.format(rows=_counted(_ROLL_UP, _ALL_CHILDREN)), {"level": level})
            made += cursor.rowcount
    return made
