"""The sheet of a hand-out (账号分配表): its columns, and its lines read whole with what is wrong in them by itself.

`open_sheet` is the caller's side; `python -m nongma.accounts.handouts.sheet` is the child that reads in bounds. It
knows no database; what needs one (divisions, agencies, people, what may be handed out) is judged later, in `judging`.
"""

import contextlib
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nongma.lib.sheets import cleaning, forms
from nongma.lib.sheets.bounded import Bounds, run_bounded
from nongma.lib.sheets.cleaning import NOTHING, BadValue, heading, is_blank, shown
from nongma.lib.sheets.faults import Fault
from nongma.lib.sheets.reading import Cell

MODULE = "nongma.accounts.handouts.sheet"
TITLE = "账号分配表"
LABELS = {
    "province": "省",
    "city": "市",
    "county": "县（市、区）",
    "town": "乡（镇、街道）",
    "village": "村（社区）",
    "code": "区划代码",
    "agency": "机构名称",
    "kind": "类别",
    "department": "部门",
    "name": "姓名",
    "username": "用户名",
    "phone": "手机",
    "email": "邮箱",
    "roles": "角色",
}
NEEDED = ("agency", "kind")
PLACES = ("province", "city", "county", "town", "village")
PERSON = ("name", "username", "phone", "email", "roles")
RECOGNISED = 4
DIFFERS = "differs"
"""The code of what is only a doubt: the line was taken, and what stands on file otherwise was left as it is."""
# Kept equal to the models' choices by a test: the child knows no models.
KINDS = {"监管": "supervision", "监测": "monitoring", "执法": "enforcement"}
DEPARTMENTS = {
    "质量安全": "quality_safety",
    "执法": "enforcement",
    "畜牧兽医": "livestock",
    "水产品": "fishery",
    "种植业": "planting",
    "加工": "processing",
    "经营管理": "management",
    "市场信息": "market_information",
    "科技教育": "science_education",
    "农业投入品管理": "inputs",
    "产品认证管理": "certification",
}
ROLES = {
    "平台管理员": "administrator",
    "审核员": "reviewer",
    "信息采集员": "collector",
    "查询员": "analyst",
    "检测员": "laboratory",
    "执法人员": "officer",
    "品牌管理员": "brand",
}
CODE = re.compile(r"\d{12}|\d{9}|\d{6}|\d{4}|\d{2}")
_HEADINGS = {
    "province": r"省份?|省自治区直辖市|省区市",
    "city": r"市|地市|市州盟?|地级市",
    "county": r"县|区县|县区|县市区",
    "town": r"乡镇?|镇|乡镇街道",
    "village": r"村|行政村|村社区",
    "code": r"(行政)?区划代码|行政区划",
    "agency": r"(机构|单位)(名称)?",
    "kind": r"(机构)?(类别|类型)",
    "department": r"(所属)?部门",
    "name": r"姓名|人员(姓名)?",
    "username": r"用户名|账号",
    "phone": r"手机号?码?|联系电话|联系方式",
    "email": r"(电子)?邮箱|邮件地址",
    "roles": r"角色|职务|岗位",
}
_PATTERNS = tuple((field, re.compile(words)) for field, words in _HEADINGS.items())


class Line(NamedTuple):
    """A line as it passes from the reader to the judge: plain JSON values, None where a cell is at fault."""

    row: int
    faults: list[list[str]]
    province: str | None
    city: str | None
    county: str | None
    town: str | None
    village: str | None
    code: str | None
    agency: str | None
    kind: str | None
    department: str | None
    has_person: bool
    name: str | None
    username: str | None
    phone: str | None
    email: str | None
    roles: list[str] | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column holds which field, and in which row they are named."""

    columns: dict[str, int]
    header_row: int

    @property
    def lacks(self) -> list[str]:
        """The labels of needed columns that the sheet does not have."""
        missing = [LABELS[field] for field in NEEDED if field not in self.columns]
        return missing if {"province", "code"} & self.columns.keys() else ["省（或区划代码）", *missing]


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
            faults.append(Fault(field, bad.code, bad.message, shown(value, is_phone=field == "phone")))
            return None

    has_person = any(not is_blank(values.get(field)) for field in PERSON)
    line = Line(
        row=row,
        **{field: take(field, _optional, 60) for field in PLACES},
        code=take("code", _code),
        agency=take("agency", cleaning.required, "机构名称", 100),
        kind=take("kind", cleaning.choice, KINDS, "类别"),
        department=take("department", _department),
        has_person=has_person,
        name=take("name", cleaning.required, "姓名", 60) if has_person else "",
        username=take("username", _optional, 60),
        phone=take("phone", _phone),
        email=take("email", _optional, 200),
        roles=take("roles", _roles) if has_person else [],
        faults=[],
    )
    if line.code == "" and line.province == "":
        faults.insert(0, Fault("province", "missing", "没有填省，也没有填区划代码"))
    if has_person and line.username == "" and line.phone == "":
        faults.append(Fault("phone", "missing", "没有填用户名的，要填手机：再次上传时靠它认出是同一个人"))
    return line._replace(faults=[list(fault) for fault in faults])


@contextlib.contextmanager
def open_sheet(path: Path, *, most_rows: int, bounds: Bounds) -> Generator[OpenSheet]:
    """Read the sheet in a bounded process; refuses and raises what `forms.open_lines` does."""
    with forms.open_lines(MODULE, path, most_rows=most_rows, bounds=bounds) as (head, answers):
        yield OpenSheet(head["expected"], map(Line._make, answers))


def sheet_lines(path: Path, *, most_rows: int) -> Iterator[dict[str, Any] | Line]:
    """The child's answer: a head, then every line that is not empty, of the first sheet that has the columns."""
    return forms.form_lines(
        path,
        most_rows=most_rows,
        find_layout=find_layout,
        reader=_reader,
        advice="请使用本平台的账号分配表",
        unknown=lambda _: "这不是账号分配表，没有找到机构名称、类别这些列。请下载本平台的表格填写",
    )


def _reader(layout: Layout) -> Callable[[int, list[Cell]], Line | None]:
    return lambda row, cells: read_line(layout, row, cells) if _is_filled(layout, cells) else None


def _field_of(header: str) -> str | None:
    plain = heading(header)
    return next((field for field, pattern in _PATTERNS if pattern.fullmatch(plain)), None) if plain else None


def _is_filled(layout: Layout, cells: list[Cell]) -> bool:
    return any(column < len(cells) and not is_blank(cells[column]) for column in layout.columns.values())


def _optional(value: Cell, most: int) -> str:
    found = cleaning.text(value, most)
    return "" if found in NOTHING else found


def _code(value: Cell) -> str:
    found = cleaning.compact(value)
    if found and not CODE.fullmatch(found):
        raise BadValue(
            "not-a-code", f"区划代码要 12 位数字（2、4、6、9 位的自动补零），不能填“{cleaning.shortened(found)}”"
        )
    return found.ljust(12, "0") if found else ""


def _department(value: Cell) -> str:
    return "" if is_blank(value) else cleaning.choice(value, DEPARTMENTS, "部门")


def _phone(value: Cell) -> str:
    return "" if is_blank(value) else cleaning.mobile(value, "手机")


def _roles(value: Cell) -> list[str]:
    found = cleaning.several(value, ROLES, "角色")
    if not found:
        raise BadValue("missing", "没有填角色")
    return found


def _answer(arguments: list[str]) -> Iterator[Any]:
    path, most_rows = arguments
    return sheet_lines(Path(path), most_rows=int(most_rows))


if __name__ == "__main__":
    run_bounded(_answer)
