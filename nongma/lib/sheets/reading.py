"""The rows of a sheet as plain cells, with what a spreadsheet hides: failed formulas, merged cells, hidden sheets."""

import csv
import datetime
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import python_calamine

from nongma.lib.refused import Refused
from nongma.lib.sheets.opening import SNIFFED_BYTES, Format, corrupt, encoding_of, format_of

WIDTH = 64
ROWS_BESIDE = 100
"""Rows that a sheet may have above its limit: titles, header, remarks."""
HEADER_WITHIN = 40
"""The first rows, among which a form's header is looked for."""

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that has no value: a formula that was never calculated, or one that gave an error."""

    reason: str


Cell = str | float | bool | datetime.date | datetime.time | datetime.timedelta | BadCell | None

NO_VALUE = BadCell("公式没有计算结果")
ERROR_VALUE = BadCell("公式结果是错误值")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One visible sheet: its name, how many rows it has, and its rows as (row number from 1, cells)."""

    name: str
    height: int
    rows: Iterator[tuple[int, list[Cell]]]


def sheets_of(path: Path, *, most_rows: int) -> Iterator[Sheet]:
    """The visible sheets of a file, one after the other.

    Refuses what `format_of` refuses, and `too_many_rows`. A cell that is merged downwards stands in each of its rows.
    Rows are cut at 64 columns. Meant for a process with bounds (`bounded`): a workbook is held whole in memory.
    """
    kind = format_of(path)
    if kind is Format.CSV:
        yield _text_sheet(path, most_rows)
        return
    try:
        with python_calamine.load_workbook(str(path)) as workbook:
            bad = _Scan(path, most_rows).bad if kind is Format.XLSX else {}
            for sheet in workbook.sheets_metadata:
                if (
                    sheet.visible is python_calamine.SheetVisibleEnum.Visible
                    and sheet.typ is python_calamine.SheetTypeEnum.WorkSheet
                ):
                    yield _workbook_sheet(workbook, sheet.name, bad.get(sheet.name, {}), most_rows)
    except python_calamine.PasswordError:
        raise Refused("password_protected", "文件有密码，读不了。请取消密码后再上传", field="file") from None
    except (python_calamine.CalamineError, zipfile.BadZipFile, ElementTree.ParseError, EOFError, OSError, KeyError):
        raise corrupt() from None


def _workbook_sheet(
    workbook: python_calamine.CalamineWorkbook, name: str, bad: dict[int, dict[int, BadCell]], most_rows: int
) -> Sheet:
    sheet = workbook.get_sheet_by_name(name)
    if sheet.total_height > most_rows + ROWS_BESIDE:
        raise too_many_rows(sheet.total_height, most_rows)
    spans = sorted(
        (start, stop, column)
        for (start, column), (stop, last_column) in sheet.merged_cell_ranges or ()
        if column == last_column and stop > start and column < WIDTH
    )
    return Sheet(name, sheet.total_height, _rows(sheet, bad, spans))


def _rows(
    sheet: python_calamine.CalamineSheet, bad: dict[int, dict[int, BadCell]], spans: list[tuple[int, int, int]]
) -> Iterator[tuple[int, list[Cell]]]:
    """Every row from the first of the sheet, with its merged and bad cells filled in."""
    before: list[Cell] = [None] * (sheet.start[1] if sheet.start else 0)
    held: dict[int, tuple[int, Cell]] = {}
    waiting = iter(spans)
    span = next(waiting, None)
    for index, values in enumerate(sheet.iter_rows()):
        cells = [*before, *(None if value == "" else value for value in values[:WIDTH])]
        for column, failed in bad.get(index, {}).items():
            if column < WIDTH:
                cells.extend([None] * (column + 1 - len(cells)))
                cells[column] = failed
        while span and span[0] <= index:
            if span[2] < len(cells):
                held[span[2]] = (span[1], cells[span[2]])
            span = next(waiting, None)
        for column, (stop, value) in list(held.items()):
            if index > stop:
                del held[column]
            else:
                cells[column] = value
        yield index + 1, cells


def _text_sheet(path: Path, most_rows: int) -> Sheet:
    with path.open("rb") as handle:
        encoding = encoding_of(handle.read(SNIFFED_BYTES))
    with path.open("rb") as handle:
        height = sum(piece.count(b"\n") for piece in iter(lambda: handle.read(PIECE_BYTES), b"")) + 1
    if height > 2 * (most_rows + ROWS_BESIDE):
        raise too_many_rows(height, most_rows)
    return Sheet("", height, _text_rows(path, encoding, most_rows))


def _text_rows(path: Path, encoding: str, most_rows: int) -> Iterator[tuple[int, list[Cell]]]:
    try:
        with path.open(encoding=encoding, newline="") as handle:
            delimiter = _delimiter(handle)
            for index, values in enumerate(csv.reader(handle, delimiter=delimiter), start=1):
                if index > most_rows + ROWS_BESIDE:
                    raise too_many_rows(index, most_rows)
                yield index, [value or None for value in values[:WIDTH]]
    except (UnicodeDecodeError, csv.Error):
        raise Refused(
            "corrupt_file", "文件里有不能识别的字符。请在表格软件里打开、另存为 .xlsx 后再上传", field="file"
        ) from None


def _delimiter(handle: IO[str]) -> str:
    """What stands between the cells: the most frequent of comma, tab and semicolon in the beginning."""
    start = handle.read(20_000)
    handle.seek(0)
    return max(",\t;", key=start.count)


def too_many_rows(rows: int, most_rows: int) -> Refused:
    """The refusal of a sheet that is too long."""
    return Refused(
        "too_many_rows",
        f"表格有 {rows:,} 行以上，一次最多 {most_rows:,} 行。请分成几个文件上传（末尾多余的空行请删除）",
        field="file",
    )


_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d+)"')
_SUSPECT = re.compile(
    rb'<(?:\w+:)?c\b(?P<attributes>[^>]*?\br="(?P<column>[A-Z]{1,3})(?P<row>\d+)"[^>]*?)(?P<closed>/?)>'
    rb"(?P<formula><(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?"
    rb"(?P<value><(?:\w+:)?v(?:\s*/>|>(?P<content>[^<]*)))?"
)


class _Scan:
    """One pass over a workbook's XML for what calamine leaves out: cells with an error value or no value, by sheet.

    It also finds the last row that holds a value, so that a sheet of a million rows is refused before it is loaded,
    and proves that no part of the archive is longer than it says.
    """

    def __init__(self, path: Path, most_rows: int) -> None:
        self.bad: dict[str, dict[int, dict[int, BadCell]]] = {}
        self._most_rows = most_rows
        with zipfile.ZipFile(path) as archive:
            for name, part in self._parts(archive).items():
                if part in archive.NameToInfo:
                    with archive.open(part) as handle:
                        self.bad[name] = self._scan(handle)

    @staticmethod
    def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
        """Sheet name → its part in the archive."""
        if "xl/workbook.xml" not in archive.NameToInfo:
            return {}
        targets = {
            link.get("Id"): link.get("Target", "")
            for link in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 (bounded)
        }
        parts = {}
        for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():  # noqa: S314 (bounded)
            if element.tag.rpartition("}")[2] == "sheet":
                key = next((value for name, value in element.attrib.items() if name.endswith("}id")), None)
                target = targets.get(key, "")
                parts[element.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        return parts

    def _scan(self, handle: IO[bytes]) -> dict[int, dict[int, BadCell]]:
        found: dict[int, dict[int, BadCell]] = {}
        kept = b""
        while piece := handle.read(PIECE_BYTES):
            text = kept + piece
            cut = text.rfind(b"<row")
            if cut <= 0:
                cut = text.rfind(b":row ")
                cut = text.rfind(b"<", 0, cut) if cut > 0 else -1
            if cut <= 0:
                kept = text if len(text) < 64 * PIECE_BYTES else b""
                continue
            self._scan_rows(text[:cut], found)
            kept = text[cut:]
        self._scan_rows(kept, found)
        return found

    def _scan_rows(self, text: bytes, found: dict[int, dict[int, BadCell]]) -> None:
        last = max(text.rfind(b"<v>"), text.rfind(b"<is>"), text.rfind(b":v>"))
        if last >= 0:
            start = max(text.rfind(b"<row", 0, last), text.rfind(b":row ", 0, last) - 4, 0)
            numbered = _ROW.search(text, start)
            if numbered and int(numbered[1]) > self._most_rows + ROWS_BESIDE:
                raise too_many_rows(int(numbered[1]), self._most_rows)
        if not (b"<f" in text or b":f" in text or b't="e"' in text):
            return
        for cell in _SUSPECT.finditer(text):
            failed = self._failed(cell)
            if failed:
                found.setdefault(int(cell["row"]) - 1, {})[_column(cell["column"])] = failed

    @staticmethod
    def _failed(cell: re.Match[bytes]) -> BadCell | None:
        if b't="e"' in cell["attributes"]:
            return ERROR_VALUE
        if cell["formula"] and not cell["content"] and b't="str"' not in cell["attributes"]:
            return NO_VALUE
        return None


def _column(letters: bytes) -> int:
    """A column's number from 0: A is 0, Z is 25, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
