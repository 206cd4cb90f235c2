"""Writing lists as workbooks, row by row, whatever their length."""

import tempfile
from collections.abc import Iterable, Sequence
from typing import IO

import xlsxwriter
from django.utils import timezone

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def workbook_of(
    title: str, headings: Sequence[tuple[str, float]], rows: Iterable[Sequence[str]], *, mark: str = ""
) -> tuple[IO[bytes], int]:
    """The workbook as an open file that vanishes when closed, and its number of rows; memory is flat in it.

    `headings` pairs the text of each column with its width in characters. `mark` tells who took it out and what for
    (`mark_of`): it is printed on top of every page and stands in the file's properties.
    """
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    book = xlsxwriter.Workbook(file, OPTIONS)
    count = write_sheet(book, title, headings, rows, mark=mark)
    if mark:
        book.set_properties({"title": title, "comments": mark})
    book.close()
    file.seek(0)
    return file, count


def mark_of(name: str, reason: str) -> str:
    """The mark of a workbook that somebody takes out: name, time in Shanghai, what for."""
    return f"{name} {timezone.localtime():%Y-%m-%d %H:%M} 导出，用途：{reason}"


def write_sheet(
    book: xlsxwriter.Workbook,
    title: str,
    headings: Sequence[tuple[str, float]],
    rows: Iterable[Sequence[str]],
    *,
    mark: str = "",
) -> int:
    """Add one sheet to a workbook made with `OPTIONS`; how many rows it has."""
    sheet = book.add_worksheet(title)
    if mark:
        sheet.set_header(f"&L{_printed(mark)}", {"margin": 0.3})
        sheet.set_footer("&C第 &P 页，共 &N 页")
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
    return count


def _printed(text: str) -> str:
    """A text as a header of at most 255 characters takes it, where `&` begins a command."""
    return text.replace("&", "&&")[:240]
