"""How long uploaded forms are kept (文件保存期限): they hold names and phones, and nobody needs them once corrected."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from nongma.accounts.queries import place_by_user
from nongma.audit.services import record_many
from nongma.origins.models import ImportJob

AT_ONCE = 500
UNFINISHED = (ImportJob.Status.QUEUED, ImportJob.Status.RUNNING)


def remove_old_uploads() -> int:
    """Delete the files of imports that ended `settings.KEEP_UPLOADS_DAYS` ago or earlier; how many files those were.

    The import, its faults and its audit entries stay. A file that belongs to no import, as a crash may leave, goes
    when it is that old. Only what is on disk is looked through, by the month in which it was uploaded; a month that is
    over and has no file left goes too.
    """
    before = timezone.now() - timedelta(days=settings.KEEP_UPLOADS_DAYS)
    removed = 0
    month = f"{timezone.localtime(before):%Y%m}"
    for folder in sorted(Path(settings.MEDIA_ROOT, "imports").glob("[0-9]" * 6)):
        if folder.name <= month:
            files = (path for path in sorted(folder.iterdir()) if path.is_file())
            while batch := list(islice(files, AT_ONCE)):
                removed += _remove(batch, before)
        if folder.name < month and not any(folder.iterdir()):
            folder.rmdir()
    return removed


def _remove(files: list[Path], before: datetime) -> int:
    """Remove those of the files that are old; a crash in between leaves files that the next run finds.

    They go after the commit: what is on record never names a file that a rolled-back transaction took away.
    """
    named = {path: _uid_of(path) for path in files}
    with transaction.atomic():
        jobs = ImportJob.objects.select_for_update(no_key=True).order_by("pk")
        known = {job.uid: job for job in jobs.filter(uid__in={uid for uid in named.values() if uid})}
        over = [job for job in known.values() if _is_over(job, before)]
        _forget(job for job in over if job.file)
    ended = {job.uid for job in over}
    old = [path for path, uid in named.items() if uid in ended or (uid not in known and _age(path) < before)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _forget(jobs: Iterable[ImportJob]) -> None:
    kept = list(jobs)
    ImportJob.objects.filter(pk__in=[job.pk for job in kept]).update(file="")
    places = place_by_user({job.user_id for job in kept})
    record_many(
        "import.file_removed",
        actor=None,
        targets=[("importjob", str(job.uid), places.get(job.user_id), {}) for job in kept],
    )


def _is_over(job: ImportJob, before: datetime) -> bool:
    return job.status not in UNFINISHED and (job.finished_at or job.created_at) < before


def _uid_of(path: Path) -> UUID | None:
    """The import that a file belongs to: `<uid>.xlsx` as uploaded, `<uid>.errors.xlsx` with its faults marked."""
    try:
        return UUID(path.name.partition(".")[0])
    except ValueError:
        return None


def _age(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_current_timezone())
