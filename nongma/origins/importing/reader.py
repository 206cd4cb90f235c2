"""The bounded reader of 附件1: finds the form in a file and gives its lines. Runs in a process of its own.

`lines_of` is the caller's side; `python -m nongma.origins.importing.reader` is the child. It knows no database.
"""

import contextlib
import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nongma.lib.refused import Refused
from nongma.lib.sheets.bounded import Bounds, lines_from, run_bounded
from nongma.lib.sheets.opening import format_of
from nongma.lib.sheets.reading import HEADER_WITHIN, sheets_of
from nongma.origins.importing.form import find_layout
from nongma.origins.importing.lines import Line, LineReader

MODULE = "nongma.origins.importing.reader"


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that is being read: its sheet, about how many lines it has, and the lines, each to be taken once."""

    sheet: str
    expected: int
    lines: Iterator[Line]


@contextlib.contextmanager
def open_form(path: Path, *, most_rows: int, bounds: Bounds) -> Generator[OpenForm]:
    """Read the form in a bounded process.

    Refuses what `sheets_of` refuses, and `not_this_form`, `columns_missing` and `no_rows`, before the first line.
    Raises `ReaderDied` when the process ends in the middle.
    """
    format_of(path)
    with lines_from(MODULE, str(path), str(most_rows), bounds=bounds) as answers:
        head = next(answers)
        yield OpenForm(head["sheet"], head["expected"], map(Line._make, answers))


def form_lines(path: Path, *, most_rows: int) -> Iterator[dict[str, Any] | Line]:
    """The child's answer: a head, then every line that is not empty and not a remark."""
    seen = []
    for sheet in sheets_of(path, most_rows=most_rows):
        rows = iter(sheet.rows)
        first = list(itertools.islice(rows, HEADER_WITHIN))
        layout = find_layout(first)
        if layout is None:
            seen.append(sheet.name)
            continue
        if layout.lacks:
            raise Refused(
                "columns_missing", f"表格缺少这些列：{'、'.join(layout.lacks)}。请使用官方采集表或本平台的模板"
            )
        read = LineReader(layout).read
        lines = (
            read(row, cells)
            for row, cells in itertools.chain((item for item in first if item[0] > layout.header_row), rows)
            if layout.is_line(cells)
        )
        start = next(lines, None)
        if start is None:
            raise Refused("no_rows", "表格里只有表头，没有填写的行")
        yield {"sheet": sheet.name, "expected": max(sheet.height - layout.header_row, 1)}
        yield start
        yield from lines
        return
    named = f"（看过的工作表：{'、'.join(seen[:5])}）" if any(seen) else ""
    raise Refused("not_this_form", f"这不是《重点农产品产地溯源信息采集表》{named}。请使用官方采集表或本平台的模板")


def _answer(arguments: list[str]) -> Iterator[Any]:
    path, most_rows = arguments
    return form_lines(Path(path), most_rows=int(most_rows))


if __name__ == "__main__":
    run_bounded(_answer)
