"""The uploaded sheet again with its faulty cells marked, to correct and load again. Runs in a process of its own.

A small workbook is marked in place and keeps its looks. A big one, an .xls or .csv, and one with formulas (whose values
would be lost) is written anew with the same cells in the same places, texts as texts whatever they begin with. Each
form has a module of its own that is the child (`mark_bounded`); it knows no database.
"""

import datetime
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import openpyxl
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from nongma.lib.sheets.bounded import run_bounded
from nongma.lib.sheets.opening import Format, format_of
from nongma.lib.sheets.reading import HEADER_WITHIN, BadCell, Cell, Sheet, sheets_of
from nongma.lib.sheets.writing import OPTIONS, print_mark, printed

IN_PLACE_BYTES = 1024 * 1024
AUTHOR = "农码"
TITLE = "导入问题"
RED, AMBER = "F8C9C4", "FCE6B8"

Faults = dict[int, list[dict[str, str]]]


class Layout(Protocol):
    """Where the fields of a form are in a sheet."""

    @property
    def columns(self) -> dict[str, int]: ...

    @property
    def header_row(self) -> int: ...


@dataclass(frozen=True)
class Form:
    """What marking has to know of a form: how its header is found, where a field's cell is, what is only a doubt."""

    title: str
    find_layout: Callable[[Iterable[tuple[int, list[Cell]]]], Layout | None]
    instead: Mapping[str, str] = field(default_factory=dict)
    doubts: frozenset[str] = frozenset()

    def place(self, layout: Layout, name: str) -> int | None:
        """The column of a field's cell, or of the one that stands for it."""
        return layout.columns.get(name, layout.columns.get(self.instead.get(name, "")))

    def colour(self, fault: dict[str, str]) -> str:
        return AMBER if fault["code"] in self.doubts else RED


def mark(source: Path, faults: Faults, target: Path, *, form: Form, most_rows: int, header: str = "") -> None:
    """Write the marked workbook: `faults` are those of each row number; `header` is printed on top of every page."""
    for sheet in sheets_of(source, most_rows=most_rows):
        rows = iter(sheet.rows)
        first = list(itertools.islice(rows, HEADER_WITHIN))
        layout = form.find_layout(first)
        if layout is None:
            continue
        small = format_of(source) is Format.XLSX and source.stat().st_size <= IN_PLACE_BYTES
        if not (small and _mark_in_place(source, sheet.name, layout, faults, target, form, header)):
            _write_anew(sheet, itertools.chain(first, rows), layout, faults, target, form, header)
        return


def _messages(faults: list[dict[str, str]]) -> str:
    return "；".join(fault["message"] for fault in faults)


def _mark_in_place(
    source: Path, name: str, layout: Layout, faults: Faults, target: Path, form: Form, header: str
) -> bool:
    # An open file: given a path, openpyxl goes by the ending of its name.
    with source.open("rb") as file:
        workbook = openpyxl.load_workbook(file, keep_links=False)
    if any(cell.data_type == "f" for sheet in workbook.worksheets for row in sheet.iter_rows() for cell in row):
        return False
    sheet = workbook[name]
    assert isinstance(sheet, Worksheet)
    top = sheet.oddHeader
    assert top is not None
    top.left.text = printed(header)
    last = _clear_marks(sheet, layout)
    sheet.cell(layout.header_row, last, TITLE)
    sheet.column_dimensions[get_column_letter(last)].width = 60
    for number, found in faults.items():
        for fault in found:
            column = form.place(layout, fault["field"])
            if column is None:
                continue
            cell = sheet.cell(number, column + 1)
            cell.fill = PatternFill("solid", fgColor=form.colour(fault))
            if not isinstance(cell, openpyxl.cell.MergedCell):
                cell.comment = Comment(fault["message"], AUTHOR, width=280, height=80)
        sheet.cell(number, last, _messages(found))
    workbook.save(target)
    return True


def _clear_marks(sheet: Worksheet, layout: Layout) -> int:
    """Take an earlier marking off, if the sheet is one that was downloaded here; the column that tells the faults."""
    title = next((cell.column for cell in sheet[layout.header_row] if cell.value == TITLE), None)
    if title is None:
        return sheet.max_column + 1
    for row in sheet.iter_rows(min_row=layout.header_row + 1):
        for cell in row:
            if cell.comment and cell.comment.author == AUTHOR:
                cell.comment = None
            if cell.fill.fill_type == "solid" and str(cell.fill.fgColor.rgb)[-6:] in (RED, AMBER):
                cell.fill = PatternFill()
            if cell.column == title:
                cell.value = None
    return int(title)


def _write_anew(
    sheet: Sheet,
    rows: Iterator[tuple[int, list[Cell]]],
    layout: Layout,
    faults: Faults,
    target: Path,
    form: Form,
    header: str,
) -> None:
    with xlsxwriter.Workbook(str(target), OPTIONS) as workbook:
        paper = workbook.add_worksheet(sheet.name[:31] or form.title)
        print_mark(paper, header)
        plain = workbook.add_format()
        dated = workbook.add_format({"num_format": "yyyy-mm-dd"})
        fills = {colour: workbook.add_format({"bg_color": f"#{colour}"}) for colour in (RED, AMBER)}
        dated_fills = {
            colour: workbook.add_format({"bg_color": f"#{colour}", "num_format": "yyyy-mm-dd"}) for colour in fills
        }
        last = max(layout.columns.values()) + 1
        paper.set_column(last, last, 60)
        for number, cells in rows:
            kept = [None if cell == TITLE else cell for cell in cells] if number <= layout.header_row else cells
            found = faults.get(number, [])
            colours = {form.place(layout, fault["field"]): form.colour(fault) for fault in found}
            for column, cell in enumerate(kept[:last]):
                colour = colours.get(column, "")
                if isinstance(cell, datetime.date):
                    paper.write_datetime(number - 1, column, _moment(cell), dated_fills.get(colour, dated))
                elif cell is None or isinstance(cell, (BadCell, datetime.time, datetime.timedelta)):
                    paper.write_blank(number - 1, column, None, fills.get(colour, plain))
                elif isinstance(cell, str):
                    paper.write_string(number - 1, column, cell, fills.get(colour, plain))
                else:
                    paper.write(number - 1, column, cell, fills.get(colour, plain))
            for fault in found:
                place = form.place(layout, fault["field"])
                if place is not None:
                    paper.write_comment(number - 1, place, fault["message"], {"author": AUTHOR})
            if number == layout.header_row:
                paper.write(number - 1, last, TITLE)
            elif found:
                paper.write(number - 1, last, _messages(found))


def _moment(cell: datetime.date) -> datetime.datetime:
    if isinstance(cell, datetime.datetime):
        return cell.replace(tzinfo=None)
    return datetime.datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 (a sheet knows no time zone)


def mark_bounded(form: Form) -> None:
    """The child's side: take source, faults, target, the most rows and the header from the command line."""

    def answer(arguments: list[str]) -> Iterator[Any]:
        source, faults, target, most_rows, header = arguments
        with open(faults, encoding="utf-8") as handle:
            found: Faults = dict(map(json.loads, handle))
        mark(Path(source), found, Path(target), form=form, most_rows=int(most_rows), header=header)
        yield {"marked": len(found)}

    run_bounded(answer)
