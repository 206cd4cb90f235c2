"""Imports of 附件1 (批量导入): taking the file, running it chunk by chunk, going on after a kill."""

import logging
from collections.abc import Callable
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.audit.services import record
from nongma.lib.ids import uuid7
from nongma.lib.locks import take_turn
from nongma.lib.refused import Refused
from nongma.lib.sealed import in_memory
from nongma.lib.sheets.bounded import Bounds
from nongma.lib.sheets.marked import marked_workbook
from nongma.lib.sheets.opening import format_of
from nongma.lib.sheets.running import MOST_ATTEMPTS, Overtaken, chunks, run_through
from nongma.lib.uploads import check_size, digest_of, shown_name, suffix_of
from nongma.origins.importing import marking
from nongma.origins.importing.judging import Judge
from nongma.origins.importing.lines import Line
from nongma.origins.importing.reader import open_form
from nongma.origins.importing.saving import Outcome, save_lines
from nongma.origins.models import ImportJob
from nongma.origins.services.telling import tell_imported

CHUNK = 1_000
RUN_LOCK = 0x696D_706F
SUBMIT_LOCK = 0x7375_626D
UNFINISHED = (ImportJob.Status.QUEUED, ImportJob.Status.RUNNING)

logger = logging.getLogger("nongma.imports")

Progress = Callable[[ImportJob], None]


def submit_import(*, file: "File[bytes]", filename: str, actor: User) -> ImportJob:
    """Take a file and queue its import.

    Refuses `not_allowed` (the role may not collect), `empty_file`, `file_too_large`, `import_running` (the same file
    of the same person is being imported), and what `format_of` refuses. A refused file is not kept.
    """
    if not may(actor, Action.COLLECT_ORIGINS):
        raise Refused("not_allowed", "您的角色不能导入产地信息")
    size = check_size(file)
    digest = digest_of(file)
    uid = uuid7()
    with transaction.atomic():
        take_turn(SUBMIT_LOCK, f"{actor.pk}:{digest.hex()}")
        running = ImportJob.objects.filter(user=actor, digest=digest, status__in=UNFINISHED).order_by("-id").first()
        if running:
            raise Refused("import_running", f"同一个文件（{running.filename}）正在导入，请等它完成", field="file")
        job = ImportJob(uid=uid, user=actor, filename=shown_name(filename, "采集表"), size_bytes=size, digest=digest)
        with in_memory(file.chunks()) as plain:
            format_of(plain)
        job.file.save(f"{uid}{suffix_of(filename)}", file, save=False)
        try:
            job.save(force_insert=True)
            _record("import.queued", job, filename=job.filename, size_bytes=size)
            _defer(job)
        except BaseException:
            job.file.delete(save=False)
            raise
    return job


def run_import(job_uid: UUID | str, *, progress: Progress | None = None) -> None:
    """Import what is left of a job, chunk by chunk, each chunk one transaction with how far the job is.

    Safe to call again after any kill: it goes on behind the last chunk that was committed. A file that can't be read
    ends the job as failed, with a sentence that says why and what was saved. Raises `RunsElsewhere`, and whatever else
    may pass by itself (the database is away, the reader was killed) until it has been tried three times without
    progress.
    """
    job = ImportJob.objects.select_related("user").get(uid=job_uid)
    if job.status not in UNFINISHED:
        return
    has_run = run_through(
        job,
        lock=RUN_LOCK,
        start=lambda: _start(job),
        work=lambda: _run(job, progress),
        fail=lambda reason: _fail(job, reason),
        logger=logger,
    )
    if has_run and progress:
        progress(job)


def errors_workbook(job: ImportJob, mark: str) -> IO[bytes]:
    """The uploaded sheet with its faulty cells marked, and `mark` on every page: who takes it out and what for.

    Refuses `import_unfinished` while the import runs, `file_removed` when the upload is kept no longer, and `no_errors`
    when there is nothing to mark.
    """
    if job.status in UNFINISHED:
        raise Refused("import_unfinished", "导入还没有完成，请稍后再下载")
    return marked_workbook(
        job.file,
        job.rows.order_by("row").values_list("row", "faults"),
        mark=mark,
        module=marking.MODULE,
        most_rows=settings.IMPORT_ROWS,
        bounds=_bounds(),
        nothing="这次导入没有需要修改的行",
    )


def _bounds() -> Bounds:
    return Bounds(memory_bytes=settings.IMPORT_MEMORY_BYTES)


def _run(job: ImportJob, progress: Progress | None) -> None:
    with (
        job.file.open() as upload,
        in_memory(upload.chunks()) as plain,
        open_form(plain, most_rows=settings.IMPORT_ROWS, bounds=_bounds()) as form,
    ):
        judge = Judge(job.user)
        lines = (line for line in form.lines if line.row > job.last_row)
        job.total = max(job.total, form.expected)
        ImportJob.objects.filter(pk=job.pk).update(total=job.total)
        for chunk in chunks(lines, CHUNK):
            _save_chunk(job, chunk, judge)
            if progress:
                progress(job)
    _finish(job)


@transaction.atomic
def _save_chunk(job: ImportJob, chunk: list[Line], judge: Judge) -> None:
    """Judge and save one chunk, and move the job on behind it."""
    standing = ImportJob.objects.select_for_update().get(pk=job.pk)
    if standing.status != ImportJob.Status.RUNNING or standing.last_row != job.last_row:
        raise Overtaken
    _check_uploader(job)
    outcome: Outcome = save_lines(standing, judge.judge(chunk), actor=job.user)
    standing.accepted += outcome.accepted
    standing.to_locate += outcome.to_locate
    standing.unchanged += outcome.unchanged
    standing.rejected += outcome.rejected
    standing.last_row = chunk[-1].row
    standing.attempts = 0
    standing.save(update_fields=["accepted", "to_locate", "unchanged", "rejected", "last_row", "attempts"])
    for name in ("accepted", "to_locate", "unchanged", "rejected", "last_row", "attempts"):
        setattr(job, name, getattr(standing, name))


def _check_uploader(job: ImportJob) -> None:
    """What a person may no longer do isn't done for that person any more. Raises `not_allowed`."""
    now = User.objects.select_related("agency").get(pk=job.user_id)
    collects = Action.COLLECT_ORIGINS
    if not may(now, collects) or scope_of(now, collects) != scope_of(job.user, collects):
        raise Refused("not_allowed", "上传人的账号停用了，或职务、授权变了")


@transaction.atomic
def _start(job: ImportJob) -> bool:
    """Note that the job runs; False when there is nothing to run."""
    standing = ImportJob.objects.select_for_update().get(pk=job.pk)
    for name in ("status", "attempts", "last_row", "total", "accepted", "to_locate", "unchanged", "rejected"):
        setattr(job, name, getattr(standing, name))
    if job.status not in UNFINISHED:
        return False
    if job.attempts >= MOST_ATTEMPTS:
        _fail(job, "多次中断，已停止")
        return False
    if job.status == ImportJob.Status.QUEUED:
        job.started_at = timezone.now()
        _record("import.started", job)
    job.status = ImportJob.Status.RUNNING
    job.attempts += 1
    job.save(update_fields=["status", "attempts", "started_at"])
    return True


@transaction.atomic
def _finish(job: ImportJob) -> None:
    job.status = ImportJob.Status.DONE
    job.total = job.accepted + job.to_locate + job.unchanged + job.rejected
    job.finished_at = timezone.now()
    job.save(update_fields=["status", "total", "finished_at"])
    counts = {name: getattr(job, name) for name in ("accepted", "to_locate", "unchanged", "rejected")}
    _record("import.finished", job, **counts)
    tell_imported(job)


@transaction.atomic
def _fail(job: ImportJob, reason: str) -> None:
    """End the job with the reason and, when something was saved, up to which row."""
    saved = job.accepted + job.to_locate
    kept = "没有导入任何数据"
    if job.last_row:
        kept = f"已处理到第 {job.last_row} 行，保存了 {saved} 条；改好后重新上传整个文件，已保存的不会重复"
    job.status = ImportJob.Status.FAILED
    job.message = f"{reason.rstrip('。')}。{kept}。"
    job.total = job.accepted + job.to_locate + job.unchanged + job.rejected
    job.finished_at = timezone.now()
    job.save(update_fields=["status", "message", "total", "finished_at"])
    _record("import.failed", job, reason=reason, last_row=job.last_row)
    tell_imported(job)


def _record(action: str, job: ImportJob, **details: Any) -> None:
    """Put it on record where the person works, so that the administrators of the place find it."""
    record(action, actor=job.user, target=job, region_code=place_of(job.user), **details)


def _defer(job: ImportJob) -> None:
    from nongma.origins.tasks import import_origins

    import_origins.defer(job_uid=str(job.uid))
