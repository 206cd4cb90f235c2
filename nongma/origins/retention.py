"""How long uploaded forms, their faults, reviews of a whole and prompts are kept (文件和办理过程的保存期限)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from nongma.accounts.queries import place_by_user
from nongma.audit.services import record_many
from nongma.lib.retention import Settled, days_ago, delete_details, delete_rows, remove_old_files
from nongma.origins.models import DuePrompt, ImportJob, ImportRow, ReviewJob

UNFINISHED = (ImportJob.Status.QUEUED, ImportJob.Status.RUNNING)


def remove_old_uploads() -> int:
    """Delete the files of imports that ended `settings.KEEP_UPLOADS_DAYS` ago or earlier; how many files those were.

    The import, its faults and its audit entries stay.
    """
    return remove_old_files("imports", days_ago(settings.KEEP_UPLOADS_DAYS), _settle)


def forget_faults() -> int:
    """Delete what was wrong row by row in imports that ended `settings.KEEP_JOBS_DAYS` ago; how many rows.

    The import stays with its counts: the records that it brought name it.
    """
    old = ImportJob.objects.filter(finished_at__lt=days_ago(settings.KEEP_JOBS_DAYS))
    return delete_details(old, lambda jobs: ImportRow.objects.filter(job__in=jobs), by=["job_id", "row"])


def forget_review_jobs() -> int:
    """Delete reviews of a whole that ended `settings.KEEP_JOBS_DAYS` ago; how many.

    What was decided stands in each record and in the log.
    """
    old = ReviewJob.objects.filter(finished_at__lt=days_ago(settings.KEEP_JOBS_DAYS))
    return delete_rows(old, by=["finished_at"])


def forget_prompts() -> int:
    """Delete the note of who was prompted to collect when, as long as messages are kept; how many."""
    before = timezone.localdate(days_ago(settings.KEEP_MESSAGES_DAYS))
    return delete_rows(DuePrompt.objects.filter(day__lt=before), by=["day"])


@transaction.atomic
def _settle(uids: set[UUID], before: datetime) -> Settled:
    jobs = list(ImportJob.objects.select_for_update(no_key=True).order_by("pk").filter(uid__in=uids))
    over = [job for job in jobs if _is_over(job, before)]
    _forget(job for job in over if job.file)
    return Settled({job.uid for job in jobs}, {job.uid for job in over})


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
