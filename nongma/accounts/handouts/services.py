"""Handing accounts out by a sheet (批量分配账号): taking the file, running it chunk by chunk, going on after a kill."""

import logging
from collections.abc import Callable
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from nongma.accounts.access import Action, may
from nongma.accounts.handouts import marking
from nongma.accounts.handouts.judging import Around, Judge, Judged, Places
from nongma.accounts.handouts.saving import Secret, save_chunk, secrets_for
from nongma.accounts.handouts.sheet import TITLE, Line, open_sheet
from nongma.accounts.models import Handout, User
from nongma.accounts.queries import place_of
from nongma.accounts.services.telling import tell_handed_out
from nongma.accounts.services.turns import wait_for_turn
from nongma.audit.services import record
from nongma.lib.ids import uuid7
from nongma.lib.locks import take_turn
from nongma.lib.refused import Refused
from nongma.lib.sealed import in_memory
from nongma.lib.sheets.bounded import Bounds
from nongma.lib.sheets.faults import Fault
from nongma.lib.sheets.marked import marked_workbook
from nongma.lib.sheets.opening import format_of
from nongma.lib.sheets.running import MOST_ATTEMPTS, Overtaken, chunks, run_through
from nongma.lib.uploads import check_size, digest_of, shown_name, suffix_of

CHUNK = 50
MOST_ROWS = 20_000
MOST_CLASHES = 3
RUN_LOCK = 0x6861_6E64
SUBMIT_LOCK = 0x6861_6E73
UNFINISHED = (Handout.Status.QUEUED, Handout.Status.RUNNING)
COUNTS = ("created", "changed", "unchanged", "rejected", "agencies")

logger = logging.getLogger("nongma.handouts")

Progress = Callable[[Handout], None]


def submit_handout(*, file: "File[bytes]", filename: str, actor: User) -> Handout:
    """Take a sheet and queue its hand-out.

    Refuses `not_allowed`, `empty_file`, `file_too_large`, `handout_running` (the same file of the same person is being
    worked on), and what `format_of` refuses. A refused file is not kept.
    """
    _check_allowed(actor)
    check_size(file)
    digest = digest_of(file)
    uid = uuid7()
    with transaction.atomic():
        take_turn(SUBMIT_LOCK, f"{actor.pk}:{digest.hex()}")
        running = Handout.objects.filter(user=actor, digest=digest, status__in=UNFINISHED).first()
        if running:
            raise Refused("handout_running", f"同一个文件（{running.filename}）正在办理，请等它完成", field="file")
        handout = Handout(uid=uid, user=actor, filename=shown_name(filename, TITLE), digest=digest)
        with in_memory(file.chunks()) as plain:
            format_of(plain)
        handout.file.save(f"{uid}{suffix_of(filename)}", file, save=False)
        try:
            handout.save(force_insert=True)
            _record("handout.queued", handout, filename=handout.filename)
            _defer(handout)
        except BaseException:
            handout.file.delete(save=False)
            raise
    return handout


def run_handout(uid: UUID | str, *, progress: Progress | None = None) -> None:
    """Hand out what is left of a sheet, chunk by chunk, each chunk one transaction with how far the hand-out is.

    Safe to call again after any kill: it goes on behind the last chunk that was committed. Whoever uploaded it has to
    be allowed to hand out accounts at every chunk. A file that can't be read ends it as failed, with a sentence that
    says why. Raises `RunsElsewhere`, and whatever may pass by itself, until tried three times without progress.
    """
    handout = Handout.objects.select_related("user").get(uid=uid)
    if handout.status not in UNFINISHED:
        return
    run_through(
        handout,
        lock=RUN_LOCK,
        start=lambda: _start(handout),
        work=lambda: _run(handout, progress),
        fail=lambda reason: _fail(handout, reason),
        logger=logger,
    )


def faults_workbook(handout: Handout, mark: str) -> IO[bytes]:
    """The uploaded sheet with its faulty cells marked, and `mark` on every page: who takes it out and what for.

    Refuses `handout_unfinished`, `file_removed` and `no_errors`.
    """
    if handout.status in UNFINISHED:
        raise Refused("handout_unfinished", "还没有办完，请稍后再下载")
    return marked_workbook(
        handout.file,
        handout.rows.exclude(faults=[]).order_by("row").values_list("row", "faults"),
        mark=mark,
        module=marking.MODULE,
        most_rows=MOST_ROWS,
        bounds=_bounds(),
        nothing="没有需要修改的行",
    )


def _bounds() -> Bounds:
    return Bounds(memory_bytes=settings.IMPORT_MEMORY_BYTES)


def _run(handout: Handout, progress: Progress | None) -> None:
    with (
        handout.file.open() as upload,
        in_memory(upload.chunks()) as plain,
        open_sheet(plain, most_rows=MOST_ROWS, bounds=_bounds()) as sheet,
    ):
        Handout.objects.filter(pk=handout.pk).update(total=max(handout.total, sheet.expected))
        places = Places()
        lines = (line for line in sheet.lines if line.row > handout.last_row)
        for chunk in chunks(lines, CHUNK):
            _hand_out(handout, chunk, places)
            if progress:
                progress(handout)
    _finish(handout)


def _hand_out(handout: Handout, lines: list[Line], places: Places) -> None:
    """One chunk: first passwords are hashed before anything is locked; what another took meanwhile is judged anew."""
    codes, misplaced = places.find(lines)
    secrets: dict[int, Secret] = {}
    for attempt in range(1, MOST_CLASHES + 1):
        judged = _judge(handout, lines, codes, misplaced, lock=False)
        new = [one.line.row for one in judged if one.is_new_user and not one.faults]
        secrets |= secrets_for([row for row in new if row not in secrets])
        try:
            if _save(handout, lines, codes, misplaced, secrets):
                return
        except (IntegrityError, OperationalError) as error:
            passes = isinstance(error, IntegrityError) or isinstance(error.__cause__, DeadlockDetected)
            if not passes or attempt == MOST_CLASHES:
                raise
    raise RuntimeError(f"hand-out {handout.uid}: what lines {lines[0].row} and on find keeps changing")


@transaction.atomic
def _save(
    handout: Handout, lines: list[Line], codes: dict[int, int], misplaced: dict[int, Fault], secrets: dict[int, Secret]
) -> bool:
    """Judge the chunk again under locks and save it; False when a password is missing for somebody new by now."""
    wait_for_turn()
    standing = Handout.objects.select_for_update(no_key=True).get(pk=handout.pk)
    if standing.status != Handout.Status.RUNNING or standing.last_row != handout.last_row:
        raise Overtaken
    judged = _judge(standing, lines, codes, misplaced, lock=True)
    if any(one.is_new_user and not one.faults and one.line.row not in secrets for one in judged):
        return False
    save_chunk(standing, judged, secrets)
    standing.last_row, standing.attempts = lines[-1].row, 0
    fields = [*COUNTS, "last_row", "attempts"]
    standing.save(update_fields=fields)
    for name in fields:
        setattr(handout, name, getattr(standing, name))
    return True


def _judge(
    handout: Handout, lines: list[Line], codes: dict[int, int], misplaced: dict[int, Fault], *, lock: bool
) -> list[Judged]:
    actor = User.objects.select_related("agency").get(pk=handout.user_id)
    _check_allowed(actor)
    around = Around(lines, codes, lock=lock)
    return list(Judge(actor, around).judge(lines, codes, misplaced))


def _check_allowed(actor: User) -> None:
    if not may(actor, Action.MANAGE_ACCOUNTS):
        raise Refused("not_allowed", "您的角色不能分配账号")


@transaction.atomic
def _start(handout: Handout) -> bool:
    """Note that the hand-out runs; False when there is nothing to run."""
    standing = Handout.objects.select_for_update(no_key=True).get(pk=handout.pk)
    for name in ("status", "attempts", "last_row", "total", *COUNTS):
        setattr(handout, name, getattr(standing, name))
    if handout.status not in UNFINISHED:
        return False
    if handout.attempts >= MOST_ATTEMPTS:
        _fail(handout, "多次中断，已停止")
        return False
    handout.status = Handout.Status.RUNNING
    handout.attempts += 1
    handout.save(update_fields=["status", "attempts"])
    return True


@transaction.atomic
def _finish(handout: Handout) -> None:
    handout.status = Handout.Status.DONE
    _end(handout)
    _record("handout.finished", handout, **{name: getattr(handout, name) for name in COUNTS})
    tell_handed_out(handout=handout)


@transaction.atomic
def _fail(handout: Handout, reason: str) -> None:
    """End the hand-out with the reason and, when something was done, up to which row."""
    kept = "没有分配任何账号"
    if handout.last_row:
        kept = f"已处理到第 {handout.last_row} 行，新账号 {handout.created} 个；改好后重新上传整个文件，已有的不会重复"
    handout.status = Handout.Status.FAILED
    handout.message = f"{reason.rstrip('。')}。{kept}。"
    _end(handout)
    _record("handout.failed", handout, reason=reason, last_row=handout.last_row)
    tell_handed_out(handout=handout)


def _end(handout: Handout) -> None:
    handout.total = handout.created + handout.changed + handout.unchanged + handout.rejected
    handout.finished_at = timezone.now()
    handout.save(update_fields=["status", "message", "total", "finished_at"])


def _record(action: str, handout: Handout, **details: object) -> None:
    """Put it on record where the person works, so that the administrators of the place find it."""
    record(action, actor=handout.user, target=handout, region_code=place_of(handout.user), **details)


def _defer(handout: Handout) -> None:
    from nongma.accounts.tasks import hand_out_by_sheet

    hand_out_by_sheet.defer(uid=str(handout.uid))
