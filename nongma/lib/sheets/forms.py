"""A form found in an uploaded file and read line by line in a bounded process: what the forms of all rooms share.

A form's own module says how its header is found and what a line is; it is the child (`python -m …`) that knows no
database.
"""

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nongma.lib.refused import Refused
from nongma.lib.sheets.bounded import Bounds, lines_from
from nongma.lib.sheets.opening import format_of
from nongma.lib.sheets.reading import HEADER_WITHIN, Cell, sheets_of

Line = TypeVar("Line")


class Layout(Protocol):
    """Where a form's header ends in a sheet, and which needed columns it lacks."""

    @property
    def header_row(self) -> int: ...

    @property
    def lacks(self) -> list[str]: ...


Found = TypeVar("Found", bound=Layout)


@contextlib.contextmanager
def open_lines(
    module: str, path: Path, *, most_rows: int, bounds: Bounds
) -> Generator[tuple[dict[str, Any], Iterator[Any]]]:
    """Read a form in a bounded process: the head that `form_lines` gives, and the lines, each to be taken once.

    Refuses what `form_lines` refuses, before the first line. Raises `ReaderDied` when the process ends in the middle.
    """
    format_of(path)
    with lines_from(module, str(path), str(most_rows), bounds=bounds) as answers:
        yield next(answers), answers


def form_lines(
    path: Path,
    *,
    most_rows: int,
    find_layout: Callable[[Iterable[tuple[int, list[Cell]]]], Found | None],
    reader: Callable[[Found], Callable[[int, list[Cell]], Line | None]],
    advice: str,
    unknown: Callable[[list[str]], str],
) -> Iterator[dict[str, Any] | Line]:
    """The child's answer: a head (`sheet`, about how many lines are `expected`), then the lines of the first sheet
    that holds the form; `reader` gives None for what is no line.

    Refuses what `sheets_of` refuses, `columns_missing` (closing with `advice`), `no_rows`, and `not_this_form` with
    what `unknown` makes of the names of the sheets that were looked at.
    """
    seen = []
    for sheet in sheets_of(path, most_rows=most_rows):
        rows = iter(sheet.rows)
        first = list(itertools.islice(rows, HEADER_WITHIN))
        layout = find_layout(first)
        if layout is None:
            seen.append(sheet.name)
            continue
        if layout.lacks:
            raise Refused("columns_missing", f"表格缺少这些列：{'、'.join(layout.lacks)}。{advice}")
        read, header_row = reader(layout), layout.header_row
        below = itertools.chain((item for item in first if item[0] > header_row), rows)
        lines = (line for number, cells in below if (line := read(number, cells)) is not None)
        start = next(lines, None)
        if start is None:
            raise Refused("no_rows", "表格里只有表头，没有填写的行")
        yield {"sheet": sheet.name, "expected": max(sheet.height - header_row, 1)}
        yield start
        yield from lines
        return
    raise Refused("not_this_form", unknown(seen))
