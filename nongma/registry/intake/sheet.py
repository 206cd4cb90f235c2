"""The sheet of a load (主体批量登记表): its columns, and its lines read whole with what is wrong in them by itself.

`open_sheet` is the caller's side; `python -m nongma.registry.intake.sheet` is the child that reads in bounds. It knows
no database; what needs one (divisions, products, what is on file) is judged later, in `judging`.
"""

import contextlib
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nongma.lib.masking import mask_address, mask_id, mask_name
from nongma.lib.sheets import cleaning, forms
from nongma.lib.sheets.amounts import amount
from nongma.lib.sheets.bounded import Bounds, run_bounded
from nongma.lib.sheets.cleaning import NOTHING, BadValue, heading, is_blank, is_remark, shown
from nongma.lib.sheets.coordinates import point, separate_point
from nongma.lib.sheets.faults import Fault
from nongma.lib.sheets.reading import Cell
from nongma.registry import identity
from nongma.registry.intake.words import INDUSTRIES, KINDS, UNITS

MODULE = "nongma.registry.intake.sheet"
TITLE = "主体批量登记表"
LABELS = {
    "kinds": "主体类型",
    "name": "名称",
    "uscc": "统一社会信用代码",
    "id_number": "身份证号",
    "contact": "联系人",
    "phone": "手机",
    "province": "省",
    "city": "市",
    "county": "县（市、区）",
    "town": "乡（镇、街道）",
    "village": "村（社区）",
    "address": "详细地址",
    "industries": "行业",
    "products": "主要产品",
    "scale": "规模",
    "unit": "单位",
    "longitude": "经度",
    "latitude": "纬度",
    "remark": "备注",
}
NEEDED = ("kinds", "name", "town")
RECOGNISED = 4
EXAMPLE = "示例"
"""How the name of the template's example row begins: it is refused when left in."""
MOST_PRODUCTS = 10
_HEADINGS = {
    "kinds": r"(主体|经营主体)(类型|类别|性质)",
    "uscc": r"(统一)?(社会)?信用代码|营业执照(号码?|编号)",
    "id_number": r"(法人|负责人|户主|联系人)?(居民)?身份证(件)?(号码?|编号)|证件号码?",
    "contact": r"(主体)?(联系人|负责人|法定代表人|法人|户主)(姓名)?",
    "phone": r"(主体|联系人|负责人)?(手机号?码?|联系方式|联系电话|电话)",
    "name": r"(生产|经营)?主体(全称|名称)?|(单位|企业|生产者)?名称|全称",
    "province": r"省份?|省自治区直辖市|省区市",
    "city": r"市|地市|市州盟?|地级市",
    "county": r"县|区县|县区|县市区",
    "town": r"乡镇?|镇|乡镇街道",
    "village": r"村|行政村|村社区|村居",
    "address": r"(详细|经营|通讯)?(地址|住址)",
    "industries": r"(所属)?行业(类别)?",
    "products": r"(主要|主营)(农)?产品(名称)?|产品(名称)?",
    "scale": r"(生产|种养殖?|经营)?规模(数量)?",
    "unit": r"(生产|种养殖?|经营)?(规模)?单位",
    "longitude": r"经度",
    "latitude": r"纬度",
    "point": r"(点位)?经纬度|坐标|点位",
    "remark": r"备注",
}
_PATTERNS = tuple((field, re.compile(words)) for field, words in _HEADINGS.items())
_BETWEEN = re.compile(r"[、,，;；/|]+")


class Line(NamedTuple):
    """A line as it passes from the reader to the judge: plain JSON values, None where a cell is at fault."""

    row: int
    faults: list[list[str]]
    kinds: list[str] | None
    name: str | None
    uscc: str | None
    id_number: str | None
    contact: str | None
    phone: str | None
    province: str | None
    city: str | None
    county: str | None
    town: str | None
    village: str | None
    address: str | None
    industries: list[str] | None
    products: list[str] | None
    scale: str | None
    unit: str | None
    longitude: str | None
    latitude: str | None
    remark: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column holds which field, and in which row they are named."""

    columns: dict[str, int]
    header_row: int

    @property
    def lacks(self) -> list[str]:
        """The labels of needed columns that the sheet does not have."""
        return [LABELS[field] for field in NEEDED if field not in self.columns]


@dataclass(frozen=True, slots=True)
class OpenSheet:
    """A sheet that is being read: about how many lines it has, and the lines, each to be taken once."""

    expected: int
    lines: Iterator[Line]


def find_layout(rows: Iterable[tuple[int, list[Cell]]]) -> Layout | None:
    """The header with most known columns among the first rows of a sheet; None when it has none."""
    best: Layout | None = None
    for number, cells in rows:
        found: dict[str, int] = {}
        for column, cell in enumerate(cells):
            if isinstance(cell, str) and (field := _field_of(cell)):
                found.setdefault(field, column)
        if len(found) >= RECOGNISED and (best is None or len(found) > len(best.columns)):
            best = Layout(found, number)
    return best


def _field_of(header: str) -> str | None:
    plain = heading(header)
    return next((field for field, pattern in _PATTERNS if pattern.fullmatch(plain)), None) if plain else None


def read_line(layout: Layout, row: int, cells: list[Cell]) -> Line:
    """The line of one row. Every fault of its cells is told; none that only follows from another one."""
    values: dict[str, Cell] = {
        field: cells[column] if column < len(cells) else None for field, column in layout.columns.items()
    }
    faults: list[Fault] = []

    def take(field: str, clean: Callable[..., Any], *arguments: Any) -> Any:
        value = values.get(field)
        try:
            return clean(value, *arguments)
        except BadValue as bad:
            faults.append(Fault(field, bad.code, bad.message, masked(field, value)))
            return None

    name = take("name", cleaning.required, "名称", 100)
    kinds = take("kinds", _several, KINDS, "主体类型")
    if kinds == []:
        faults.append(Fault("kinds", "missing", "没有填主体类型"))
    uscc, id_number = take("uscc", _uscc), take("id_number", _id_number)
    phone = take("phone", _phone)
    scale, written = take("scale", _scale) or (None, "")
    position = _position(take, values)
    if name and name.startswith(EXAMPLE):
        faults.append(Fault("name", "example-row", "这是模板里的示例，请删掉这一行", name))
    if (uscc, id_number, phone) == ("", "", ""):
        message = "统一社会信用代码、身份证号、手机至少填一个：靠它认出是不是同一个主体，也靠它认领"
        faults.append(Fault("phone", "missing", message))
    return Line(
        row=row,
        kinds=kinds,
        name=name,
        uscc=uscc,
        id_number=id_number,
        contact=take("contact", _optional, 60),
        phone=phone,
        province=take("province", _optional, 60),
        city=take("city", _optional, 60),
        county=take("county", _optional, 60),
        town=take("town", _optional, 120),
        village=take("village", _optional, 60),
        address=take("address", _optional, 200),
        industries=take("industries", _several, INDUSTRIES, "行业"),
        products=take("products", _products),
        scale=scale,
        unit=take("unit", _unit, written),
        longitude=position[0] if position else None,
        latitude=position[1] if position else None,
        remark=take("remark", _optional, 200),
        faults=[list(fault) for fault in faults],
    )


def masked(field: str, value: Cell) -> str:
    """A cell as it was read, without what tells of a person."""
    found = shown(value, is_phone=field == "phone")
    match field:
        case "id_number":
            return mask_id(found) if len(found) > 6 else found
        case "contact":
            return mask_name(found)
        case "address" | "remark":
            return mask_address(found)
    return found


@contextlib.contextmanager
def open_sheet(path: Path, *, most_rows: int, bounds: Bounds) -> Generator[OpenSheet]:
    """Read the sheet in a bounded process; refuses and raises what `forms.open_lines` does."""
    with forms.open_lines(MODULE, path, most_rows=most_rows, bounds=bounds) as (head, answers):
        yield OpenSheet(head["expected"], map(Line._make, answers))


def sheet_lines(path: Path, *, most_rows: int) -> Iterator[dict[str, Any] | Line]:
    """The child's answer: a head, then every line that is not empty and not a remark."""
    return forms.form_lines(
        path,
        most_rows=most_rows,
        find_layout=find_layout,
        reader=_reader,
        advice=f"请使用本平台的{TITLE}",
        unknown=lambda _: f"这不是{TITLE}，没有找到主体类型、名称这些列。请下载本平台的模板填写",
    )


def _reader(layout: Layout) -> Callable[[int, list[Cell]], Line | None]:
    columns = sorted(set(layout.columns.values()))

    def read(row: int, cells: list[Cell]) -> Line | None:
        filled = [cells[column] for column in columns if column < len(cells) and not is_blank(cells[column])]
        is_line = bool(filled) and not is_remark(filled[0])
        return read_line(layout, row, cells) if is_line else None

    return read


def _optional(value: Cell, most: int) -> str:
    found = cleaning.text(value, most)
    return "" if found in NOTHING else found


def _several(value: Cell, choices: dict[str, str], what: str) -> list[str]:
    # 零售市场/商超 is one word of ours, whose slash would part it.
    tidied = cleaning.text(value).replace("零售市场/商超", "零售市场商超")
    return cleaning.several(tidied, choices, what)


def _uscc(value: Cell) -> str:
    return _number(value, identity.uscc_fault, "统一社会信用代码")


def _id_number(value: Cell) -> str:
    return _number(value, identity.id_fault, "身份证号")


def _number(value: Cell, fault: Callable[[str], str], what: str) -> str:
    """A number of 18 places; one that the spreadsheet took for an amount has lost its end."""
    if isinstance(value, float):
        raise BadValue("digits-lost", f"{what}被表格软件当成了数，末尾几位已经丢失，请把这一列设成文本再填一次")
    found = identity.tidy(cleaning.narrow(_optional(value, 60)).lstrip("'"))
    if found and (message := fault(found)):
        raise BadValue("bad-number", message)
    return found


def _phone(value: Cell) -> str:
    return "" if is_blank(value) or cleaning.text(value) in NOTHING else cleaning.mobile(value, "手机")


def _products(value: Cell) -> list[str]:
    found = list(dict.fromkeys(word.strip() for word in _BETWEEN.split(_optional(value, 200)) if word.strip()))
    if len(found) > MOST_PRODUCTS:
        raise BadValue("too-many", f"主要产品最多填 {MOST_PRODUCTS} 种")
    return found


def _scale(value: Cell) -> tuple[str | None, str]:
    if is_blank(value) or (isinstance(value, str) and cleaning.text(value) in NOTHING):
        return None, ""
    number, word = amount(value, "规模", UNITS)
    return str(number), word


def _unit(value: Cell, written: str) -> str:
    found = re.sub(r"[（）()]", "", _optional(value, 20)) or written
    if found and found not in UNITS:
        raise BadValue("not-a-choice", f"单位不能填“{cleaning.shortened(found)}”，只能填：亩、头、只、箱（群）")
    return UNITS.get(found, "")


def _position(take: Callable[..., Any], values: dict[str, Cell]) -> tuple[str, str] | None:
    """The two axes as they are kept; a fault of either is told beside the longitude."""
    found = take("point", point) if "point" in values else take("longitude", separate_point, values.get("latitude"))
    return (str(found[0]), str(found[1])) if found else None


def _answer(arguments: list[str]) -> Iterator[Any]:
    path, most_rows = arguments
    return sheet_lines(Path(path), most_rows=int(most_rows))


if __name__ == "__main__":
    run_bounded(_answer)
