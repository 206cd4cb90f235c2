"""Having an upload marked: the caller's side of `marking`."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nongma.lib.sealed import in_memory
from nongma.lib.sheets.bounded import Bounds, lines_from


@contextlib.contextmanager
def marked_workbook(
    source: Iterable[bytes], rows: Iterable[tuple[int, Any]], *, module: str, most_rows: int, bounds: Bounds
) -> Iterator[Path]:
    """The marked workbook of an upload, made by a form's module in a bounded process, as long as the block lasts.

    `rows` are row numbers with their faults.
    """
    listed = ((json.dumps(row, ensure_ascii=False) + "\n").encode() for row in rows)
    with in_memory(source) as plain, in_memory(listed) as faults, in_memory() as marked:
        with lines_from(module, str(plain), str(faults), str(marked), str(most_rows), bounds=bounds) as answers:
            for _ in answers:
                pass
        yield marked
