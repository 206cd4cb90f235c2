"""What people do in spreadsheets, and that it is understood or named."""
# ruff: noqa: E501, DTZ001, PT017 (tables of cells as they are; a sheet knows no time zone; faults are half the rule)

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from nongma.catalogue.models import Industry, Unit
from nongma.lib.sheets import cleaning
from nongma.lib.sheets.cleaning import BadValue
from nongma.lib.sheets.reading import BadCell
from nongma.origins.importing import cells
from nongma.origins.importing.lines import Line
from nongma.origins.importing.reader import form_lines
from nongma.origins.models import Origin
from nongma.registry.models import OperatorKind

FILES = Path(__file__).parent / "files"
HEAD = [
    "序号", "种养殖主体名称*", "主体类型*", "所属行业*", "产品名称*", "别名", "产品认证类型", "省", "市", "县", "乡（镇）", "点位经纬度*",
    "种养殖主体联系人*", "种养殖主体联系方式（手机）*", "种养规模*", "种养规模单位*：种植产品（亩）；畜产品（头、只）；水产品（亩）", "上市时间*", "下市时间*",
    "生产方式*（露地、设施）", "追溯方式*", "信用等级", "网格员姓名*", "网格员联系方式*", "信息采集员姓名*", "信息采集员联系方式*",
]  # fmt: skip
ROW: list[Any] = [
    1, "李大山", "农户", "种植业", "豇豆", "", "", "海南省", "三亚市", "崖州区", "崖州区直辖村级区划水南村委会", "109.158151,18.435040",
    "李大山", "19900005935", 10.8, "亩", "2026-04", "2026-08", "设施", "承诺达标合格证、追溯码", "B", "冯玉强", "19900004633",
    "卫秀春", "19900008499",
]  # fmt: skip
PLACE = {title.split("*")[0].split("（")[0]: place for place, title in enumerate(HEAD)}


def row(**changes: Any) -> list[Any]:
    """A good line with some cells changed, by the beginning of their titles."""
    cells_ = list(ROW)
    for name, value in changes.items():
        cells_[PLACE[name]] = value
    return cells_


def read(tmp_path: Path, *rows: list[Any], name: str = "a.xlsx") -> list[Line]:
    path = tmp_path / name
    book = openpyxl.Workbook()
    for values in rows:
        book.active.append(values)
    book.save(path)
    return lines(path)


def lines(path: Path) -> list[Line]:
    head, *found = form_lines(path, most_rows=10_000)
    assert isinstance(head, dict)
    return [line for line in found if isinstance(line, Line)]


def only(found: list[Line]) -> Line:
    assert len(found) == 1, found
    assert found[0].faults == [], found[0].faults
    return found[0]


def codes(found: list[Line]) -> list[tuple[str, str]]:
    return [(fault[0], fault[1]) for line in found for fault in line.faults]


def test_it_reads_a_plain_line(tmp_path: Path) -> None:
    line = only(read(tmp_path, HEAD, ROW))
    assert (line.row, line.kind, line.on_sale, line.off_sale) == (2, "household", "2026-04-01", "2026-08-31")
    assert (line.methods, line.traces) == (["protected"], ["certificate", "trace_code"])


def test_titles_blank_rows_and_remarks_are_passed_over(tmp_path: Path) -> None:
    rest = [
        [],
        ["", ""],
        [2],
        ["备注：1.*标注为必填项"],
        ["", "填表人：李四", "", "2026年4月"],
        ["合计", "", "", "", 1],
    ]
    line = only(read(tmp_path, ["某县采集表"], [], ["填报单位：某局"], HEAD, [], ROW, *rest))
    assert line.row == 6


def test_a_header_that_comes_again_is_no_line(tmp_path: Path) -> None:
    assert [line.row for line in read(tmp_path, HEAD, ROW, HEAD, ROW)] == [2, 4]


def test_columns_may_stand_in_any_order_and_without_stars(tmp_path: Path) -> None:
    head = [title.split("（")[0].replace("*", "") for title in HEAD]
    line = only(read(tmp_path, head[::-1], ROW[::-1]))
    assert (line.name, line.unit, line.grid_phone) == ("李大山", "mu", "19900004633")


def test_full_width_signs_and_stray_blanks_are_cleaned(tmp_path: Path) -> None:
    line = only(
        read(
            tmp_path,
            HEAD,
            row(
                种养殖主体名称=" 李 大\n山 ", 种养殖主体联系方式="１９９ ０００ ０５９３５", 种养规模="１，２００", 主体类型="农 户",
                点位经纬度="１０９．１５８１５１，１８．４３５０４０", 上市时间="２０２６年４月",
            ),
        )
    )  # fmt: skip
    assert (line.name, line.phone, line.scale, line.kind) == ("李大山", "19900005935", "1200.00", "household")
    assert (line.longitude, line.latitude, line.on_sale) == ("109.158151", "18.435040", "2026-04-01")


def test_numbers_and_dates_come_as_cells_too(tmp_path: Path) -> None:
    line = only(
        read(
            tmp_path,
            HEAD,
            row(种养殖主体联系方式=19900005935, 上市时间=date(2026, 4, 10), 下市时间=datetime(2026, 8, 1)),
        )
    )
    assert (line.phone, line.on_sale, line.off_sale) == ("19900005935", "2026-04-10", "2026-08-01")


def test_cells_merged_downwards_stand_in_each_row(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for values in (HEAD, ROW, row(种养殖主体名称=None, 点位经纬度="109.158151,18.435050")):
        book.active.append(values)
    book.active.merge_cells("B2:B3")
    book.save(path)
    assert [line.name for line in lines(path)] == ["李大山", "李大山"]


def test_hidden_sheets_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    hidden = book.active
    hidden.sheet_state = "hidden"
    shown = book.create_sheet("说明")
    shown.append(["请看下一页"])
    form = book.create_sheet("表")
    for values in (HEAD, ROW):
        hidden.append(row(种养殖主体名称="旧的") if values is ROW else values)
        form.append(values)
    book.save(path)
    assert only(lines(path)).name == "李大山"


def test_formulas_without_a_value_are_named(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, row(种养规模="=1+1", 种养殖主体名称="#N/A"))
    assert codes(found) == [("scale", "formula-without-value"), ("name", "formula-without-value")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_it_reads_csv(tmp_path: Path, encoding: str, delimiter: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([["采集表"], HEAD, ROW])
    path = tmp_path / "a.csv"
    path.write_bytes(buffer.getvalue().encode(encoding))
    assert only(lines(path)).row == 3


def test_it_reads_old_workbooks(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("采集表")
    for number, values in enumerate((HEAD, ROW)):
        for column, value in enumerate(values):
            sheet.write(number, column, value)
    path = tmp_path / "a.xls"
    book.save(str(path))
    assert only(lines(path)).product == "豇豆"


def test_longitude_and_latitude_may_have_columns_of_their_own(tmp_path: Path) -> None:
    place = PLACE["点位经纬度"]
    head = [*HEAD[:place], "经度", "纬度", *HEAD[place + 1 :]]
    line = only(read(tmp_path, head, [*ROW[:place], 109.158151, "18.435040", *ROW[place + 1 :]]))
    assert (line.longitude, line.latitude) == ("109.158151", "18.435040")


def test_every_fault_of_a_row_is_told(tmp_path: Path) -> None:
    found = read(
        tmp_path, HEAD, row(主体类型="个体", 种养规模=0, 信息采集员姓名="", 下市时间="2026-03", 网格员联系方式="12")
    )
    assert set(codes(found)) == {
        ("kind", "not-a-choice"),
        ("scale", "not-positive"),
        ("collector", "missing"),
        ("off_sale", "off-before-on"),
        ("grid_phone", "not-a-mobile"),
    }


def test_livestock_and_fish_leave_the_season_blank(tmp_path: Path) -> None:
    line = only(
        read(
            tmp_path,
            HEAD,
            row(所属行业="畜牧业", 产品名称="肉羊", 种养规模单位="只", 上市时间="常年", 下市时间=None, 生产方式="放养"),
        )
    )
    assert (line.on_sale, line.off_sale, line.methods) == (None, None, None)


POINTS = [
    "109.158151,18.435040", "109.158151，18.435040", "109.158151；18.435040", "109.158151 18.435040", "109.158151/18.435040",
    "E109.158151 N18.435040", "109.158151°E,18.435040°N", "北纬18.435040，东经109.158151", "经度：109.158151 纬度：18.435040",
    "(109.158151, 18.435040)", "109.158151\n18.435040", "18.435040N 109.158151E",
]  # fmt: skip


@pytest.mark.parametrize("written", POINTS)
def test_points_are_written_in_many_ways(written: str) -> None:
    assert cells.point(written) == (Decimal("109.158151"), Decimal("18.435040"))


def test_degrees_minutes_and_seconds_are_a_point() -> None:
    assert cells.point("109°5′53.76″E,18°22′34.56″N") == (Decimal("109.098267"), Decimal("18.376267"))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("见地图", "not-a-coordinate"),
        ("109.158151", "not-a-coordinate"),
        ("109.158151,18.435040,3", "not-a-coordinate"),
        ("18.435040,109.158151", "swapped-or-out-of-range"),
        ("9.158151,118.435040", "swapped-or-out-of-range"),
        ("209.158151,18.435040", "swapped-or-out-of-range"),
        ("109.15815,18.435040", "too-few-decimals"),
    ],
)
def test_bad_points_are_named(written: str, code: str) -> None:
    with pytest.raises(BadValue) as bad:
        cells.point(written)
    assert bad.value.code == code


@pytest.mark.parametrize(
    "written",
    ["2026-04", "2026年4月", "2026年04月", "2026/4", "2026/4/1", "2026.4", "202604", "20260401", "2026 年 4 月", "2026年4月份", 46113.0,
     "2026-04-01 00:00:00", "2026年4月上旬", 202604.0],
)  # fmt: skip
def test_months_are_written_in_many_ways(written: Any) -> None:
    assert cells.day(written, "上市时间") == date(2026, 4, 1)


@pytest.mark.parametrize("written", ["4月", "常年", "2026-13", "1026-04", "2026", "二月", True])
def test_bad_months_are_named(written: Any) -> None:
    with pytest.raises(BadValue) as bad:
        cells.day(written, "上市时间")
    assert bad.value.code == "not-a-date"


def test_a_month_without_a_year_says_so() -> None:
    with pytest.raises(BadValue, match="没有写年份"):
        cells.day("4月", "上市时间")


@pytest.mark.parametrize(
    ("written", "amount", "unit"),
    [
        ("1,200", "1200.00", ""),
        ("12.50亩", "12.50", "亩"),
        ("1，200 亩", "1200.00", "亩"),
        (65.2, "65.20", ""),
        ("0.5", "0.50", ""),
    ],
)
def test_amounts_are_written_in_many_ways(written: Any, amount: str, unit: str) -> None:
    assert cells.scale(written) == (Decimal(amount), unit)


def test_a_unit_behind_the_amount_must_be_the_units_own() -> None:
    with pytest.raises(BadValue) as bad:
        cells.unit("只", "livestock", "头")
    assert bad.value.code == "unit-does-not-fit-scale"
    assert cells.unit(None, "planting", "亩") == "mu"


def test_words_and_codes_are_those_of_the_records() -> None:
    assert set(cells.KINDS.values()) <= set(OperatorKind.values)
    assert set(cells.INDUSTRIES.values()) == set(Industry.values)
    assert set(cells.UNITS.values()) <= set(Unit.values)
    assert set(cells.CERTIFICATIONS.values()) == set(Origin.Certification.values)
    assert set(cells.METHODS.values()) == set(Origin.Method.values)
    assert set(cells.TRACE_METHODS.values()) == set(Origin.TraceMethod.values)
    for labels, choices in (
        (Origin.Certification, cells.CERTIFICATIONS),
        (Origin.Method, cells.METHODS),
        (Origin.TraceMethod, cells.TRACE_METHODS),
    ):
        assert {choices[label] for label in labels.labels} == set(labels.values)


CELLS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.sampled_from([BadCell("x"), "1" * 400, "109.1,18.2", "-", "０", "1e999", "٣", "²"]),
)
CLEANERS: list[Callable[[Any], Any]] = [
    cleaning.text,
    lambda value: cleaning.required(value, "名称", 60),
    lambda value: cleaning.choice(value, cells.KINDS, "主体类型"),
    lambda value: cleaning.several(value, cells.TRACE_METHODS, "追溯方式"),
    lambda value: cleaning.mobile(value, "手机"),
    cells.scale,
    lambda value: cells.unit(value, "planting", ""),
    lambda value: cells.day(value, "上市时间", True),
    cells.point,
    lambda value: cells.separate_point(value, value),
]


@pytest.mark.parametrize("clean", CLEANERS)
@given(value=CELLS)
def test_any_cell_is_a_value_or_a_named_fault(clean: Callable[[Any], Any], value: Any) -> None:
    try:
        found = clean(value)
    except BadValue as bad:
        assert bad.code
        assert any("\u4e00" <= sign <= "\u9fff" for sign in bad.message)
    else:
        if isinstance(found, str):
            assert "\x00" not in found


@given(
    digits=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), blanks=st.lists(st.sampled_from(" -\u3000"), max_size=3)
)
def test_a_mobile_number_survives_blanks_and_dashes(digits: str, blanks: list[str]) -> None:
    written = digits
    for place, sign in enumerate(blanks, start=3):
        written = written[: place * 2] + sign + written[place * 2 :]
    assert cleaning.mobile(written, "手机") == digits


@given(
    longitude=st.decimals(min_value=74, max_value=135, places=6),
    latitude=st.decimals(min_value=4, max_value=53, places=6),
    between=st.sampled_from([",", "，", "；", " ", "、", ", "]),
)
def test_a_point_comes_back_as_it_was_written(longitude: Decimal, latitude: Decimal, between: str) -> None:
    assert cells.point(f"{longitude}{between}{latitude}") == (longitude, latitude)
