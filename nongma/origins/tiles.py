"""The map's tiles: clusters of current origins, exact for every filter (docs/adr/0008 says how each plan measures).

A wide tile (zoom 7 and less) is drawn from `OriginCell`, which holds a count for each value of each filter; a deeper
one, or one that asks for a combination or for less than a county, is counted from the origins' indexes. Either way
cells finer than a cluster tell where its middle is.
"""

import functools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, F, Min, Q
from django.db.models.expressions import RawSQL

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.lib.mvt import EXTENT, Point, encode_points
from nongma.lib.quadkeys import ZOOM, TileSpan, cell_tile, tile_span
from nongma.origins.filters import OriginFilter, is_below_county
from nongma.origins.models import Origin
from nongma.origins.services.cells import FINEST, SCALES
from nongma.regions.spans import EVERYWHERE, Span

LAYER = "origins"
DEEPEST = 18
GRIDS = {8: 3, 16: 4, 32: 5}
"""So many clusters a tile has at most along a side: its cells so many levels down."""
FINER = 5
"""So many levels below the tile lie the counted cells that a cluster's place is the mean of."""
PLACES = {8: 6, 16: 6, 32: 5}
"""The same where origins are counted: enough that clusters which a map draws apart don't stand in rows."""
NAMED_FROM = 14
"""From this zoom on a cluster says which cell it is, so that a map can ask what stands there instead of zooming in."""
PRESSING = (Origin.State.RETURNED, Origin.State.SUBMITTED, Origin.State.APPROVED)
"""The states of what is on the map, the one that needs somebody most first."""
States = tuple[int, int, int]
UNKNOWN: States = (0, 0, 0)
WIDEST_SCAN = 50
MOST_SINGLES = 256
MOST_COUNTED = {8: 5_000, 16: 5_000, 32: 1_000}
"""So many origins are rather counted one by one than drawn without their states; by grid, as time allows."""
HUNDREDTH = Decimal("0.01")

_STATES = ", ".join(f"sum({state.value})::bigint" for state in PRESSING)
_FINEST_CLUSTERS = """
    SELECT part AS number, n, 0::float8, 0::float8, {whole}, {states}, one
    FROM ({parts}) AS parts"""
_CLUSTERS = """
    SELECT part >> {bits} AS number, sum(n)::bigint, sum(n * ({x}))::float8, sum(n * ({y}))::float8,
        sum({whole})::bigint, {states}, min(one)
    FROM ({parts}) AS parts
    GROUP BY 1"""
_CELLS = """
    SELECT cell AS part, sum({count})::bigint AS n, sum(whole)::bigint AS whole,
        {states}, NULL::bigint AS one
    FROM origins_origincell
    WHERE level = %(level)s AND cell >= %(start)s AND cell < %(stop)s AND ({counties})
    GROUP BY 1"""
_UNTOLD = ", ".join(f"0 AS {state}" for state in PRESSING)
_CELL_STATES = ", ".join(f"sum({state})::bigint AS {state}" for state in PRESSING)


class Cluster(NamedTuple):
    """Origins of one cell of a tile (聚合点): how many, where on average, and in which states.

    `meant` is how many the filter leaves of `whole`; `east` and `south` are how far their middle is from the corner of
    the cell, in widths of the cell; `states` how many of each of PRESSING, all zero where nothing is known; `one` the
    key of an origin in it, where origins were counted.
    """

    number: int
    meant: int
    east: float
    south: float
    whole: int
    states: States
    one: int | None


def tile(filters: OriginFilter, user: User, z: int, x: int, y: int, grid: int = 32) -> bytes:
    """The vector tile z/x/y of the origins that the filter means and the user may see.

    `grid` is the number of clusters along a side at most: 8, 16 or 32.
    """
    span = tile_span(z, x, y)
    level = z + GRIDS[grid]
    counties = _counties(filters, user) if level <= FINEST else None
    conditions = _conditions(filters)
    if counties is None or conditions is None:
        clusters, singles = _from_origins(filters, user, span, level, z + PLACES[grid])
    elif not counties:
        return b""
    else:
        stored = min(z + FINER, FINEST)
        clusters = _from_cells(filters, conditions, counties, span, level, stored)
        if _is_soon_counted(clusters, filters, MOST_COUNTED[grid], tells_places=stored == z + FINER):
            clusters, singles = _from_origins(filters, user, span, level, z + PLACES[grid])
        else:
            shift = 2 * (ZOOM - level)
            if filters.is_scaled:
                clusters = _corrected(clusters, filters, user, span, shift)
            lone = [each.number << shift for each in clusters if each.meant == 1 and each.whole <= WIDEST_SCAN]
            singles = _found_in(filters, user, lone, shift)
    return encode_points(LAYER, _points(clusters, singles, filters, z, grid, span))


def _is_soon_counted(clusters: list[Cluster], filters: OriginFilter, most: int, *, tells_places: bool) -> bool:
    """Whether counting the origins themselves tells more than the cells do, and is quick."""
    tells_states = not filters.is_scaled and all(any(_states_of(each, filters)) for each in clusters if each.meant)
    rows = sum(each.meant if filters.product else each.whole for each in clusters)
    return not (tells_places and tells_states) and rows <= most


def _points(
    clusters: list[Cluster], singles: list[dict[str, Any]], filters: OriginFilter, z: int, grid: int, span: TileSpan
) -> Iterable[Point]:
    """Clusters in the middle of their origins, single origins where they are."""
    level = z + GRIDS[grid]
    shift = 2 * (ZOOM - level)
    known = {row["quadkey"] >> shift: row for row in singles}
    side = EXTENT // grid
    inside = (1 << 2 * GRIDS[grid]) - 1
    corners = _corners(grid)
    for cluster in clusters:
        row = known.get(cluster.number) if cluster.meant == 1 else None
        if row is not None:
            _, x, y = cell_tile(row["quadkey"] - span.start, ZOOM)
            scale = ZOOM - z
            properties = {"count": 1, "id": str(row["uid"]), "product": row["product__name"], "state": row["state"]}
            yield Point((x * EXTENT) >> scale, (y * EXTENT) >> scale, properties)
        elif cluster.meant:
            x, y = corners[cluster.number & inside]
            told: dict[str, str | int] = {"count": cluster.meant, **_told(_states_of(cluster, filters))}
            if z >= NAMED_FROM:
                told["cell"] = f"{level}/{cluster.number}"
            yield Point(int((x + cluster.east) * side), int((y + cluster.south) * side), told)


@functools.cache
def _corners(grid: int) -> list[tuple[int, int]]:
    """Column and row of each cell of a tile, by its number in the tile."""
    return [cell_tile(number, GRIDS[grid])[1:] for number in range(grid * grid)]


def _told(states: States) -> dict[str, str]:
    """`state`, which most origins of a cluster have, and `also`, the most pressing one that others of them have."""
    if not any(states):
        return {}
    most = states.index(max(states))
    for place, count in enumerate(states):
        if count and place != most:
            return _TOLD[most, place]
    return _TOLD[most, most]


_TOLD = {
    (most, other): {"state": PRESSING[most].value} | ({"also": PRESSING[other].value} if other != most else {})
    for most in range(len(PRESSING))
    for other in range(len(PRESSING))
}


def _from_origins(
    filters: OriginFilter, user: User, span: TileSpan, level: int, deepest: int
) -> tuple[list[Cluster], list[dict[str, Any]]]:
    """Clusters from the origins themselves, and the rows of the clusters of one."""
    located = filters.visible_to(user).filter(quadkey__gte=span.start, quadkey__lt=span.stop)
    parts = (
        located.annotate(part=F("quadkey").bitrightshift(2 * (ZOOM - deepest)))
        .order_by()
        .values("part")
        .annotate(n=Count("id"), one=Min("id"), **{state: Count("id", filter=Q(state=state)) for state in PRESSING})
    )
    sql, parameters = parts.query.sql_with_params()
    clusters = [_cluster(row, deepest - level) for row in _clustered(sql, parameters, deepest - level, whole="n")]
    return clusters, _described([each.one for each in clusters if each.meant == 1 and each.one is not None])


def _clustered(
    parts: str, parameters: Sequence[Any] | dict[str, Any], deeper: int, whole: str = "whole"
) -> list[tuple[Any, ...]]:
    """The rows of clusters from a query over cells that lie `deeper` levels below them."""
    if not deeper:
        sql = _FINEST_CLUSTERS.format(whole=whole, states=", ".join(PRESSING), parts=parts)
        return _rows(sql, parameters)
    bits = range(deeper)
    x, y = (" + ".join(f"(part >> {2 * bit + axis} & 1) * {1 << bit}" for bit in bits) or "0" for axis in (0, 1))
    return _rows(_CLUSTERS.format(bits=2 * deeper, x=x, y=y, whole=whole, states=_STATES, parts=parts), parameters)


def _rows(sql: str, parameters: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _cluster(row: tuple[Any, ...], deeper: int) -> Cluster:
    """A row of `_clustered`; the middle of a finer cell stands for all origins in it."""
    number, count, x, y, whole, returned, submitted, approved, one = row
    states = (returned, submitted, approved)
    if not deeper or not count:
        return Cluster(number, count, 0.5, 0.5, whole, states, one)
    cells = 1 << deeper
    return Cluster(number, count, (x / count + 0.5) / cells, (y / count + 0.5) / cells, whole, states, one)


def _described(keys: list[int]) -> list[dict[str, Any]]:
    if not keys:
        return []
    found = Origin.objects.filter(pk__in=keys).order_by()
    return [dict(row) for row in found.values("uid", "quadkey", "product__name", "state")]


def _counties(filters: OriginFilter, user: User) -> list[Span] | None:
    """The spans of whole counties that the user's scope and the filter leave; None when cells can't tell."""
    if user.is_operator or filters.doubt or filters.q or filters.job:
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
    if len(keys) + filters.is_scaled > 1:
        return None
    return keys[0] if keys else ""


def _from_cells(
    filters: OriginFilter, key: str, counties: list[Span], span: TileSpan, level: int, stored: int
) -> list[Cluster]:
    """Clusters from the counted cells, those without any origin that is meant too."""
    finer = 2 * (ZOOM - stored)
    parameters: dict[str, Any] = {
        "key": key,
        "level": stored,
        "start": span.start >> finer,
        "stop": span.stop >> finer,
    }
    count = "coalesce((counts ->> %(key)s)::bigint, 0)" if key else "whole"
    if filters.is_scaled:
        low, high = _edges(filters)
        parameters |= {"low": low - 1, "high": high - 1}
        reached = "coalesce(reached[width_bucket(%({})s, bands) + 1], 0)"
        at_least = reached.format("low") if low else "whole"
        count = f"{at_least} - {reached.format('high')}" if high else at_least
    places = []
    for index, place in enumerate(counties):
        places.append(f"county BETWEEN %(from{index})s AND %(to{index})s")
        parameters |= {f"from{index}": place.start, f"to{index}": place.stop}
    states = _UNTOLD if key or filters.is_scaled else _CELL_STATES
    cells = _CELLS.format(count=count, states=states, counties=" OR ".join(places))
    return [_cluster(row, stored - level) for row in _clustered(cells, parameters, stored - level)]


def _states_of(cluster: Cluster, filters: OriginFilter) -> States:
    """How many of each state are meant; UNKNOWN where it can't be told, since no cell counts states by product."""
    if filters.status:
        returned, submitted, approved = (cluster.meant if filters.status == state else 0 for state in PRESSING)
        return returned, submitted, approved
    return cluster.states if sum(cluster.states) == cluster.meant else UNKNOWN


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


def _corrected(clusters: list[Cluster], filters: OriginFilter, user: User, span: TileSpan, shift: int) -> list[Cluster]:
    """Counts at the edges nearest to the bounds, made exact by the origins between edge and bound."""
    low, high = _bounds(filters)
    exact = Counter({each.number: each.meant for each in clusters})
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
    known = {each.number: each for each in clusters}
    # Of a cell that is not counted yet, the middle of the cell stands for the origins that were found.
    fresh = Cluster(0, 0, 0.5, 0.5, WIDEST_SCAN + 1, UNKNOWN, None)
    return [known.get(number, fresh)._replace(number=number, meant=n) for number, n in exact.items() if n > 0]
