"""Having an upload marked: the caller's side of `marking`."""

import json
from typing import IO, Any

from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile

from nongma.lib.refused import Refused
from nongma.lib.sealed import in_memory
from nongma.lib.sheets.bounded import Bounds, lines_from

CORRECTING = "改正标出的行"
"""What a marked sheet is taken out for, unless somebody says otherwise."""


def marked_workbook(
    upload: FieldFile,
    rows: QuerySet[Any, tuple[int, Any]],
    *,
    mark: str,
    module: str,
    most_rows: int,
    bounds: Bounds,
    nothing: str,
) -> IO[bytes]:
    """The marked workbook of an upload, open at its beginning, made by a form's module in a bounded process.

    `rows` are row numbers with their faults; `mark` (`mark_of`) tells who takes it out and is printed on top of every
    page, so each person's is made for them. It is in memory only. Refuses `file_removed` when the upload is kept no
    longer, and `no_errors` (saying `nothing`) without a faulty row.
    """
    if not upload:
        raise Refused("file_removed", "文件已按保存期限删除")
    if not rows.exists():
        raise Refused("no_errors", nothing)
    listed = ((json.dumps(row, ensure_ascii=False) + "\n").encode() for row in rows.iterator(chunk_size=2_000))
    with (
        upload.open() as source,
        in_memory(source.chunks()) as plain,
        in_memory(listed) as faults,
        in_memory() as marked,
    ):
        with lines_from(module, str(plain), str(faults), str(marked), str(most_rows), mark, bounds=bounds) as answers:
            for _ in answers:
                pass
        # Opened once more, the content stays until whoever got it closes it.
        return marked.open("rb")
