"""A filtered whole as a workbook or as CSV, in the columns of 附件1, with names of people and phone numbers masked."""

from collections.abc import Iterable, Iterator
from typing import IO

import xlsxwriter
from django.utils import timezone

from nongma.accounts.exporting import check_amount
from nongma.accounts.models import User
from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.sheets.writing import csv_of, new_workbook, print_mark
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Origin
from nongma.origins.queries import in_batches
from nongma.regions.spans import WIDTHS

MOST_EXPORTED = 200_000
"""Of one export: the file is made while a person waits."""
TITLE = "重点农产品产地溯源信息"
MASKED = "姓名只留姓，联系方式已隐去中间四位。"
HEADINGS = (
    ("种养殖主体名称", 24),
    ("主体类型", 16),
    ("所属行业", 10),
    ("产品名称", 12),
    ("别名", 10),
    ("产品认证类型", 12),
    ("省", 12),
    ("市", 12),
    ("县", 12),
    ("乡（镇）", 18),
    ("村", 18),
    ("点位经纬度", 24),
    ("种养殖主体联系人", 12),
    ("种养殖主体联系方式（手机）", 14),
    ("种养规模", 12),
    ("种养规模单位", 8),
    ("上市时间", 12),
    ("下市时间", 12),
    ("生产方式", 12),
    ("追溯方式", 24),
    ("信用等级", 8),
    ("网格员姓名", 12),
    ("网格员联系方式（手机）", 14),
    ("信息采集员姓名", 12),
    ("信息采集员联系方式（手机）", 14),
    ("状态", 10),
    ("审核人", 12),
    ("审核时间", 18),
    ("编号", 38),
)
SCALE_COLUMN = 14


def origins_workbook(*, filters: OriginFilter, actor: User, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, open at its beginning and marked with who exported it, and its number of records.

    Refuses `too_many_rows` past `MOST_EXPORTED`, and `nothing_found`.
    """
    _check_amount(filters, actor)
    with new_workbook(TITLE, mark=mark) as (file, book):
        count = _write(book, _rows(filters, actor), f"筛选条件：{filters.describe()}。{mark}。{MASKED}", mark)
    return file, count


def origins_csv(*, filters: OriginFilter, actor: User, mark: str) -> tuple[IO[bytes], int]:
    """The same records as CSV. Refuses as `origins_workbook`."""
    _check_amount(filters, actor)
    return csv_of([heading for heading, _ in HEADINGS], _rows(filters, actor), mark=mark)


def _check_amount(filters: OriginFilter, actor: User) -> None:
    check_amount(filters.visible_to(actor), "产地信息", MOST_EXPORTED)


def _write(book: xlsxwriter.Workbook, rows: Iterable[list[str]], stamp: str, mark: str) -> int:
    sheet = book.add_worksheet("产地溯源信息")
    bold = book.add_format({"bold": True, "bg_color": "#e6f3ec", "border": 1, "text_wrap": True, "valign": "vcenter"})
    title = book.add_format({"bold": True, "font_size": 14})
    number = book.add_format({"num_format": "#,##0.00"})
    print_mark(sheet, mark)
    sheet.write_string(0, 0, TITLE, title)
    sheet.write_string(1, 0, stamp)
    for column, (heading, width) in enumerate(HEADINGS):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, heading, bold)
    sheet.freeze_panes(3, 1)
    count = 0
    for count, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells):
            if column == SCALE_COLUMN:
                sheet.write_number(count + 2, column, float(text), number)
            elif text:
                sheet.write_string(count + 2, column, text)
    sheet.autofilter(2, 0, max(count + 2, 3), len(HEADINGS) - 1)
    return count


def _rows(filters: OriginFilter, actor: User) -> Iterator[list[str]]:
    origins = filters.visible_to(actor).select_related("operator", "product", "reviewed_by")
    ordered = origins.defer("operator__phone", "operator__id_number").order_by("region_id", "id")
    for batch, names in in_batches(ordered):
        for origin in batch:
            yield _cells(origin, names)


def _cells(origin: Origin, names: dict[int, str]) -> list[str]:
    reviewed = timezone.localtime(origin.reviewed_at).strftime("%Y-%m-%d %H:%M") if origin.reviewed_at else ""
    return [
        *line_of(origin, names),
        origin.get_state_display(),
        origin.reviewed_by.name if origin.reviewed_by else "",
        reviewed,
        str(origin.uid),
    ]


def line_of(origin: Origin, names: dict[int, str], *, in_full: bool = False) -> list[str]:
    """What 附件1 asks of a record, in its order with the village beside the township; people masked unless `in_full`.

    `names` as `names_on_paths` gives them.
    """
    path = [names.get(origin.region_id - origin.region_id % width, "") for width in WIDTHS[1:]]
    for level in range(len(path) - 1, 0, -1):
        if origin.region_id % WIDTHS[level] == 0:
            path[level] = ""
    name, phone = (str, str) if in_full else (mask_name, mask_phone)
    return [
        origin.operator.name,
        origin.operator.kind_names,
        origin.product.get_industry_display(),
        origin.product.name,
        origin.alias,
        origin.certification_names,
        *path,
        origin.point,
        name(origin.contact),
        phone(origin.phone),
        str(origin.scale),
        origin.get_unit_display(),
        origin.on_sale_on.isoformat() if origin.on_sale_on else "",
        origin.off_sale_on.isoformat() if origin.off_sale_on else "",
        origin.method_names,
        origin.trace_method_names,
        origin.credit,
        name(origin.grid_name),
        phone(origin.grid_phone),
        name(origin.collector_name),
        phone(origin.collector_phone),
    ]
