"""Map tiles, cold: every tile is drawn once, beside the bare count of the same index ranges.

Tiles are those around randomly picked origins, so a dense area is asked for as often as people live there. The limit is
`SELECT count(*)` over the tile's quadkeys, with nothing grouped, filtered, named or encoded. Tiles are as the map of
the platform asks for them, 16 clusters a side; the finest that the API draws, 32 a side, stand beside unfiltered.
"""

import os
import time
from typing import Any

from bench.figures import figure, percentile

COUNT = 5_000_000
ZOOMS = (0, 2, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16)
TILES = 40
MAP, FINEST = 16, 32
BUDGET_MS = 50.0
FILTERS: dict[str, dict[str, str]] = {
    "product": {"product": "豇豆"},
    "industry": {"industry": "livestock"},
    "status": {"status": "submitted"},
    "month": {"on_sale": "2026-05"},
    "scale, round": {"scale_min": "10", "scale_max": "100"},
    "scale, any": {"scale_min": "12.35", "scale_max": "87.6"},
    "province": {"region": "370000000000"},
    "county": {"region": "370785000000"},
    "product and status": {"product": "豇豆", "status": "submitted"},
    "month and scale": {"on_sale": "2026-05", "scale_min": "12"},
}


def measure() -> list[dict[str, Any]]:
    import django

    django.setup()
    from bench.origins import fill_origins
    from nongma.origins.filters import OriginFilter

    count = int(os.environ.get("NONGMA_BENCH_ORIGINS", COUNT))
    user = fill_origins(count)
    tiles = _tiles()
    figures = []
    bare: dict[int, list[float]] = {zoom: [_count(place) for place in tiles[zoom]] for zoom in ZOOMS}
    for grid, note in ((MAP, ""), (FINEST, f", {FINEST**2:,} clusters")):
        for zoom in ZOOMS:
            drawn = [_draw({}, user, place, grid) for place in tiles[zoom]]
            limit = percentile(bare[zoom], 95)
            name = f"tile z{zoom}{note}, p95 of {len(drawn)}"
            figures.append(figure(name, percentile(drawn, 95), "ms", "bare count", limit))
    whole = [duration for zoom in ZOOMS for duration in bare[zoom]]
    for name, query in FILTERS.items():
        OriginFilter.read(query, user)
        drawn = [_draw(query, user, place) for zoom in ZOOMS for place in tiles[zoom][: TILES // 2]]
        for part in (50, 95):
            limit = percentile(whole, part)
            value = percentile(drawn, part)
            figures.append(figure(f"tile by {name}, p{part}, all zooms", value, "ms", "bare count", limit))
    single = [one for one in figures if not any(word in one["name"] for word in (" and ", "p50", "clusters"))]
    worst = max(one["value"] for one in single)
    figures.append(figure("tile, worst p95 of any one filter", worst, "ms", "the budget", BUDGET_MS))
    return figures


def _tiles() -> dict[int, list[tuple[int, int, int]]]:
    """Distinct tiles by zoom, around origins picked at random."""
    from django.db import connection

    from nongma.lib.quadkeys import cell, cell_tile

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quadkey FROM origins_origin TABLESAMPLE SYSTEM (0.5) REPEATABLE (7) WHERE quadkey IS NOT NULL"
            " ORDER BY md5(id::text) LIMIT 2000"
        )
        keys = [key for (key,) in cursor.fetchall()]
    found = {}
    for zoom in ZOOMS:
        cells = dict.fromkeys(cell(key, zoom) for key in keys)
        found[zoom] = [cell_tile(one, zoom) for one in list(cells)[:TILES]]
    return found


def _draw(query: dict[str, str], user: Any, place: tuple[int, int, int], grid: int = MAP) -> float:
    """Milliseconds from the query string to the bytes of the tile."""
    from nongma.origins.filters import OriginFilter
    from nongma.origins.tiles import tile

    started = time.perf_counter()
    tile(OriginFilter.read(query, user), user, *place, grid)
    return (time.perf_counter() - started) * 1000


def _count(place: tuple[int, int, int]) -> float:
    """Milliseconds of the bare count of a tile's index range."""
    from django.db import connection

    from nongma.lib.quadkeys import tile_span

    span = tile_span(*place)
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM origins_origin WHERE quadkey >= %s AND quadkey < %s AND state <> 'superseded'",
            [span.start, span.stop],
        )
        cursor.fetchone()
    return (time.perf_counter() - started) * 1000
