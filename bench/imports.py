"""The import of the official form: 100,000 lines from the file to saved records, beside reading and COPY alone.

The limit is what the same machine needs to read the sheet with calamine and to COPY its cells into a table without
index, key or check. The lines have real villages and points inside their counties; every operator is new.
"""

import contextlib
import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import figure

ROWS = 100_000
FEW_ROWS = 10_000
CHUNK = 1_000
COUNTIES = (460205, 331102, 450702, 350981, 510121, 440606, 430121, 370785, 410122, 130129)
SPECIMEN = Path(__file__).resolve().parent.parent / "nongma/origins/tests/files/origin-form-blank.xlsx"
PLANTED = ("豇豆", "韭菜", "芹菜")
FAMILIES = "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕"
GIVEN = "军秀海燕国明英华文丽建玉春波兰志芳强娟斌"


def measure() -> list[dict[str, Any]]:
    import django

    django.setup()
    with tempfile.TemporaryDirectory(prefix="nongma-bench-") as folder, collector() as user:
        few, many = Path(folder) / "few.xlsx", Path(folder) / "many.xlsx"
        write_form(few, FEW_ROWS, seed=1)
        write_form(many, ROWS, seed=2)
        small = _import(few, user)
        large = _import(many, user)
        judged = _judge(many, user)
        read_seconds, copy_seconds = _read_and_copy(many)
    rate = ROWS / large["seconds"]
    limit = ROWS / (read_seconds + copy_seconds)
    return [
        figure("rows read, cleaned and judged", ROWS / judged, "rows/s", "calamine alone", ROWS / read_seconds),
        figure("rows judged and saved (the whole import)", rate, "rows/s", "calamine + bare COPY", limit),
        figure("first rows saved after", large["first_seconds"], "s", "calamine alone", read_seconds),
        figure("worker memory, 100,000 rows", large["peak_mib"], "MiB", "the same, 10,000 rows", small["peak_mib"]),
    ]


def write_form(path: Path, rows: int, *, seed: int) -> None:
    """An official form with so many lines that are right, of operators that no earlier form had."""
    import python_calamine
    import xlsxwriter

    head = python_calamine.load_workbook(str(SPECIMEN)).get_sheet_by_index(0).to_python(skip_empty_area=False)[:3]
    stamp = f"{time.time_ns() // 1_000_000 % 10**8:08d}"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet("采集表")
        for number, cells in enumerate(head):
            sheet.write_row(number, 0, cells)
        for number, cells in enumerate(_lines(rows, random.Random(seed), stamp), start=3):
            sheet.write_row(number, 0, cells)


def _lines(rows: int, chance: random.Random, stamp: str) -> Iterator[list[Any]]:
    places = [places_in(code * 10**6, rows // len(COUNTIES) + 1, chance) for code in COUNTIES]
    for number in range(rows):
        path, points = places[number % len(places)]
        province, city, county, town, village = path[chance.randrange(len(path))]
        longitude, latitude = points[number // len(places)]
        person = chance.choice(FAMILIES) + chance.choice(GIVEN) + chance.choice(GIVEN)
        month = chance.randint(1, 7)
        yield [
            number + 1, f"{person}{stamp}{number:06d}", "农户", "种植业", chance.choice(PLANTED), "", "", province,
            city, county, town + village, f"{longitude:.6f},{latitude:.6f}", person,
            f"199{chance.randrange(10**8):08d}",
            round(chance.uniform(0.5, 60), 1), "亩", f"2026-{month:02d}", f"2026-{month + 4:02d}", "露地",
            "承诺达标合格证、追溯码", "B", person, f"199{chance.randrange(10**8):08d}", person,
            f"199{chance.randrange(10**8):08d}",
        ]  # fmt: skip


def places_in(
    county: int, count: int, chance: random.Random
) -> tuple[list[tuple[str, ...]], list[tuple[float, float]]]:
    """Villages of a county with what lies above them, as written into a form, and random points inside its boundary."""
    import numpy as np
    import shapely

    from nongma.regions.boundaries import shape_of
    from nongma.regions.models import Region
    from nongma.regions.spans import above

    names = dict(Region.objects.filter(code__range=(county, county + 10**6 - 1)).values_list("code", "name")) | dict(
        Region.objects.filter(code__in=[above(county, 1), above(county, 2)]).values_list("code", "name")
    )
    path = [
        (names[above(county, 1)], names[above(county, 2)], names[county], names[above(code, 4)], name)
        for code, name in names.items()
        if code % 1000 and code > county
    ]
    shape = shape_of(county)
    west, south, east, north = shape.bounds
    generator = np.random.default_rng(chance.randrange(2**32))
    points: list[tuple[float, float]] = []
    while len(points) < count:
        x, y = generator.uniform(west, east, count), generator.uniform(south, north, count)
        inside = shapely.contains_xy(shape, x, y)
        points += list(zip(x[inside].tolist(), y[inside].tolist(), strict=True))
    return path, points


def _import(path: Path, user: Any) -> dict[str, float]:
    from django.core.files import File

    from nongma.origins.services.imports import run_import, submit_import

    with path.open("rb") as handle:
        job = submit_import(file=File(handle), filename=path.name, actor=user)
    peak = first = 0.0
    started = time.perf_counter()

    def look(_: Any) -> None:
        nonlocal peak, first
        first = first or time.perf_counter() - started
        peak = max(peak, resident_mib())

    run_import(job.uid, progress=look)
    seconds = time.perf_counter() - started
    job.refresh_from_db()
    if (job.status, job.rejected, job.unchanged) != ("done", 0, 0):
        raise SystemExit(
            f"the bench's own form was not taken whole: {job.status} {job.message} {job.rejected} rejected"
        )
    return {"seconds": seconds, "first_seconds": first, "peak_mib": peak}


def _judge(path: Path, user: Any) -> float:
    """Seconds from the file to judged lines, nothing saved."""
    from django.conf import settings

    from nongma.lib.sheets.bounded import Bounds
    from nongma.origins.importing.judging import Judge
    from nongma.origins.importing.reader import open_form

    bounds = Bounds(memory_bytes=settings.IMPORT_MEMORY_BYTES)
    started = time.perf_counter()
    with open_form(path, most_rows=settings.IMPORT_ROWS, bounds=bounds) as form:
        judge = Judge(user)
        count = 0
        while chunk := list(itertools.islice(form.lines, CHUNK)):
            count += len(list(judge.judge(chunk)))
    if count != ROWS:
        raise SystemExit(f"{count} lines judged instead of {ROWS}")
    return time.perf_counter() - started


def resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _read_and_copy(path: Path) -> tuple[float, float]:
    """Seconds to read every cell of the sheet, and to COPY the cells into a bare table."""
    import python_calamine
    from django.db import connection

    started = time.perf_counter()
    rows = list(python_calamine.load_workbook(str(path)).get_sheet_by_index(0).iter_rows())[3:]
    read_seconds = time.perf_counter() - started
    columns = ", ".join(f"c{number} text" for number in range(len(rows[0])))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_rows")
        cursor.execute(f"CREATE TABLE bench_rows ({columns})")
        started = time.perf_counter()
        with cursor.copy("COPY bench_rows FROM STDIN") as copy:
            for row in rows:
                copy.write_row([str(cell) for cell in row])
        copy_seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bench_rows")
    return read_seconds, copy_seconds


@contextlib.contextmanager
def collector() -> Iterator[Any]:
    """A reviewer for the whole country, gone from its post afterwards."""
    from django.utils import timezone

    from nongma.accounts.models import Agency, Membership, Role, User

    agency, _ = Agency.objects.get_or_create(
        region_id=0, kind=Agency.Kind.SUPERVISION, name="导入测速", defaults={"level": 0}
    )
    user, _ = User.objects.update_or_create(
        username="bench-imports", defaults={"name": "导入测速", "password": "!", "has_totp": True}
    )
    post, _ = Membership.objects.get_or_create(
        user=user, agency=agency, role=Role.REVIEWER, to_on=None, defaults={"from_on": timezone.localdate()}
    )
    yield user
    post.delete()
    user.is_active = False
