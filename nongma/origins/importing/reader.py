"""The bounded reader of 附件1: finds the form in a file and gives its lines. Runs in a process of its own.

`open_form` is the caller's side; `python -m nongma.origins.importing.reader` is the child. It knows no database.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nongma.lib.sheets import forms
from nongma.lib.sheets.bounded import Bounds, run_bounded
from nongma.lib.sheets.reading import Cell
from nongma.origins.importing.form import Layout, find_layout
from nongma.origins.importing.lines import Line, LineReader

MODULE = "nongma.origins.importing.reader"
ADVICE = "请使用官方采集表或本平台的模板"


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that is being read: its sheet, about how many lines it has, and the lines, each to be taken once."""

    sheet: str
    expected: int
    lines: Iterator[Line]


@contextlib.contextmanager
def open_form(path: Path, *, most_rows: int, bounds: Bounds) -> Generator[OpenForm]:
    """Read the form in a bounded process; refuses and raises what `forms.open_lines` does."""
    with forms.open_lines(MODULE, path, most_rows=most_rows, bounds=bounds) as (head, answers):
        yield OpenForm(head["sheet"], head["expected"], map(Line._make, answers))


def form_lines(path: Path, *, most_rows: int) -> Iterator[dict[str, Any] | Line]:
    """The child's answer: a head, then every line that is not empty and not a remark."""
    return forms.form_lines(
        path, most_rows=most_rows, find_layout=find_layout, reader=_reader, advice=ADVICE, unknown=_unknown
    )


def _reader(layout: Layout) -> Callable[[int, list[Cell]], Line | None]:
    read = LineReader(layout).read
    return lambda row, cells: read(row, cells) if layout.is_line(cells) else None


def _unknown(seen: list[str]) -> str:
    named = f"（看过的工作表：{'、'.join(seen[:5])}）" if any(seen) else ""
    return f"这不是《重点农产品产地溯源信息采集表》{named}。{ADVICE}"


def _answer(arguments: list[str]) -> Iterator[Any]:
    path, most_rows = arguments
    return form_lines(Path(path), most_rows=int(most_rows))


if __name__ == "__main__":
    run_bounded(_answer)
