"""Having an upload marked: the caller's side of `marking`."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from django.core.files import File
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from nongma.lib.refused import Refused
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


def marked_beside(
    upload: FieldFile,
    uid: UUID,
    rows: QuerySet[Any, tuple[int, Any]],
    *,
    mark: str,
    module: str,
    most_rows: int,
    bounds: Bounds,
    nothing: str,
) -> "File[bytes]":
    """The marked workbook of an upload, made once and kept beside it as `<uid>.errors.xlsx`.

    Refuses `file_removed` when the upload is kept no longer, and `no_errors` (saying `nothing`) without a faulty row.
    """
    if not upload:
        raise Refused("file_removed", "文件已按保存期限删除")
    storage, name = upload.storage, str(PurePath(str(upload.name)).with_name(f"{uid}.errors.xlsx"))
    if storage.exists(name):
        return storage.open(name)
    if not rows.exists():
        raise Refused("no_errors", nothing)
    with (
        upload.open() as source,
        marked_workbook(
            source.chunks(),
            rows.iterator(chunk_size=2_000),
            mark=mark,
            module=module,
            most_rows=most_rows,
            bounds=bounds,
        ) as marked,
        marked.open("rb") as made,
    ):
        name = storage.save(name, File(made))
    return storage.open(name)
