"""A filtered whole as a workbook or as CSV, in the columns of 附件1, with names of people and phone numbers masked."""

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import IO

import xlsxwriter
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.refused import Refused
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Origin
from nongma.origins.queries import in_batches
from nongma.regions.spans import WIDTHS

MOST_EXPORTED = 200_000
"""Of one export: the file is made while a person waits."""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
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


def export_workbook(*, filters: OriginFilter, actor: User) -> IO[bytes]:
    """An open .xlsx file that vanishes when closed; memory is flat in the number of rows. The export is on record.

    Refuses `too_many_rows` past `MOST_EXPORTED`.
    """
    _check_size(filters, actor)
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet("产地溯源信息")
    bold = book.add_format({"bold": True, "bg_color": "#e6f3ec", "border": 1, "text_wrap": True, "valign": "vcenter"})
    title = book.add_format({"bold": True, "font_size": 14})
    number = book.add_format({"num_format": "#,##0.00"})
    sheet.write_string(0, 0, "重点农产品产地溯源信息", title)
    sheet.write_string(1, 0, _stamp(filters, actor))
    for column, (heading, width) in enumerate(HEADINGS):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, heading, bold)
    sheet.freeze_panes(3, 1)
    row = 2
    for cells in _rows(filters, actor):
        row += 1
        for column, text in enumerate(cells):
            if column == SCALE_COLUMN:
                sheet.write_number(row, column, float(text), number)
            elif text:
                sheet.write_string(row, column, text)
    sheet.autofilter(2, 0, max(row, 3), len(HEADINGS) - 1)
    book.close()
    _note(filters, actor, row - 2, "xlsx")
    file.seek(0)
    return file


def export_csv(*, filters: OriginFilter, actor: User) -> IO[bytes]:
    """An open UTF-8 CSV file with a byte order mark, as spreadsheets expect it. The export is on record.

    Refuses `too_many_rows` past `MOST_EXPORTED`.
    """
    _check_size(filters, actor)
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow([heading for heading, _ in HEADINGS])
    count = 0
    for cells in _rows(filters, actor):
        count += 1
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell for cell in cells])
    text.flush()
    text.detach()
    _note(filters, actor, count, "csv")
    file.seek(0)
    return file


def _check_size(filters: OriginFilter, actor: User) -> None:
    if filters.visible_to(actor).order_by()[MOST_EXPORTED : MOST_EXPORTED + 1].exists():
        raise Refused("too_many_rows", f"一次最多导出 {MOST_EXPORTED:,} 条，没有导出。请先按地区、产品等缩小范围")


def _note(filters: OriginFilter, actor: User, rows: int, form: str) -> None:
    record(
        "origins.exported",
        actor=actor,
        target=actor,
        region_code=filters.region.code if filters.region else None,
        filter=filters.describe(),
        rows=rows,
        form=form,
    )


def _stamp(filters: OriginFilter, actor: User) -> str:
    at = timezone.localtime()
    return (
        f"筛选条件：{filters.describe()}。{actor.name}于 {at:%Y-%m-%d %H:%M} 导出；姓名只留姓，联系方式已隐去中间四位。"
    )


def _rows(filters: OriginFilter, actor: User) -> Iterator[list[str]]:
    origins = filters.visible_to(actor).select_related("operator", "product", "reviewed_by")
    ordered = origins.defer("operator__phone", "operator__id_number").order_by("region_id", "id")
    for batch, names in in_batches(ordered):
        for origin in batch:
            yield _cells(origin, names)


def _cells(origin: Origin, names: dict[int, str]) -> list[str]:
    path = [names.get(origin.region_id - origin.region_id % width, "") for width in WIDTHS[1:]]
    for level in range(len(path) - 1, 0, -1):
        if origin.region_id % WIDTHS[level] == 0:
            path[level] = ""
    reviewed = timezone.localtime(origin.reviewed_at).strftime("%Y-%m-%d %H:%M") if origin.reviewed_at else ""
    return [
        origin.operator.name,
        origin.operator.kind_names,
        origin.product.get_industry_display(),
        origin.product.name,
        origin.alias,
        origin.certification_names,
        *path,
        origin.point,
        mask_name(origin.contact),
        mask_phone(origin.phone),
        str(origin.scale),
        origin.get_unit_display(),
        origin.on_sale_on.isoformat() if origin.on_sale_on else "",
        origin.off_sale_on.isoformat() if origin.off_sale_on else "",
        origin.method_names,
        origin.trace_method_names,
        origin.credit,
        mask_name(origin.grid_name),
        mask_phone(origin.grid_phone),
        mask_name(origin.collector_name),
        mask_phone(origin.collector_phone),
        origin.get_state_display(),
        origin.reviewed_by.name if origin.reviewed_by else "",
        reviewed,
        str(origin.uid),
    ]
