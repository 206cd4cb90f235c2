"""Writing lists as workbooks and as CSV, row by row, whatever their length."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import xlsxwriter
from django.utils import timezone
from xlsxwriter.worksheet import Worksheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def new_workbook(title: str, *, mark: str = "") -> Iterator[tuple[IO[bytes], xlsxwriter.Workbook]]:
    """A workbook to fill row by row, and its file: once it is filled the file is open at its beginning.

    The file vanishes when closed; memory is flat in the number of rows. `mark` (`mark_of`) stands in the file's
    properties; whoever adds a sheet prints it on the pages (`print_mark`).
    """
    file = _new_file()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        if mark:
            book.set_properties({"title": title, "comments": mark})
        yield file, book
    file.seek(0)


def workbook_of(
    title: str, headings: Sequence[tuple[str, float]], rows: Iterable[Sequence[str]], *, mark: str = ""
) -> tuple[IO[bytes], int]:
    """A workbook of one list as in `new_workbook`, and its number of rows.

    `headings` pairs the text of each column with its width in characters. `mark` tells who took it out and what for: it
    is printed on top of every page.
    """
    with new_workbook(title, mark=mark) as (file, book):
        count = write_sheet(book, title, headings, rows, mark=mark)
    return file, count


def csv_of(headings: Sequence[str], rows: Iterable[Sequence[str]], *, mark: str) -> tuple[IO[bytes], int]:
    """A list as an open UTF-8 CSV file with a byte order mark, as spreadsheets expect it, and its number of rows.

    No cell begins like a formula. The last line is the mark (`mark_of`), which has no other place in such a file.
    """
    file = _new_file()
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    count = 0
    for cells in rows:
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell for cell in cells])
        count += 1
    writer.writerow([mark])
    text.flush()
    text.detach()
    file.seek(0)
    return file, count


def mark_of(name: str, reason: str) -> str:
    """The mark of a file that somebody takes out: name, time in Shanghai, what for."""
    return f"{name} {timezone.localtime():%Y-%m-%d %H:%M} 导出，用途：{reason}"


def print_mark(sheet: Worksheet, mark: str) -> None:
    """Print the mark on top of every page of a sheet, and the pages' numbers below."""
    if mark:
        sheet.set_header(f"&L{printed(mark)}", {"margin": 0.3})
    sheet.set_footer("&C第 &P 页，共 &N 页")


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
    print_mark(sheet, mark)
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


def _new_file() -> IO[bytes]:
    """A file that vanishes when closed."""
    return tempfile.TemporaryFile("w+b")


def printed(text: str) -> str:
    """A text as a header of at most 255 characters takes it, where `&` begins a command."""
    return text.replace("&", "&&")[:240]
