"""How long uploaded sheets are kept (文件保存期限): they hold names and phones that nobody needs once corrected."""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

AT_ONCE = 500


class Settled(NamedTuple):
    """Which of some uploads are on record, and which of those are over: their files go."""

    known: set[UUID]
    over: set[UUID]


def remove_old_files(folder: str, before: datetime, settle: Callable[[set[UUID], datetime], Settled]) -> int:
    """Delete the files `<folder>/<month>/<uid>.…` of uploads that ended before a time; how many files those were.

    `settle` notes in a transaction of its own that the files are gone: they go after the commit, so that what is on
    record never names a file that a rolled-back transaction took away; a crash in between leaves files that the next
    run finds. A file that belongs to no upload, as a crash may leave, goes when it is that old. Only what is on disk is
    looked through, by the month in which it was uploaded; a month that is over and has no file left goes too.
    """
    removed = 0
    month = f"{timezone.localtime(before):%Y%m}"
    for place in sorted(Path(settings.MEDIA_ROOT, folder).glob("[0-9]" * 6)):
        if place.name <= month:
            files = (path for path in sorted(place.iterdir()) if path.is_file())
            while batch := list(islice(files, AT_ONCE)):
                removed += _remove(batch, before, settle)
        if place.name < month and not any(place.iterdir()):
            place.rmdir()
    return removed


def _remove(files: list[Path], before: datetime, settle: Callable[[set[UUID], datetime], Settled]) -> int:
    named = {path: _uid_of(path) for path in files}
    known, over = settle({uid for uid in named.values() if uid}, before)
    old = [path for path, uid in named.items() if uid in over or (uid not in known and _age(path) < before)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _uid_of(path: Path) -> UUID | None:
    """The upload that a file belongs to: `<uid>.xlsx` as uploaded, `<uid>.errors.xlsx` with its faults marked."""
    try:
        return UUID(path.name.partition(".")[0])
    except ValueError:
        return None


def _age(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_current_timezone())
