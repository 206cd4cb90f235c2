"""The list of operators as a workbook, personal data masked."""

import itertools
import tempfile
from collections.abc import Iterable
from typing import IO

import xlsxwriter
from django.utils import timezone

from nongma.lib.masking import mask_name, mask_phone
from nongma.regions.queries import paths_of
from nongma.registry.models import Operator

BATCH = 2_000
HEADINGS = (
    ("主体码", 24),
    ("名称", 32),
    ("主体类型", 20),
    ("所属行业", 14),
    ("行政区划", 40),
    ("地址", 24),
    ("统一社会信用代码", 22),
    ("联系人", 10),
    ("手机", 14),
    ("状态", 10),
    ("登记时间", 12),
)


def workbook_of(operators: Iterable[Operator]) -> tuple[IO[bytes], int]:
    """The workbook as an open file that vanishes when closed, and its number of rows; memory is flat in it."""
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("主体")
    bold = book.add_format({"bold": True, "bg_color": "#e6f3ec", "border": 1})
    for column, (heading, width) in enumerate(HEADINGS):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, bold)
    sheet.freeze_panes(1, 0)
    count = 0
    for batch in _batched(operators):
        paths = paths_of(operator.region_id for operator in batch)
        for operator in batch:
            count += 1
            for column, text in enumerate(_cells(operator, paths)):
                sheet.write_string(count, column, text)
    sheet.autofilter(0, 0, count, len(HEADINGS) - 1)
    book.close()
    file.seek(0)
    return file, count


def _batched(operators: Iterable[Operator]) -> Iterable[tuple[Operator, ...]]:
    rows = iter(operators)
    while batch := tuple(itertools.islice(rows, BATCH)):
        yield batch


def _cells(operator: Operator, paths: dict[int, str]) -> tuple[str, ...]:
    return (
        operator.code,
        operator.name,
        operator.kind_names,
        operator.industry_names,
        paths.get(operator.region_id, str(operator.region_id)),
        operator.shown_address,
        operator.uscc or "",
        mask_name(operator.contact),
        mask_phone(operator.phone),
        operator.get_status_display(),
        timezone.localtime(operator.created_at).strftime("%Y-%m-%d"),
    )
