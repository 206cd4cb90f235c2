"""Rows of one sheet that were filled in by dragging (点位太整齐、整列相同)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connection

from nongma.lib.copying import array
from nongma.origins.doubts.batch import Batch, Found, Kind
from nongma.origins.doubts.limits import (
    COLUMN_CONTACT_ROWS,
    COLUMN_DAYS_ROWS,
    COLUMN_DIGITS_ROWS,
    COLUMN_PHONE_ROWS,
    COLUMN_SCALE_ROWS,
    GRID_ROWS,
    SHEET_REACH,
)


class Line(NamedTuple):
    """A row of a sheet, as the rules see it."""

    row: int
    id: int
    operator: int
    product: int
    longitude: Decimal | None
    latitude: Decimal | None
    scale: Decimal
    unit: str
    contact: str
    on_sale_on: date | None
    off_sale_on: date | None
    phone: bytes | None

    @property
    def digits(self) -> str | None:
        """The last three decimals of both coordinates; those of a wider grid are told as such."""
        if self.longitude is None or self.latitude is None:
            return None
        return f"{self.longitude:.6f}"[-3:] + f"{self.latitude:.6f}"[-3:]


READ = """
    SELECT asked.job, o.import_row, o.id, o.operator_id, o.product_id, o.longitude, o.latitude, o.scale, o.unit,
        o.contact, o.on_sale_on, o.off_sale_on, w.phone_index
    FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS asked(job, first, last)
    JOIN origins_origin AS o ON o.import_job_id = asked.job AND o.import_row BETWEEN asked.first AND asked.last
    JOIN registry_operator AS w ON w.id = o.operator_id
    ORDER BY asked.job, asked.first, o.import_row
"""


class Column(NamedTuple):
    """What may be the same from row to row, and over how many rows that is a doubt."""

    label: str
    value: Callable[[Line], Any]
    rows: int


COLUMNS = (
    Column("联系人", lambda line: line.contact, COLUMN_CONTACT_ROWS),
    Column("手机号", lambda line: bytes(line.phone) if line.phone is not None else None, COLUMN_PHONE_ROWS),
    Column("规模", lambda line: (line.scale, line.unit), COLUMN_SCALE_ROWS),
    Column("经纬度后三位", lambda line: line.digits, COLUMN_DIGITS_ROWS),
)


def round_points(batch: Batch) -> Iterator[Found]:
    """Points whose last three decimals are all zero, and rows of points at equal steps."""
    told: set[int] = set()
    for row in batch.located:
        if f"{row.longitude:.6f}"[-3:] == f"{row.latitude:.6f}"[-3:] == "000":
            told.add(row.id)
            text = f"经纬度 {row.spot} 的后三位都是 0，只准到 100 米，像是补零凑的六位小数"
            yield Found(row.id, Kind.GRID, text, row.spot)
    wanted = {row.id: row for row in batch.located}
    for lines in _sheets(batch):
        for first, last in _stepped(lines):
            for line in lines[first : last + 1]:
                if line.id in wanted and line.id not in told:
                    told.add(line.id)
                    rows = f"第 {lines[first].row} 至 {lines[last].row} 行"
                    text = f"{rows}的点位一步一步等距排开（每步都相同），像是下拉填充的"
                    yield Found(line.id, Kind.GRID, text, wanted[line.id].spot)


def copied_down(batch: Batch) -> Iterator[Found]:
    """Values that are the same over many consecutive rows of different operators."""
    wanted = {row.id for row in batch.rows}
    said: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for lines in _sheets(batch):
        for column in COLUMNS:
            for first, last in _same(lines, column.value):
                if _operators(lines, first, last) >= column.rows:
                    _say(said, lines, first, last, column.label)
        for first, last in _same(lines, lambda line: line.on_sale_on and (line.on_sale_on, line.off_sale_on)):
            products = {line.product for line in lines[first : last + 1]}
            if len(products) > 1 and _operators(lines, first, last) >= COLUMN_DAYS_ROWS:
                _say(said, lines, first, last, "上市和下市日期")
    for key, columns in said.items():
        if key in wanted:
            parts = [f"{label}（第 {first} 至 {last} 行）" for label, first, last in columns]
            text = f"表格里连续多行、不同主体的{'、'.join(parts)}完全相同，像是下拉复制的"
            yield Found(key, Kind.COLUMN, text, "、".join(label for label, _, _ in columns))


def _say(said: dict[int, list[tuple[str, int, int]]], lines: Sequence[Line], first: int, last: int, what: str) -> None:
    for line in lines[first : last + 1]:
        said[line.id].append((what, lines[first].row, lines[last].row))


def _operators(lines: Sequence[Line], first: int, last: int) -> int:
    return len({line.operator for line in lines[first : last + 1]})


def _sheets(batch: Batch) -> Iterator[list[Line]]:
    """The rows of the batch with those around them, in the order of their sheets."""
    asked: dict[int, list[list[int]]] = defaultdict(list)
    for job, row in sorted((row.job, row.job_row) for row in batch.rows if row.job and row.job_row):
        spans = asked[job]
        if spans and row - SHEET_REACH <= spans[-1][1]:
            spans[-1][1] = row + SHEET_REACH
        else:
            spans.append([row - SHEET_REACH, row + SHEET_REACH])
    flat = [(job, first, last) for job, spans in asked.items() for first, last in spans]
    if not flat:
        return
    with connection.cursor() as cursor:
        cursor.execute(READ, [array(part) for part in zip(*flat, strict=True)])
        found = cursor.fetchall()
    for job, first, last in flat:
        yield [Line._make(rest) for number, *rest in found if number == job and first <= rest[0] <= last]


def _same(lines: Sequence[Line], value: Callable[[Line], Any]) -> Iterator[tuple[int, int]]:
    """The runs of equal values, as first and last place; what is not filled in makes none."""
    start = 0
    for place in range(1, len(lines) + 1):
        if place == len(lines) or value(lines[place]) != value(lines[start]):
            if place - start > 1 and value(lines[start]) not in (None, ""):
                yield start, place - 1
            start = place


def _stepped(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """The runs of points of which each is the same way from the one before."""
    steps = [_step(one, other) for one, other in pairwise(lines)]
    start = 0
    for place in range(1, len(steps) + 1):
        if place == len(steps) or steps[place] != steps[start]:
            if steps[start] is not None and place - start + 1 >= GRID_ROWS:
                yield start, place
            start = place


def _step(one: Line, other: Line) -> tuple[Decimal, Decimal] | None:
    """None where there is no point, or no step."""
    if one.longitude is None or one.latitude is None or other.longitude is None or other.latitude is None:
        return None
    step = other.longitude - one.longitude, other.latitude - one.latitude
    return step if any(step) else None
