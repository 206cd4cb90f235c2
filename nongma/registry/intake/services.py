"""Loads of operators (批量登记): taking the sheet, checking it, loading what was confirmed, going on after a kill."""

import logging
from collections.abc import Callable
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, Scope, may, scope_of
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
from nongma.registry.intake import marking
from nongma.registry.intake.judging import Judge, Judged
from nongma.registry.intake.saving import COUNTS, load_lines, take_lines
from nongma.registry.intake.sheet import TITLE, open_sheet
from nongma.registry.intake.telling import tell_checked, tell_loaded
from nongma.registry.models import Intake

CHUNK = 1_000
RUN_LOCK = 0x6C6F_6164
SUBMIT_LOCK = 0x6C6F_6173
Status = Intake.Status
WORKING = (Status.QUEUED, Status.CHECKING, Status.CONFIRMED, Status.RUNNING)
"""What a worker has begun to read or will."""
COUNTED = [*COUNTS.values(), "last_row", "attempts"]

logger = logging.getLogger("nongma.intake")

Progress = Callable[[Intake], None]


def submit_intake(
    *, file: "File[bytes]", filename: str, actor: User, at_once: bool = False, approves: bool = False
) -> Intake:
    """Take a sheet and queue its check; `at_once`, as programs ask, loads it without waiting to be confirmed.

    Refuses `not_allowed`, `not_reviewer`, `empty_file`, `file_too_large`, `intake_running` (the same file of the same
    person is being worked on or waits to be confirmed), and what `format_of` refuses. A refused file is not kept.
    """
    _check_allowed(actor, approves=approves)
    check_size(file)
    digest = digest_of(file)
    uid = uuid7()
    with transaction.atomic():
        take_turn(SUBMIT_LOCK, f"{actor.pk}:{digest.hex()}")
        same = Intake.objects.filter(user=actor, digest=digest, status__in=(*WORKING, Status.READY)).first()
        if same:
            state = "正等您确认" if same.status == Status.READY else "正在办理，请等它完成"
            raise Refused("intake_running", f"同一个文件（{same.filename}）已经上传，{state}", field="file")
        intake = Intake(uid=uid, user=actor, filename=shown_name(filename, TITLE), digest=digest, approves=approves)
        if at_once:
            intake.status, intake.confirmed_by = Status.CONFIRMED, actor
        with in_memory(file.chunks()) as plain:
            format_of(plain)
        intake.file.save(f"{uid}{suffix_of(filename)}", file, save=False)
        try:
            intake.save(force_insert=True)
            note("intake.queued", intake, actor, filename=intake.filename)
            _defer(intake)
        except BaseException:
            intake.file.delete(save=False)
            raise
    return intake


@transaction.atomic
def confirm_intake(*, intake: Intake, approves: bool, actor: User) -> Intake:
    """Let a checked sheet be loaded; `approves`: a reviewer has verified it, its operators need no review.

    Refuses `not_allowed`, `not_reviewer`, `not_ready` (it was confirmed or given up meanwhile), `nothing_new`.
    """
    _check_allowed(actor, approves=approves)
    intake = Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    _check_ready(intake)
    if not intake.made:
        raise Refused("nothing_new", "表里没有可以新登记的主体")
    details = {name: getattr(intake, name) for name in COUNTS.values()}
    intake.status, intake.confirmed_by, intake.approves = Status.CONFIRMED, actor, approves
    intake.attempts = 0
    intake.save(update_fields=["status", "confirmed_by", "approves", "attempts"])
    note("intake.confirmed", intake, actor, **details)
    _defer(intake)
    return intake


@transaction.atomic
def drop_intake(*, intake: Intake, actor: User) -> Intake:
    """Give a checked sheet up; nothing was put on file. Refuses `not_ready`."""
    intake = Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    _check_ready(intake)
    intake.status, intake.finished_at = Status.DROPPED, timezone.now()
    intake.save(update_fields=["status", "finished_at"])
    note("intake.dropped", intake, actor)
    return intake


def run_intake(uid: UUID | str, *, progress: Progress | None = None) -> None:
    """Check a sheet, or load it when it was confirmed; chunk by chunk, each one transaction with how far it is.

    Safe to call again after any kill: it goes on behind the last chunk that was committed. Whoever confirmed it has to
    be allowed to at every chunk. Raises `RunsElsewhere`, and whatever may pass by itself, as `run_through`.
    """
    intake = Intake.objects.select_related("user", "confirmed_by").get(uid=uid)
    run_through(
        intake,
        lock=RUN_LOCK,
        start=lambda: _start(intake),
        work=lambda: _run(intake, progress),
        fail=lambda reason: _fail(intake, reason),
        logger=logger,
    )


def errors_workbook(intake: Intake, mark: str) -> IO[bytes]:
    """The uploaded sheet with its faulty cells marked, and `mark` on every page: who takes it out and what for.

    Refuses `intake_unfinished` while it is worked on, `file_removed` and `no_errors`.
    """
    if intake.status in WORKING:
        raise Refused("intake_unfinished", "还没有办完，请稍后再下载")
    return marked_workbook(
        intake.file,
        intake.rows.exclude(faults=[]).order_by("row").values_list("row", "faults"),
        mark=mark,
        module=marking.MODULE,
        most_rows=settings.IMPORT_ROWS,
        bounds=_bounds(),
        nothing="没有需要修改的行",
    )


def note(action: str, intake: Intake, actor: User, **details: Any) -> None:
    """Put it on record where the person works, so that the administrators of the place find it."""
    record(action, actor=actor, target=intake, region_code=place_of(actor), **details)


def person_of(intake: Intake) -> User:
    """For whom the sheet is worked on: who confirmed it, before that who uploaded it; read anew."""
    return User.objects.select_related("agency").get(pk=intake.confirmed_by_id or intake.user_id)


def _bounds() -> Bounds:
    return Bounds(memory_bytes=settings.IMPORT_MEMORY_BYTES)


def _check_allowed(actor: User, *, approves: bool) -> None:
    if not may(actor, Action.LOAD_OPERATORS):
        raise Refused("not_allowed", "您的角色不能批量登记主体")
    if approves and not may(actor, Action.REVIEW_OPERATORS):
        raise Refused("not_reviewer", "只有审核员可以直接通过", field="approves")


def _check_ready(intake: Intake) -> None:
    if intake.status != Status.READY:
        raise Refused("not_ready", f"这次批量登记现在是“{intake.get_status_display()}”，不用再办")


def _run(intake: Intake, progress: Progress | None) -> None:
    scope = scope_of(person_of(intake), Action.LOAD_OPERATORS)
    with (
        intake.file.open() as upload,
        in_memory(upload.chunks()) as plain,
        open_sheet(plain, most_rows=settings.IMPORT_ROWS, bounds=_bounds()) as sheet,
    ):
        intake.total = max(intake.total, sheet.expected)
        Intake.objects.filter(pk=intake.pk).update(total=intake.total)
        judge = Judge(scope)
        for chunk in chunks(sheet.lines, CHUNK):
            # What was worked through before a kill is judged again, so that later lines are known for doubles of it.
            judged = [one for one in judge.judge(chunk) if one.line.row > intake.last_row]
            if judged:
                _take(intake, judged, scope)
                if progress:
                    progress(intake)
    _finish(intake)


@transaction.atomic
def _take(intake: Intake, judged: list[Judged], scope: Scope) -> None:
    """Check or load one chunk, and move the load on behind it."""
    standing = Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    if standing.status != intake.status or standing.last_row != intake.last_row:
        raise Overtaken
    person = person_of(intake)
    _check_allowed(person, approves=standing.approves)
    if scope_of(person, Action.LOAD_OPERATORS) != scope:
        raise Refused("not_allowed", "办理人的职务、授权变了")
    if standing.status == Status.RUNNING:
        approves_in = scope_of(person, Action.REVIEW_OPERATORS) if standing.approves else Scope()
        load_lines(standing, judged, actor=person, scope=scope, approves_in=approves_in)
    else:
        take_lines(standing, judged, scope=scope)
    standing.last_row, standing.attempts = judged[-1].line.row, 0
    standing.save(update_fields=COUNTED)
    for name in COUNTED:
        setattr(intake, name, getattr(standing, name))


@transaction.atomic
def _start(intake: Intake) -> bool:
    """Note that the check or the load runs; False when there is nothing to run."""
    standing = Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    for name in ("status", "total", *COUNTED):
        setattr(intake, name, getattr(standing, name))
    if intake.status not in WORKING:
        return False
    if intake.attempts >= MOST_ATTEMPTS:
        _fail(intake, "多次中断，已停止")
        return False
    if intake.status in (Status.QUEUED, Status.CONFIRMED):
        intake.status = Status.CHECKING if intake.status == Status.QUEUED else Status.RUNNING
        for name in COUNTED:
            setattr(intake, name, 0)
    intake.attempts += 1
    intake.save(update_fields=["status", *COUNTED])
    return True


@transaction.atomic
def _finish(intake: Intake) -> None:
    checked = intake.status == Status.CHECKING
    intake.status = Status.READY if checked else Status.DONE
    _end(intake)
    if checked:
        tell_checked(intake)
    else:
        note("intake.finished", intake, person_of(intake), **{name: getattr(intake, name) for name in COUNTS.values()})
        tell_loaded(intake)


@transaction.atomic
def _fail(intake: Intake, reason: str) -> None:
    """End the load with the reason and, when something was put on file, up to which row."""
    kept = "没有登记任何主体"
    if intake.status == Status.RUNNING and intake.last_row:
        kept = f"已处理到第 {intake.last_row} 行，登记了 {intake.made} 个；改好后重新上传整个文件，已登记的不会重复"
    intake.status = Status.FAILED
    intake.message = f"{reason.rstrip('。')}。{kept}。"
    _end(intake)
    note("intake.failed", intake, person_of(intake), reason=reason, last_row=intake.last_row)
    tell_loaded(intake)


def _end(intake: Intake) -> None:
    intake.total, intake.finished_at = intake.done, timezone.now()
    intake.save(update_fields=["status", "message", "total", "finished_at"])


def _defer(intake: Intake) -> None:
    from nongma.registry.tasks import load_operators

    load_operators.defer(uid=str(intake.uid))
