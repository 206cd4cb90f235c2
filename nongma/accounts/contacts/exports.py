"""The register as 附件2 asks for it, to print on A4 or to send up."""

import itertools
from collections.abc import Iterable, Iterator
from typing import IO

import xlsxwriter
from django.db.models import QuerySet

from nongma.accounts.contacts.queries import rows_of
from nongma.accounts.models import Agency
from nongma.accounts.models.contacts import FIELDS, Entry
from nongma.lib.sheets.writing import new_workbook, print_mark

ANNEX = "附件2："
TITLE = "重点农产品产地溯源信息采集工作联系方式"
NOTE = "注：省级联系方式报送至部农安中心汇总。"
HEADINGS = (
    ("序号", 6),
    ("牵头单位名称", 24),
    ("牵头单位负责人姓名", 12),
    ("职称/职务", 12),
    ("牵头单位负责人固定电话", 17),
    ("牵头单位负责人手机号", 14),
    ("具体负责人姓名", 12),
    ("具体负责人固定电话", 17),
    ("具体负责人手机号", 14),
    ("具体负责人邮箱", 24),
    ("备注", 14),
)
A4 = 9
BATCH = 1_000
FIRST_ROW = 3


def contacts_workbook(agencies: QuerySet[Agency], *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, open at its beginning and marked with who exported it, and its number of lines."""
    with new_workbook(TITLE, mark=mark) as (file, book):
        count = _write(book, _entries(agencies.iterator(chunk_size=BATCH)), mark)
    return file, count


def _write(book: xlsxwriter.Workbook, entries: Iterable[Entry], mark: str) -> int:
    sheet = book.add_worksheet("联系方式")
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    bold = book.add_format({"bold": True, "border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"})
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "vcenter"})
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(FIRST_ROW - 1)
    print_mark(sheet, mark)
    for column, (_, width) in enumerate(HEADINGS):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, ANNEX)
    sheet.merge_range(1, 0, 1, len(HEADINGS) - 1, TITLE, title)
    for column, (heading, _) in enumerate(HEADINGS):
        sheet.write_string(FIRST_ROW - 1, column, heading, bold)
    sheet.freeze_panes(FIRST_ROW, 0)
    count = 0
    for count, entry in enumerate(entries, start=1):
        row = FIRST_ROW + count - 1
        sheet.write_number(row, 0, count, cell)
        for column, text in enumerate((entry.unit, *(getattr(entry, name) for name in FIELDS)), start=1):
            sheet.write_string(row, column, text, cell)
    sheet.write_string(FIRST_ROW + count, 0, NOTE)
    return count


def _entries(agencies: Iterable[Agency]) -> Iterator[Entry]:
    """What was reported, in the order of the agencies; who has reported nothing is left out."""
    waiting = iter(agencies)
    while batch := list(itertools.islice(waiting, BATCH)):
        yield from (row.entry for row in rows_of(batch) if row.entry)
