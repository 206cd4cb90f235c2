"""One line of 附件1 read whole: its cleaned values and everything that is wrong with it by itself.

What needs the database (divisions, products, the county's boundary, the user's area) is judged later, in `judging`.
Source of the rules: 附件1 and its notes, 农质安（溯）函〔2023〕72号.
"""

import datetime
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nongma.lib.sheets import cleaning
from nongma.lib.sheets.cleaning import BadValue, is_blank, shown
from nongma.lib.sheets.faults import Fault
from nongma.lib.sheets.reading import Cell
from nongma.origins.importing import cells
from nongma.origins.importing.form import Layout

FIELDS = (
    "name", "kind", "industry", "product", "alias", "certification", "province", "city", "county", "town", "village",
    "point", "longitude", "latitude", "contact", "phone", "scale", "unit", "on_sale", "off_sale", "method", "trace",
    "credit", "grid_name", "grid_phone", "collector", "collector_phone",
)  # fmt: skip
PHONES = frozenset(("phone", "grid_phone", "collector_phone"))


class Line(NamedTuple):
    """A line as it passes from the reader to the import: plain JSON values, None where a cell is at fault or empty."""

    row: int
    faults: list[list[str]]
    name: str | None
    kind: str | None
    industry: str | None
    product: str | None
    alias: str | None
    certifications: list[str] | None
    province: str | None
    city: str | None
    county: str | None
    town: str | None
    village: str | None
    longitude: str | None
    latitude: str | None
    contact: str | None
    phone: str | None
    scale: str | None
    unit: str | None
    on_sale: str | None
    off_sale: str | None
    methods: list[str] | None
    traces: list[str] | None
    credit: str | None
    grid_name: str | None
    grid_phone: str | None
    collector: str | None
    collector_phone: str | None
    scale_typed: str | None = None
    """The scale as it was typed, where it was converted: 200.00 平方米."""


class LineReader:
    """Reads lines of one sheet, whose layout it knows."""

    def __init__(self, layout: Layout) -> None:
        self._places = [layout.columns.get(field, -1) for field in FIELDS]
        self._width = max(layout.columns.values()) + 1
        self._has_village = "village" in layout.columns
        self._has_axes = "longitude" in layout.columns and "latitude" in layout.columns

    def read(self, row: int, values: list[Cell]) -> Line:
        """The line of one row. Every fault of the row is told; none that only follows from another one."""
        # The last cell is the empty one that stands in for a column which the sheet does not have (place -1).
        whole = [*values[: self._width], *[None] * (self._width + 1 - len(values[: self._width]))]
        cells_of = [whole[place] for place in self._places]
        return line_of(row, cells_of, has_village=self._has_village, has_axes=self._has_axes)


def line_of(row: int, values: Sequence[Cell], *, has_village: bool = True, has_axes: bool = True) -> Line:
    """The line of the cells of `FIELDS`, wherever they were typed; each fault is told, none that follows from another.

    `has_axes`: the point stands in two cells, longitude and latitude, not in one.
    """
    (
        name, kind, industry, product, alias, certification, province, city, county, town, village, point,
        longitude, latitude, contact, phone, scale, unit, on_sale, off_sale, method, trace, credit, grid_name,
        grid_phone, collector, collector_phone,
    ) = values  # fmt: skip
    faults: list[Fault] = []

    def take(field: str, value: Cell, clean: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return clean(value, *arguments)
        except BadValue as bad:
            faults.append(Fault(field, bad.code, bad.message, shown(value, is_phone=field in PHONES)))
            return None

    line_industry = take("industry", industry, cleaning.choice, cells.INDUSTRIES, "所属行业")
    amount, written = take("scale", scale, cells.scale) or (None, "")
    line_unit, typed = take("unit", unit, cells.unit, line_industry or "", written), None
    if line_unit == cells.SQUARE_METRE:
        line_unit = cells.UNITS["亩"]
        if amount is not None:
            typed = f"{amount} {cells.SQUARE_METRE_LABEL}"
            amount = take("scale", amount, cells.mu_of)
    first, last, methods = _season(take, line_industry, on_sale, off_sale, method)
    if first and last and last < first:
        message = "下市时间比上市时间早，请核对（跨年的要写明年份）"
        faults.append(Fault("off_sale", "off-before-on", message, shown(off_sale)))
    if methods == [] and line_industry == "planting":
        faults.append(Fault("method", "missing", "种植产品要填生产方式：露地、设施"))
    traces = take("trace", trace, cleaning.several, cells.TRACE_METHODS, "追溯方式")
    if traces == []:
        faults.append(Fault("trace", "missing", "没有填追溯方式"))
    if has_axes:
        position = take("point", longitude, cells.separate_point, latitude)
    else:
        position = take("point", point, cells.point)
    return Line(
        row=row,
        name=take("name", name, cleaning.required, "种养殖主体名称", 100),
        kind=take("kind", kind, cleaning.choice, cells.KINDS, "主体类型"),
        industry=line_industry,
        product=take("product", product, cleaning.required, "产品名称", 40),
        alias=take("alias", alias, cleaning.text, 40),
        certifications=take("certification", certification, cleaning.several, cells.CERTIFICATIONS, "产品认证类型"),
        province=take("province", province, cleaning.text, 60),
        city=take("city", city, cleaning.text, 60),
        county=take("county", county, cleaning.required, "县（市、区）", 60),
        town=take("town", town, cleaning.required, "乡（镇）", 120),
        village=take("village", village, cleaning.required, "村（社区）", 60) if has_village else "",
        longitude=str(position[0]) if position else None,
        latitude=str(position[1]) if position else None,
        contact=take("contact", contact, cleaning.required, "种养殖主体联系人", 60),
        phone=take("phone", phone, cleaning.mobile, "种养殖主体联系方式"),
        scale=str(amount) if amount is not None else None,
        unit=line_unit,
        on_sale=first.isoformat() if first else None,
        off_sale=last.isoformat() if last else None,
        methods=methods,
        traces=traces,
        credit=take("credit", credit, cleaning.text, 10),
        grid_name=take("grid_name", grid_name, cleaning.required, "网格员姓名", 60),
        grid_phone=take("grid_phone", grid_phone, cleaning.mobile, "网格员联系方式"),
        collector=take("collector", collector, cleaning.required, "信息采集员姓名", 60),
        collector_phone=take("collector_phone", collector_phone, cleaning.mobile, "信息采集员联系方式"),
        faults=[list(fault) for fault in faults],
        scale_typed=typed,
    )


def _season(
    take: Callable[..., Any], industry: str | None, on_sale: Cell, off_sale: Cell, method: Cell
) -> tuple[datetime.date | None, datetime.date | None, list[str] | None]:
    """When and how it grows. Cells of livestock and fish stay blank (附件1, notes 8 and 9) and are not read."""
    first = last = methods = None
    if industry == "planting" or (industry is None and not is_blank(on_sale)):
        first = take("on_sale", on_sale, cells.day, "上市时间")
    if industry == "planting" or (industry is None and not is_blank(off_sale)):
        last = take("off_sale", off_sale, cells.day, "下市时间", True)
    if industry == "planting" or industry is None:
        methods = take("method", method, cleaning.several, cells.METHODS, "生产方式")
    return first, last, methods
