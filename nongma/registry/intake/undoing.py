"""Taking a load back that nobody has claimed or built on (撤回): its operators are closed, on record, never deleted."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record_many
from nongma.codes.services import subjects_changed
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.lib.sheets.running import MOST_ATTEMPTS, Overtaken, chunks, run_through
from nongma.registry.directory.marks import mark
from nongma.registry.intake.matching import UNDONE
from nongma.registry.intake.services import CHUNK, RUN_LOCK, logger, note
from nongma.registry.intake.telling import tell_undo_failed, tell_undone
from nongma.registry.models import Intake, IntakeOperator, Operator
from nongma.registry.services.standing import BUILT_ON, OPEN

Status = Intake.Status
DAYS = 7
TIES = (*(Q(**{f"{name}__isnull": False}) for name in ("members", "revisions", "claims")), *BUILT_ON)
"""Each finds operators that somebody has claimed or built on."""
WITH_LOAD = {Status.DONE, Status.FAILED}


def undo_until(intake: Intake) -> datetime | None:
    """Until when a load may be taken back; None when there is nothing to take back."""
    if intake.status not in WITH_LOAD or not intake.finished_at or not intake.confirmed_by_id or not intake.made:
        return None
    return intake.finished_at + timedelta(days=DAYS)


@transaction.atomic
def undo_intake(*, intake: Intake, reason: str, actor: User) -> Intake:
    """Begin to take back what a load put on file; the worker closes its operators chunk by chunk.

    Refuses `nothing_loaded`, `too_late` (`DAYS` after it was done), `built_on` (an operator was claimed, or has
    records), `outside_area`, `reason_missing`, `text_too_long`.
    """
    intake = Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    until = undo_until(intake)
    if until is None:
        raise Refused("nothing_loaded", f"这次批量登记现在是“{intake.get_status_display()}”，没有可以撤回的")
    if timezone.now() > until:
        raise Refused("too_late", f"登记已超过 {DAYS} 天，不能整批撤回；个别的请在主体页面注销")
    scope = scope_of(actor, Action.LOAD_OPERATORS)
    if intake.entries.exclude(scope.query("operator__region_id")).exists():
        raise Refused("outside_area", "这批主体不全在您的管辖范围内")
    tied = tied_operators(intake)
    if tied:
        raise Refused("built_on", f"有 {tied} 个主体已被认领，或已有基地、产地信息等记录，不能整批撤回")
    intake.undone_for = checked_reason(reason, told="请写明为什么撤回")
    intake.status, intake.attempts = Status.UNDOING, 0
    intake.save(update_fields=["status", "undone_for", "attempts"])
    note("intake.undo_asked", intake, actor, reason=intake.undone_for)
    from nongma.registry.tasks import undo_load

    undo_load.defer(uid=str(intake.uid), actor=actor.pk)
    return intake


def run_undo(uid: UUID | str, actor: User) -> None:
    """Close the operators of a load, chunk by chunk; goes on after a kill. What was claimed meanwhile stays.

    Whoever asked for it has to be allowed to at every chunk. What can't go on ends as a failed load, with the reason;
    it may be asked for again. Raises `RunsElsewhere`, and whatever may pass by itself, as `run_through`.
    """
    intake = Intake.objects.get(uid=uid)
    run_through(
        intake,
        lock=RUN_LOCK,
        start=lambda: _start(intake, actor),
        work=lambda: _undo(intake, actor),
        fail=lambda reason: _fail(intake, reason, actor),
        logger=logger,
    )


def tied_operators(intake: Intake) -> int:
    """How many operators of a load somebody has claimed or built on."""
    tied: set[int] = set()
    for tie in TIES:
        tied.update(Operator.objects.filter(tie, intakes__intake=intake).order_by().values_list("pk", flat=True))
    return len(tied)


@transaction.atomic
def _start(intake: Intake, actor: User) -> bool:
    """Count one more start; False when there is nothing to take back any more."""
    standing = Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    for name in ("status", "undone_for", "undone", "undone_to", "attempts"):
        setattr(intake, name, getattr(standing, name))
    if intake.status != Status.UNDOING:
        return False
    if intake.attempts >= MOST_ATTEMPTS:
        _fail(intake, "多次中断，已停止", actor)
        return False
    intake.attempts += 1
    intake.save(update_fields=["attempts"])
    return True


def _undo(intake: Intake, actor: User) -> None:
    left = intake.entries.filter(pk__gt=intake.undone_to).order_by("pk").values_list("pk", flat=True)
    for chunk in chunks(list(left), CHUNK):
        _close(intake, chunk, actor)
    _finish(intake, actor)


@transaction.atomic
def _close(intake: Intake, chunk: list[int], actor: User) -> None:
    standing = Intake.objects.select_for_update(no_key=True).get(pk=intake.pk)
    if standing.status != Status.UNDOING or standing.undone_to != intake.undone_to:
        raise Overtaken
    person = User.objects.select_related("agency").get(pk=actor.pk)
    if not may(person, Action.LOAD_OPERATORS):
        raise Refused("not_allowed", "办理人的账号、职务已不能批量登记主体")
    scope = scope_of(person, Action.LOAD_OPERATORS)
    if IntakeOperator.objects.filter(pk__in=chunk).exclude(scope.query("operator__region_id")).exists():
        raise Refused("outside_area", "这批主体已不全在办理人的管辖范围内")
    reason = f"{UNDONE}：{standing.undone_for}"[:200]
    loaded = Operator.objects.filter(intakes__in=chunk, status__in=OPEN)
    operators = {one.pk: one for one in loaded.only("uid", "region_id").order_by("pk").select_for_update(of=("self",))}
    for tie in TIES:
        tied = Operator.objects.filter(tie, pk__in=operators).order_by()
        for pk in set(tied.values_list("pk", flat=True)):
            del operators[pk]
    Operator.objects.filter(pk__in=operators).update(status=Operator.Status.CANCELLED, stopped_for=reason)
    mark(operators)
    IntakeOperator.objects.filter(pk__in=chunk, operator__in=operators).update(undone_at=timezone.now())
    record_many(
        "operator.taken_back",
        actor=actor,
        targets=[
            ("operator", str(one.uid), one.region_id, {"reason": reason, "import": str(standing.uid)})
            for one in operators.values()
        ],
    )
    subjects_changed([one.uid for one in operators.values()])
    intake.undone_to, intake.undone, intake.attempts = chunk[-1], standing.undone + len(operators), 0
    intake.save(update_fields=["undone_to", "undone", "attempts"])


@transaction.atomic
def _fail(intake: Intake, reason: str, actor: User) -> None:
    """End taking back with the reason and with how many operators were closed by then."""
    intake.status = Status.FAILED
    intake.message = f"没有撤回完：{reason.rstrip('。')}。已撤回 {intake.undone} 个，其余的没有动。"
    intake.save(update_fields=["status", "message"])
    note("intake.undo_failed", intake, actor, reason=reason, undone=intake.undone)
    tell_undo_failed(intake)


@transaction.atomic
def _finish(intake: Intake, actor: User) -> None:
    intake.status = Status.UNDONE
    intake.save(update_fields=["status"])
    note("intake.undone", intake, actor, undone=intake.undone, kept=intake.made - intake.undone)
    tell_undone(intake)
