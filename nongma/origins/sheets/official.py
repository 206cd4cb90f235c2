"""附件1 in the official layout, from what is on file, as it goes to the level above (重点农产品产地溯源信息采集表).

Source of the layout and of its notes: 农质安（溯）函〔2023〕72号, 附件1.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from typing import IO

import xlsxwriter

from nongma.accounts.access import Action, scope_of
from nongma.accounts.exporting import check_amount
from nongma.accounts.models import User
from nongma.lib.refused import Refused
from nongma.lib.sheets.writing import new_workbook, print_mark
from nongma.origins.exports import MOST_EXPORTED, line_of
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Origin, OriginQuerySet
from nongma.origins.queries import in_batches

TITLE = "重点农产品产地溯源信息采集表"
COLUMNS: tuple[tuple[str, float], ...] = (
    ("序号", 6),
    ("种养殖主体名称*", 22),
    ("主体类型*", 14),
    ("所属行业*", 9),
    ("产品名称*", 10),
    ("别名", 9),
    ("产品认证类型", 10),
    ("省", 10),
    ("市", 10),
    ("县", 10),
    ("乡（镇）", 26),
    ("点位经纬度*", 22),
    ("种养殖主体联系人*", 10),
    ("种养殖主体联系方式（手机）*", 13),
    ("种养规模*", 9),
    ("种养规模单位*：种植产品（亩）；畜产品（头、只）；水产品（亩）", 12),
    ("上市时间*", 10),
    ("下市时间*", 10),
    ("生产方式*（露地、设施）", 10),
    ("追溯方式*（承诺达标合格证、追溯码、耳标、动物检疫合格证、包装标识、其他）", 22),
    ("信用等级", 8),
    ("网格员（乡镇监管员或村级协管员）姓名*", 12),
    ("网格员联系方式（手机）*", 13),
    ("信息采集员姓名*", 12),
    ("信息采集员联系方式（手机）*", 13),
)
ADDRESS = (7, 10)
"""The columns under 基地地址."""
SCALE = 14
TOWN, ON_SALE, AFTER_SALE = 9, 16, 18
"""Places in `line_of`."""
KINDS = ("enterprise", "cooperative", "family_farm", "household", "broker")
"""The types that the form knows; of an operator of several the first of these counts (单选)."""


def official_workbook(*, filters: OriginFilter, actor: User, mark: str, in_full: bool = False) -> tuple[IO[bytes], int]:
    """The records that a filter finds as 附件1 with its two rows of headings, and how many they are.

    Names and phones are masked; `in_full` writes them out, for who may see them in all the records' places, as it is
    asked for by the level above. What is on file comes back as it is when such a file is loaded again. Refuses
    `not_allowed` (in full), `too_many_rows` past `MOST_EXPORTED` and `nothing_found`.
    """
    found = filters.visible_to(actor)
    if in_full:
        _check_may_reveal(found, actor)
    check_amount(found, "产地信息", MOST_EXPORTED)
    with new_workbook(TITLE, mark=mark) as (file, book):
        count = _write(book, _rows(found, in_full), mark)
    return file, count


def _check_may_reveal(found: OriginQuerySet, actor: User) -> None:
    area = scope_of(actor, Action.REVEAL_PERSONAL)
    if not area.spans or found.exclude(area.query("region_id")).exists():
        raise Refused("not_allowed", "您的角色不能导出完整的姓名和手机号，没有导出")


def _write(book: xlsxwriter.Workbook, rows: Iterable[list[str]], mark: str) -> int:
    sheet = book.add_worksheet("采集表")
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    head = book.add_format({"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "border": 1})
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "vcenter", "num_format": "@"})
    number = book.add_format({"border": 1, "valign": "vcenter"})
    print_mark(sheet, mark)
    sheet.set_landscape()
    sheet.set_paper(8)  # A3
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(1, 2)
    sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, TITLE, title)
    first, last = ADDRESS
    for column, (heading, width) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
        above = "基地地址*" if column == first else heading
        sheet.write_string(1, column, "" if first < column <= last else above, head)
    for column, (heading, _) in enumerate(COLUMNS):
        sheet.write_string(2, column, heading if first <= column <= last else "", head)
    # Rows are written one by one and left behind, so cells of two rows are merged by their place alone.
    sheet.merge.append([1, first, 1, last])
    sheet.merge += [[1, column, 2, column] for column in range(len(COLUMNS)) if not first <= column <= last]
    sheet.freeze_panes(3, 2)
    count = 0
    for count, cells in enumerate(rows, start=1):
        sheet.write_number(count + 2, 0, count, number)
        for column, text in enumerate(cells, start=1):
            if column == SCALE:
                sheet.write_number(count + 2, column, float(text), number)
            else:
                sheet.write_string(count + 2, column, text, cell)
    return count


def _rows(found: OriginQuerySet, in_full: bool) -> Iterator[list[str]]:
    origins = found.select_related("operator", "product").defer("operator__phone", "operator__id_number")
    for batch, names in in_batches(origins.order_by("region_id", "id")):
        for origin in batch:
            yield _cells(origin, names, in_full)


def _cells(origin: Origin, names: dict[int, str], in_full: bool) -> list[str]:
    """A line without its number: the form has one column for township and village, one type, and months."""
    line = line_of(origin, names, in_full=in_full)
    line[1] = _kind(origin)
    line[ON_SALE:AFTER_SALE] = _season(origin.on_sale_on, origin.off_sale_on)
    line[TOWN : TOWN + 2] = ["".join(line[TOWN : TOWN + 2])]
    return line


def _kind(origin: Origin) -> str:
    kinds = [kind for kind in KINDS if kind in origin.operator.kinds] or origin.operator.kinds[:1]
    labels = dict(type(origin.operator).Kind.choices)
    return str(labels.get(kinds[0], "")) if kinds else ""


def _season(first: date | None, last: date | None) -> tuple[str, str]:
    """On and off sale by month, as the form has it; by day where they are no whole months."""
    if first is None or last is None:
        return "", ""
    if first.day == 1 and last.day == monthrange(last.year, last.month)[1]:
        return f"{first:%Y-%m}", f"{last:%Y-%m}"
    return first.isoformat(), last.isoformat()
