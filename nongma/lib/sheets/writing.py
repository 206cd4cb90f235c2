"""Writing lists as workbooks, row by row, whatever their length."""

import tempfile
from collections.abc import Iterable, Sequence
from typing import IO

import xlsxwriter

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def workbook_of(
    title: str, headings: Sequence[tuple[str, float]], rows: Iterable[Sequence[str]]
) -> tuple[IO[bytes], int]:
    """The workbook as an open file that vanishes when closed, and its number of rows; memory is flat in it.

    `headings` pairs the text of each column with its width in characters.
    """
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    book = xlsxwriter.Workbook(file, OPTIONS)
    sheet = book.add_worksheet(title)
    bold = book.add_format({"bold": True, "bg_color": "#e6f3ec", "border": 1})
    for column, (heading, width) in enumerate(headings):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, bold)
    sheet.freeze_panes(1, 0)
    count = 0
    for count, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells):
            sheet.write_string(count, column, text)
    sheet.autofilter(0, 0, count, len(headings) - 1)
    book.close()
    file.seek(0)
    return file, count
