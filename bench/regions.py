"""Divisions: loading all of them, following written names, testing points.

Beside each its limit, measured in the same run: the bare COPY of the same rows into a table without index or log, the
bare lookup of a key in a dictionary, and shapely's test of the same points against one prepared shape.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.figures import figure, seconds

SCHEMA = "bench_regions"
ROWS = 300_000
COUNTIES = (460205000000, 331102000000, 450702000000, 350981000000, 510121000000, 440606000000)


def measure() -> list[dict[str, Any]]:
    """The figures, on tables of their own that are gone afterwards."""
    import django

    django.setup()
    return [_load(), _names(), _points()]


def _load() -> dict[str, Any]:
    from django.conf import settings
    from django.db import connection

    from nongma.regions import loading

    file = max((settings.REFERENCE / "divisions").glob("divisions-*.csv.gz"))
    with _own_tables(), connection.cursor() as cursor:
        rows = list(loading.rows_of(file))
        cursor.execute("CREATE UNLOGGED TABLE bare AS TABLE regions_region WITH NO DATA")
        bare = seconds(lambda: loading.copy_rows(cursor, "bare", iter(rows)))
        # The figure holds all that a new platform waits for: unpacking, full names, COPY, the indexes, ANALYZE.
        loaded = seconds(loading.load)
    return figure("all divisions loaded", len(rows) / loaded, "rows/s", "bare COPY", len(rows) / bare)


def _names() -> dict[str, Any]:
    from nongma.regions.models import Region
    from nongma.regions.names import Gazetteer, Written

    above = dict(Region.objects.filter(level__lte=4).values_list("code", "name"))
    written: list[Written] = []
    for county in COUNTIES:
        province, city = above[county - county % 10**10], above[county - county % 10**8]
        villages = Region.objects.filter(level=5, code__range=(county, county + 10**6 - 1)).values_list("code", "name")
        written += [(province, city, above[county], above[code - code % 1000] + name, "") for code, name in villages]
    chosen = random.Random(1).choices(written, k=ROWS)
    followed = seconds(lambda: Gazetteer().resolve_many(chosen))
    known = dict.fromkeys(written, 0)
    looked_up = seconds(lambda: [known[names] for names in chosen])
    return figure("written names followed", ROWS / followed, "rows/s", "dictionary lookup", ROWS / looked_up)


def _points() -> dict[str, Any]:
    import numpy as np
    import shapely

    from nongma.regions.boundaries import outside_counties, shape_of

    generator = np.random.default_rng(1)
    codes = generator.choice(np.array(COUNTIES, np.int64), ROWS)
    shapes = {code: shape_of(code) for code in COUNTIES}
    centres = {code: shape.representative_point() for code, shape in shapes.items() if shape is not None}
    lons = np.array([centres[code].x for code in codes.tolist()]) + generator.normal(0, 0.05, ROWS)
    lats = np.array([centres[code].y for code in codes.tolist()]) + generator.normal(0, 0.05, ROWS)
    one = shapes[COUNTIES[0]]
    shapely.prepare(one)
    tested = seconds(lambda: outside_counties(codes, lons, lats))
    bare = seconds(lambda: shapely.intersects_xy(one, lons, lats))
    return figure("points tested against their county", ROWS / tested, "rows/s", "one prepared shape", ROWS / bare)


@contextmanager
def _own_tables() -> Iterator[None]:
    """Empty copies of the room's tables in a schema that comes first, so that the real ones stay as they are."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in ("regions_region", "regions_regionload"):
            cursor.execute(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")
        cursor.execute(f"SET search_path TO {SCHEMA}, public")
        try:
            yield
        finally:
            cursor.execute("SET search_path TO public")
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
