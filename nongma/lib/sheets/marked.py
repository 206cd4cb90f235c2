"""Having an upload marked: the caller's side of `marking`."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from nongma.lib.sealed import in_memory
from nongma.lib.sheets.bounded import Bounds, lines_from

CORRECTING = "改正标出的行"
"""What a marked sheet is taken out for, unless somebody says otherwise."""


@contextlib.contextmanager
def marked_workbook(
    source: Iterable[bytes], rows: Iterable[tuple[int, Any]], *, mark: str, module: str, most_rows: int, bounds: Bounds
) -> Iterator[Path]:
    """The marked workbook of an upload, made by a form's module in a bounded process, as long as the block lasts.

    `rows` are row numbers with their faults; `mark` is printed on top of every page.
    """
    listed = ((json.dumps(row, ensure_ascii=False) + "\n").encode() for row in rows)
    with in_memory(source) as plain, in_memory(listed) as faults, in_memory() as marked:
        with lines_from(module, str(plain), str(faults), str(marked), str(most_rows), mark, bounds=bounds) as answers:
            for _ in answers:
                pass
        yield marked


def upload_mark(name: str, at: datetime) -> str:
    """The mark of an upload that is given back: it is made once, so it tells who uploaded the sheet and when."""
    return f"{name} {timezone.localtime(at):%Y-%m-%d %H:%M} 上传，标出问题，供改正后再上传"
