"""Taking away what is past its time (保存期限): rows in small batches, uploaded sheets with what they were read for.

What is kept for how long, and why, stands in docs/retention.md.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

AT_ONCE = 500


def days_ago(days: int) -> datetime:
    """The moment before which things are past their time."""
    return timezone.now() - timedelta(days=days)


def in_batches(rows: "models.QuerySet[Any]", *, by: Sequence[str], do: Callable[[list[Any]], object]) -> int:
    """Do something about all that a queryset finds, few rows a transaction; how many those were.

    `by`: the columns of the index that leads to them. `do` takes their keys, locked, and changes the rows so that they
    are found no more. Rows that another holds are left to the next run.
    """
    found = 0
    while True:
        with transaction.atomic():
            locked = rows.select_for_update(skip_locked=True, of=("self",)).order_by(*by)
            keys = list(locked.values_list("pk", flat=True)[:AT_ONCE])
            if not keys:
                return found
            do(keys)
        found += len(keys)


def delete_rows(rows: "models.QuerySet[Any]", *, by: Sequence[str]) -> int:
    """Delete all that a queryset finds, as `in_batches`; how many rows."""
    return in_batches(rows, by=by, do=lambda keys: rows.model._base_manager.filter(pk__in=keys).delete())


def delete_details(
    jobs: "models.QuerySet[Any]",
    details: Callable[[list[Any]], "models.QuerySet[Any]"],
    *,
    by: Sequence[str],
) -> int:
    """Delete the row-by-row results of jobs that ended long ago, and note it in `rows_removed_at`; how many rows.

    `details` tells the rows of some jobs, `by` the index that leads to them, whose first column is the job. The jobs
    stay, with their counts. A job of which another holds rows keeps those, and waits for the next run.
    """
    removed, held = 0, set[Any]()
    waiting = jobs.filter(rows_removed_at=None).order_by("finished_at").values_list("pk", flat=True)
    while keys := list(waiting.exclude(pk__in=held)[:AT_ONCE]):
        removed += delete_rows(details(keys), by=by)
        held.update(details(keys).order_by().values_list(by[0], flat=True).distinct())
        jobs.filter(pk__in=keys).exclude(pk__in=held).update(rows_removed_at=timezone.now())
    return removed


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
    """The upload that a file belongs to: `<uid>.xlsx`, and `<uid>.errors.xlsx` of an earlier release."""
    try:
        return UUID(path.name.partition(".")[0])
    except ValueError:
        return None


def _age(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_current_timezone())
