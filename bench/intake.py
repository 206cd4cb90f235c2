"""Operators loaded from a sheet: 100,000 invented ones with valid numbers, checked and then put on file.

The lines have real villages and points inside their counties; a third are firms with a 统一社会信用代码, the rest
households with a 身份证号. The limit is 2,000 rows a second for each pass, and memory that stays flat.
"""

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.figures import figure
from bench.imports import COUNTIES, FAMILIES, GIVEN, places_in, resident_mib

ROWS = 100_000
FEW_ROWS = 10_000
LIMIT = 2_000
FIRST_DAY = date(1950, 1, 1)
DAYS = 18_000
SEQUENCE = 999
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PLANTED = ("豇豆", "韭菜", "芹菜")


def measure() -> list[dict[str, Any]]:
    import django

    django.setup()
    from bench.imports import collector

    with tempfile.TemporaryDirectory(prefix="nongma-bench-") as folder, collector() as user:
        few, many = Path(folder) / "few.xlsx", Path(folder) / "many.xlsx"
        write_sheet(few, FEW_ROWS, seed=time.time_ns())
        write_sheet(many, ROWS, seed=time.time_ns())
        small, large = _load(few, user), _load(many, user)
    return [
        figure("operators of a sheet checked", ROWS / large["check_seconds"], "rows/s", "limit", LIMIT),
        figure("operators of a sheet put on file", ROWS / large["load_seconds"], "rows/s", "limit", LIMIT),
        figure("worker memory, 100,000 operators", large["peak_mib"], "MiB", "the same, 10,000", small["peak_mib"]),
    ]


def write_sheet(path: Path, rows: int, *, seed: int, counties: Sequence[int] = COUNTIES) -> None:
    """A sheet of so many invented operators that are right; another seed gives others."""
    import xlsxwriter

    from nongma.registry.intake.sheet import LABELS, TITLE

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet(TITLE)
        sheet.write_row(0, 0, list(LABELS.values()))
        for number, cells in enumerate(_lines(rows, random.Random(seed), counties), start=1):
            sheet.write_row(number, 0, cells)


def _lines(rows: int, chance: random.Random, counties: Sequence[int]) -> Iterator[list[Any]]:
    places = [places_in(code * 10**6, rows // len(counties) + 1, chance) for code in counties]
    stamp = chance.randrange(10**9)
    for number in range(rows):
        county = number % len(places)
        path, points = places[county]
        names = path[chance.randrange(len(path))]
        longitude, latitude = points[number // len(places)]
        person = chance.choice(FAMILIES) + chance.choice(GIVEN) + chance.choice(GIVEN)
        is_firm = number % 3 == 0
        yield [
            "家庭农场" if is_firm else "农户",
            f"{person}{stamp}家庭农场{number}" if is_firm else f"{person}{stamp}{number}",
            uscc_of(counties[county], stamp + number) if is_firm else "",
            "" if is_firm else id_of(counties[county], stamp + number),
            person, f"1990000{chance.randrange(10_000):04d}", *names, f"{number} 号", "种植业",
            chance.choice(PLANTED), round(chance.uniform(0.5, 60), 1), "亩", f"{longitude:.6f}", f"{latitude:.6f}", "",
        ]  # fmt: skip


def uscc_of(county: int, number: int) -> str:
    """An invented 统一社会信用代码 of a county with its check sign."""
    from stdnum.cn import uscc

    tail = ""
    for _ in range(9):
        number, rest = divmod(number, len(LETTERS))
        tail = LETTERS[rest] + tail
    body = f"92{county:06d}{tail}"
    return body + str(uscc.calc_check_digit(body + "0"))


def id_of(county: int, number: int) -> str:
    """An invented 身份证号 of a county with its check sign."""
    from stdnum.cn import ric

    day, sequence = divmod(number, SEQUENCE)
    body = f"{county:06d}{FIRST_DAY + timedelta(days=day % DAYS):%Y%m%d}{sequence + 1:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def _load(path: Path, user: Any) -> dict[str, float]:
    from django.core.files import File

    from nongma.registry.intake.services import confirm_intake, run_intake, submit_intake

    with path.open("rb") as handle:
        intake = submit_intake(file=File(handle), filename=path.name, actor=user)
    peak = 0.0

    def look(_: Any) -> None:
        nonlocal peak
        peak = max(peak, resident_mib())

    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        run_intake(intake.uid, progress=look)
        seconds.append(time.perf_counter() - started)
        intake.refresh_from_db()
        if intake.made != intake.total:
            raise SystemExit(
                f"the bench's own sheet was not taken whole: {intake.status} {intake.message} {intake.made}"
            )
        if intake.status == "ready":
            confirm_intake(intake=intake, approves=True, actor=user)
    return {"check_seconds": seconds[0], "load_seconds": seconds[1], "peak_mib": peak}
