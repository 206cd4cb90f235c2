"""The map's tiles: clusters of current origins, exact for every filter (docs/adr/0008 says how each plan measures).

A wide tile (zoom 7 and less) is drawn from `OriginCell`, which holds a count for each value of each filter; a deeper
one, or one that asks for a combination or for less than a county, is counted from the origins' indexes.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Min
from django.db.models.expressions import RawSQL

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.lib.mvt import EXTENT, Point, encode_points
from nongma.lib.quadkeys import ZOOM, TileSpan, cell_tile, tile_span
from nongma.origins.filters import OriginFilter, is_below_county
from nongma.origins.models import Origin
from nongma.origins.services.cells import COARSEST, FINEST, SCALES
from nongma.regions.spans import EVERYWHERE, Span

LAYER = "origins"
DEEPEST = 18
GRIDS = {8: 3, 16: 4, 32: 5}
"""So many clusters a tile has at most along a side: its cells so many levels down."""
NAMED_FROM = 14
"""From this zoom on a cluster says which cell it is, so that a map can ask what stands there instead of zooming in."""
WIDEST_SCAN = 50
MOST_SINGLES = 256
HUNDREDTH = Decimal("0.01")

_CELLS = """
    SELECT cell >> %(coarser)s AS cell, sum({count}) AS n, sum((counts ->> '')::bigint) AS whole
    FROM origins_origincell
    WHERE level = %(level)s AND cell >= %(start)s AND cell < %(stop)s AND ({counties})
    GROUP BY 1"""


def tile(filters: OriginFilter, user: User, z: int, x: int, y: int, grid: int = 32) -> bytes:
    """The vector tile z/x/y of the origins that the filter means and the user may see.

    `grid` is the number of clusters along a side at most: 8, 16 or 32.
    """
    span = tile_span(z, x, y)
    level = z + GRIDS[grid]
    shift = 2 * (ZOOM - level)
    counties = _counties(filters, user) if level <= FINEST else None
    conditions = _conditions(filters)
    if counties is None or conditions is None:
        counts, singles = _from_origins(filters, user, span, shift)
    elif not counties:
        return b""
    else:
        stored = max(level, COARSEST)
        finer = 2 * (ZOOM - stored)
        bounds = {
            "level": stored,
            "start": span.start >> finer,
            "stop": span.stop >> finer,
            "coarser": shift - finer,
        }
        counts, lone = _from_cells(filters, conditions, counties, bounds)
        if filters.scale_min is not None or filters.scale_max is not None:
            counts = _corrected(counts, filters, user, span, shift)
        singles = _found_in(filters, user, [number << shift for number in lone if counts.get(number) == 1], shift)
    return encode_points(LAYER, _points(counts, singles, z, grid, span))


def _points(
    counts: dict[int, int], singles: list[dict[str, Any]], z: int, grid: int, span: TileSpan
) -> Iterable[Point]:
    """Clusters in the middle of their cells, single origins where they are."""
    level = z + GRIDS[grid]
    shift = 2 * (ZOOM - level)
    known = {row["quadkey"] >> shift: row for row in singles}
    side = EXTENT // grid
    for number, count in counts.items():
        row = known.get(number)
        if count == 1 and row is not None:
            _, x, y = cell_tile(row["quadkey"] - span.start, ZOOM)
            scale = ZOOM - z
            properties = {"count": 1, "id": str(row["uid"]), "product": row["product__name"], "state": row["state"]}
            yield Point((x * EXTENT) >> scale, (y * EXTENT) >> scale, properties)
        else:
            _, x, y = cell_tile(number - (span.start >> shift), level)
            cluster: dict[str, str | int] = {"count": count}
            if z >= NAMED_FROM:
                cluster["cell"] = f"{level}/{number}"
            yield Point(x * side + side // 2, y * side + side // 2, cluster)


def _from_origins(
    filters: OriginFilter, user: User, span: TileSpan, shift: int
) -> tuple[dict[int, int], list[dict[str, Any]]]:
    """Counts by cluster from the origins themselves, and the rows of the clusters of one."""
    located = filters.visible_to(user).filter(quadkey__gte=span.start, quadkey__lt=span.stop)
    grouped = (
        located.annotate(cluster=F("quadkey").bitrightshift(shift))
        .order_by()
        .values_list("cluster")
        .annotate(n=Count("id"), one=Min("id"))
    )
    rows = list(grouped)
    return {cluster: n for cluster, n, _ in rows}, _described([one for _, n, one in rows if n == 1])


def _described(keys: list[int]) -> list[dict[str, Any]]:
    if not keys:
        return []
    found = Origin.objects.filter(pk__in=keys).order_by()
    return [dict(row) for row in found.values("uid", "quadkey", "product__name", "state")]


def _counties(filters: OriginFilter, user: User) -> list[Span] | None:
    """The spans of whole counties that the user's scope and the filter leave; None when cells can't tell."""
    if user.is_operator or filters.q or filters.job:
        return None
    asked = filters.region.span if filters.region else EVERYWHERE
    spans = [
        Span(max(asked.start, held.start), min(asked.stop, held.stop))
        for held in scope_of(user).spans
        if max(asked.start, held.start) <= min(asked.stop, held.stop)
    ]
    return None if any(is_below_county(span) for span in spans) else spans


def _conditions(filters: OriginFilter) -> str | None:
    """The key of `OriginCell.counts` that answers the filter; None when no single count does."""
    keys = []
    if filters.product:
        keys.append(f"p{filters.product.pk}")
    if filters.industry and not (filters.product and filters.product.industry == filters.industry):
        keys.append(f"i{filters.industry}")
    if filters.status:
        keys.append(f"s{filters.status}")
    if filters.on_sale:
        keys.append(f"m{filters.on_sale:%Y%m}")
    scaled = filters.scale_min is not None or filters.scale_max is not None
    if len(keys) + scaled > 1:
        return None
    return keys[0] if keys else ""


def _from_cells(
    filters: OriginFilter, key: str, counties: list[Span], bounds: dict[str, int]
) -> tuple[dict[int, int], list[int]]:
    """Counts by cell, and the cells with few enough origins to look for a single one in."""
    parameters: dict[str, Any] = {**bounds, "key": key}
    count = "coalesce((counts ->> %(key)s)::bigint, 0)"
    if filters.scale_min is not None or filters.scale_max is not None:
        low, high = _edges(filters)
        parameters |= {"low": low - 1, "high": high - 1}
        reached = "coalesce(reached[width_bucket(%({})s, bands) + 1], 0)"
        at_least = reached.format("low") if low else "(counts ->> '')::bigint"
        count = f"{at_least} - {reached.format('high')}" if high else at_least
    places = []
    for index, span in enumerate(counties):
        places.append(f"county BETWEEN %(from{index})s AND %(to{index})s")
        parameters |= {f"from{index}": span.start, f"to{index}": span.stop}
    with connection.cursor() as cursor:
        cursor.execute(_CELLS.format(count=count, counties=" OR ".join(places)), parameters)
        rows = cursor.fetchall()
    counts = {int(cell): int(n) for cell, n, _ in rows if n}
    return counts, [int(cell) for cell, n, whole in rows if whole <= WIDEST_SCAN]


def _found_in(filters: OriginFilter, user: User, starts: list[int], shift: int) -> list[dict[str, Any]]:
    """The single origin that the filter finds in each of these small cells."""
    if not starts:
        return []
    rows = filters.visible_to(user).filter(
        quadkey__gte=RawSQL("cells.start", ()),
        quadkey__lt=RawSQL("cells.start + %s", (1 << shift,)),
    )
    sql, parameters = rows.order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT one.id FROM unnest(%s::bigint[]) AS cells(start) CROSS JOIN LATERAL ({sql} LIMIT 1) AS one",  # noqa: S608
            (starts[:MOST_SINGLES], *parameters),
        )
        return _described([key for (key,) in cursor.fetchall()])


def _edges(filters: OriginFilter) -> tuple[int, int]:
    """Which of SCALES, from 1, stand in for the bounds: the nearest to each. 0: no bound."""
    low, high = (_nearest(bound) + 1 if bound is not None else 0 for bound in _bounds(filters))
    return low, high


def _bounds(filters: OriginFilter) -> tuple[Decimal | None, Decimal | None]:
    """The scale range as at least … and less than …; scales have two decimals."""
    return filters.scale_min, None if filters.scale_max is None else filters.scale_max + HUNDREDTH


def _nearest(bound: Decimal) -> int:
    """The place in SCALES of the edge with the narrower gap to the bound."""
    above = bisect_left(SCALES, bound)
    if above == len(SCALES) or (above and bound - SCALES[above - 1] < SCALES[above] - bound):
        return above - 1
    return above


def _corrected(counts: dict[int, int], filters: OriginFilter, user: User, span: TileSpan, shift: int) -> dict[int, int]:
    """Counts at the edges nearest to the bounds, made exact by the origins between edge and bound."""
    low, high = _bounds(filters)
    exact = Counter(counts)
    for bound, sign in ((low, 1), (high, -1)):
        if bound is None:
            continue
        edge = SCALES[_nearest(bound)]
        if edge == bound:
            continue
        between = (
            OriginFilter(region=filters.region)
            .visible_to(user)
            .filter(
                quadkey__gte=span.start, quadkey__lt=span.stop, scale__gte=min(edge, bound), scale__lt=max(edge, bound)
            )
        )
        grouped = between.annotate(cluster=F("quadkey").bitrightshift(shift)).order_by().values_list("cluster")
        for cluster, n in grouped.annotate(n=Count("id")):
            exact[cluster] += sign * n if bound < edge else -sign * n
    return {cluster: n for cluster, n in exact.items() if n > 0}
