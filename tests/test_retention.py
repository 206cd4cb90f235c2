"""What is kept for how long (docs/retention.md): every table has its row, and what is said to remove it does."""

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asgiref.sync import async_to_sync
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from procrastinate.jobs import Job
from procrastinate.tasks import Task

from nongma.accounts.models import Handout, HandoutRow, IdempotencyKey, Session, User
from nongma.audit.models import Check
from nongma.lib.refused import Refused
from nongma.notices.models import Channel, Digest, DigestRun, Notice, Outgoing
from nongma.notices.sending import deliver, send_again
from nongma.origins.models import DuePrompt, ImportJob, ImportRow, Origin, OriginDraft, ReviewJob
from nongma.registry.models import Draft, Intake, IntakeRow, Invitation, KnownTry, PhoneCode, Sending
from nongma.testing import client_of, make_operator, make_origin, make_user

ROOT = Path(settings.ROOT)
PAGE = ROOT / "docs" / "retention.md"
LIBRARIES = {"axes", "procrastinate"}
ROW = re.compile(r"^\| `(\w+\.\w+)` \|(?:[^|]*\|){4} ([^|]+) \|$", re.MULTILINE)
NAME = re.compile(r"`(nongma\.[\w.]+)`")
REMOVED = dict(ROW.findall(PAGE.read_text()))
REMOVERS = sorted({name for told in REMOVED.values() if "at once" not in told for name in NAME.findall(told)})
LATE, EARLY = timedelta(minutes=5), timedelta(minutes=-5)

pytestmark = pytest.mark.django_db


class Aged(NamedTuple):
    """What there is before a remover runs: what it has to take away, and what has to stay."""

    gone: list[Callable[[], bool]]
    stay: list[Callable[[], bool]]


def found(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def run(name: str) -> None:
    """Do what the worker does."""
    remover = found(name)
    if not isinstance(remover, Task):
        remover()
    elif inspect.iscoroutinefunction(remover.func):
        job = Job(id=0, lock=None, queueing_lock=None, queue="default", task_name=name)
        context = JobContext(app=app, job=job, start_timestamp=0, abort_reason=lambda: None)
        async_to_sync(remover.func)(context, timestamp=0)
    else:
        remover.func(timestamp=0)


def there(row: models.Model, **also: Any) -> Callable[[], bool]:
    """Asks whether a row is on file, as it was."""
    return row._meta.base_manager.filter(pk=row.pk, **also).exists if row._meta.base_manager else bool


def aged(model: type[models.Model], field: str, age: timedelta, **values: Any) -> Any:
    """A row that is so old by a field, whatever the model would write there."""
    row = model._base_manager.create(**values)
    moment: Any = timezone.now() - age
    model._base_manager.filter(pk=row.pk).update(**{field: moment})
    return row


def days(number: int) -> timedelta:
    return timedelta(days=number)


def both(model: type[models.Model], field: str, kept: timedelta, each: Callable[[int], dict[str, Any]]) -> Aged:
    """One row that is just past its time and one that just isn't."""
    old, young = (aged(model, field, kept + off, **each(number)) for number, off in enumerate((LATE, EARLY)))
    return Aged([there(old)], [there(young)])


def keys(li: User, tmp_path: Path) -> Aged:
    of_each = {"user": li, "digest": b"d", "status": 201, "headers": {}, "body": b"b"}
    return both(IdempotencyKey, "at", days(1), lambda number: {"key": str(number), **of_each})


def sessions(li: User, tmp_path: Path) -> Aged:
    now = timezone.now()
    values = {"session_data": "", "user_id": li.pk, "started_at": now, "seen_at": now, "agent": ""}
    old, young = (
        Session.objects.create(session_key=str(off), expire_date=now - off, **values) for off in (LATE, EARLY)
    )
    return Aged([there(old)], [there(young)])


def failures(li: User, tmp_path: Path) -> Aged:
    values = {"username": "li", "ip_address": "192.0.2.1", "http_accept": "", "path_info": ""}
    more: dict[Any, dict[str, Any]] = {
        AccessFailureLog: {},
        AccessAttempt: {"get_data": "", "post_data": "", "failures_since_start": 3},
        AccessLog: {},
    }
    made = [
        both(model, "attempt_time", timedelta(hours=1), lambda n, also=also: values | also | {"user_agent": str(n)})
        for model, also in more.items()
    ]
    return Aged([one for each in made for one in each.gone], [one for each in made for one in each.stay])


def _ended(model: type[models.Model], kept: timedelta, **values: Any) -> list[Any]:
    """Jobs that ended, one past its time, one not yet, and one that has not ended."""
    rows = [aged(model, "finished_at", kept + off, **values) for off in (LATE, EARLY)]
    for row in rows:
        row.refresh_from_db()
        model._base_manager.filter(pk=row.pk).update(created_at=row.finished_at, **_done(model))
    return [*rows, model._base_manager.create(**values)]


def _done(model: type[models.Model]) -> dict[str, Any]:
    names = {field.name for field in model._meta.concrete_fields}
    return {name: "done" for name in ("status", "state") if name in names}


def _handouts(li: User, kept: timedelta) -> list[Handout]:
    return _ended(Handout, kept, user=li, filename="名单.xlsx", digest=b"d")


def slips(li: User, tmp_path: Path) -> Aged:
    jobs = _handouts(li, days(settings.KEEP_SLIPS_DAYS))
    rows = [HandoutRow.objects.create(handout=job, row=1, user=li, first_password="Yi-ci-mi-ma") for job in jobs]
    told = [HandoutRow.objects.filter(pk=row.pk).exclude(first_password="").exists for row in rows]
    return Aged(told[:1], [*told[1:], *(there(row) for row in rows)])


def handout_rows(li: User, tmp_path: Path) -> Aged:
    jobs = _handouts(li, days(settings.KEEP_JOBS_DAYS))
    rows = [HandoutRow.objects.create(handout=job, row=n, user=li) for job in jobs for n in (1, 2)]
    return Aged([there(row) for row in rows[:2]], [there(row) for row in [*rows[2:], *jobs, li]])


def _files(jobs: list[Any], folder: Path) -> Aged:
    """The uploads of the jobs on disk; the one that is past its time goes, with the sheet that was made of it."""
    paths = []
    for job in jobs:
        path = folder / f"{timezone.localtime(job.created_at):%Y%m}" / f"{job.uid}.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        paths += [path, path.with_suffix(".errors.xlsx")]
    for path in paths:
        path.write_bytes(b"sheet")
    for job in jobs:
        job.refresh_from_db()
        name = f"{folder.name}/{timezone.localtime(job.created_at):%Y%m}/{job.uid}.xlsx"
        type(job)._base_manager.filter(pk=job.pk).update(file=name)
    return Aged([path.exists for path in paths[:2]], [*(path.exists for path in paths[2:]), *map(there, jobs)])


def sheets(li: User, tmp_path: Path) -> Aged:
    jobs = _handouts(li, days(settings.KEEP_UPLOADS_DAYS))
    for job in jobs:
        job.refresh_from_db()
    return _files(jobs, tmp_path / "handouts")


def _intakes(li: User, kept: timedelta) -> list[Intake]:
    jobs: list[Intake] = _ended(Intake, kept, user=li, filename="主体.xlsx", digest=b"d")
    for job in jobs:
        job.refresh_from_db()
    return jobs


def intake_sheets(li: User, tmp_path: Path) -> Aged:
    return _files(_intakes(li, days(settings.KEEP_UPLOADS_DAYS)), tmp_path / "intakes")


def intake_rows(li: User, tmp_path: Path) -> Aged:
    jobs = _intakes(li, days(settings.KEEP_JOBS_DAYS))
    rows = [
        IntakeRow.objects.create(intake=job, row=n, outcome="faulty", shown={"name": "李大山"}, faults=[])
        for job in jobs
        for n in (1, 2)
    ]
    return Aged([there(row) for row in rows[:2]], [there(row) for row in [*rows[2:], *jobs]])


def _imports(li: User, kept: timedelta) -> list[ImportJob]:
    jobs: list[ImportJob] = _ended(ImportJob, kept, user=li, filename="采集表.xlsx", size_bytes=1, digest=b"d")
    for job in jobs:
        job.refresh_from_db()
    return jobs


def uploads(li: User, tmp_path: Path) -> Aged:
    return _files(_imports(li, days(settings.KEEP_UPLOADS_DAYS)), tmp_path / "imports")


def faults(li: User, tmp_path: Path) -> Aged:
    jobs = _imports(li, days(settings.KEEP_JOBS_DAYS))
    rows = [
        ImportRow.objects.create(job=job, row=n, outcome="rejected", faults=[{"field": "phone", "value": "1"}])
        for job in jobs
        for n in (1, 2)
    ]
    return Aged([there(row) for row in rows[:2]], [there(row) for row in [*rows[2:], *jobs]])


def reviews(li: User, tmp_path: Path) -> Aged:
    values = {"user": li, "verdict": "approve", "filters": {"q": "李大山"}, "description": "李大山", "total": 1}
    old, *others = _ended(ReviewJob, days(settings.KEEP_JOBS_DAYS), until=timezone.now(), **values)
    return Aged([there(old)], [there(one) for one in others])


def sendings(li: User, tmp_path: Path) -> Aged:
    values: dict[str, Any] = {
        "filters": {"q": "李大山"},
        "description": "李大山",
        "total": 1,
        "found": 1,
        "matter": "stale",
        "finding": "很久没有更新",
        "demand": "请核对",
        "due_on": timezone.localdate(),
        "last_entry": 1,
    }
    values |= {"user": li}
    aged_ones = both(Sending, "finished_at", days(settings.KEEP_JOBS_DAYS), lambda number: values | {"status": "done"})
    return Aged(aged_ones.gone, [*aged_ones.stay, there(Sending.objects.create(**values))])


def checks(li: User, tmp_path: Path) -> Aged:
    values: dict[str, Any] = {"actor_id": li.pk, "actor_name": li.name, "finished_at": timezone.now()}
    old, young = (
        aged(Check, "finished_at", days(settings.KEEP_JOBS_DAYS) + off, **values, state="done") for off in (LATE, EARLY)
    )
    return Aged([there(old)], [there(young)])


def notices(li: User, tmp_path: Path) -> Aged:
    kept = days(settings.KEEP_NOTICES_DAYS)
    ahead = timezone.localdate() + days(3)
    of_each: dict[str, Any] = {"user": li, "kind": "decision", "title": "办好了"}
    old = [aged(Notice, "created_at", kept + LATE, **of_each, read_at=at) for at in (None, timezone.now())]
    young = [aged(Notice, "created_at", kept + EARLY, **of_each, read_at=at) for at in (None, timezone.now())]
    due = aged(Notice, "created_at", kept + LATE, **of_each, due_on=ahead)
    return Aged([there(one) for one in old], [there(one) for one in [*young, due]])


def _messages(state: Outgoing.State) -> list[Outgoing]:
    values: dict[str, Any] = {
        "channel": Channel.SMS,
        "via": "file",
        "purpose": "notice",
        "masked": "199****8499",
        "body": "李大山，您的主体已通过审核",
        "recipient": "19900008499",
        "from_address": "192.0.2.1",
        "state": state,
    }
    kept = days(settings.KEEP_MESSAGES_DAYS)
    return [aged(Outgoing, "created_at", kept + off, **values) for off in (LATE, EARLY)]


def texts(li: User, tmp_path: Path) -> Aged:
    made = [_messages(state) for state in Outgoing.State]
    gone: list[Callable[[], bool]] = []
    stay: list[Callable[[], bool]] = []
    for old, young in made:
        full = Outgoing.objects.exclude(body="").exclude(recipient="").exclude(from_address=None)
        gone += [full.filter(pk=old.pk).exists, Outgoing.objects.filter(pk=old.pk).exclude(recipient_index=b"").exists]
        stay += [there(old, masked="199****8499"), full.filter(pk=young.pk, state=young.state).exists]
    return Aged(gone, stay)


def digests(li: User, tmp_path: Path) -> Aged:
    today = timezone.localdate()
    old, young = (today - days(settings.KEEP_MESSAGES_DAYS + off) for off in (2, -2))
    told = [Digest.objects.create(user=li, day=day, unread=1, due=0) for day in (old, young)]
    runs = [DigestRun.objects.create(day=day) for day in (old, young)]
    return Aged([there(told[0]), there(runs[0])], [there(told[1]), there(runs[1])])


def prompts(li: User, tmp_path: Path) -> Aged:
    today = timezone.localdate()
    old, young = (
        DuePrompt.objects.create(user=li, day=today - days(settings.KEEP_MESSAGES_DAYS + off), stage="town", number=1)
        for off in (2, -2)
    )
    return Aged([there(old)], [there(young)])


def codes(li: User, tmp_path: Path) -> Aged:
    now = timezone.now()
    of_each = {"phone_index": b"i", "digest": b"d", "expires_at": now}
    return both(PhoneCode, "sent_at", days(1), lambda number: {**of_each, "used_at": now})


def tries(li: User, tmp_path: Path) -> Aged:
    return both(KnownTry, "at", days(1), lambda number: {"user": li})


def invitations(li: User, tmp_path: Path) -> Aged:
    """Invitations that nobody took up, of both ages, and one that somebody did long ago."""
    values = {"operator": make_operator(li), "invited_by": li, "state": Invitation.State.LAPSED}
    moment = timezone.now() - days(90)
    values["settled_at"] = moment
    old, young, taken = (
        Invitation.objects.create(phone=phone, expires_at=moment - off, user=user, **values)
        for phone, off, user in (("19900001111", LATE, None), ("19900002222", EARLY, None), ("19900003333", LATE, li))
    )
    return Aged([there(old)], [there(young), there(taken)])


def drafts(li: User, tmp_path: Path) -> Aged:
    people = [li, make_user("hu", "胡大海", is_operator=True)]
    return both(Draft, "changed_at", days(90), lambda number: {"user": people[number], "inputs_json": "{}"})


def origin_drafts(li: User, tmp_path: Path) -> Aged:
    return both(OriginDraft, "changed_at", days(90), lambda number: {"user": li, "inputs_json": "{}"})


def tasks(li: User, tmp_path: Path) -> Aged:
    """Tasks that ended in each way, and one that waits for ever."""
    gone: list[Callable[[], bool]] = []
    stay: list[Callable[[], bool]] = []
    for status in ("succeeded", "failed", "cancelled", "aborted", "todo"):
        for age in (days(14) + LATE, days(14) + EARLY):
            job = _task(status, age)
            (gone if age > days(14) and status != "todo" else stay).append(job)
    return Aged(gone, stay)


def _task(status: str, age: timedelta) -> Callable[[], bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
            " VALUES ('default', 'x', '{}', %s::procrastinate_job_status) RETURNING id",
            [status],
        )
        (key,) = cursor.fetchone()
        moment = timezone.now() - age
        cursor.execute("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", [moment, key])
        cursor.execute("INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, 'started', %s)", [key, moment])
    return lambda: (
        ProcrastinateJob.objects.filter(pk=key).exists() or ProcrastinateEvent.objects.filter(job_id=key).exists()
    )


EXAMPLES: dict[str, Callable[[User, Path], Aged]] = {
    "nongma.accounts.handouts.retention.forget_rows": handout_rows,
    "nongma.accounts.handouts.retention.remove_old_sheets": sheets,
    "nongma.accounts.handouts.slips.clear_old_slips": slips,
    "nongma.accounts.tasks.forget_ended_sessions": sessions,
    "nongma.accounts.tasks.forget_failures": failures,
    "nongma.accounts.tasks.forget_idempotency_keys": keys,
    "nongma.audit.retention.forget_checks": checks,
    "nongma.desk.tasks.forget_ended_tasks": tasks,
    "nongma.notices.retention.forget_digests": digests,
    "nongma.notices.retention.forget_messages": texts,
    "nongma.notices.retention.forget_notices": notices,
    "nongma.origins.retention.forget_faults": faults,
    "nongma.origins.retention.forget_prompts": prompts,
    "nongma.origins.retention.forget_review_jobs": reviews,
    "nongma.origins.retention.remove_old_uploads": uploads,
    "nongma.registry.directory.corrections.many.forget_sendings": sendings,
    "nongma.registry.intake.retention.forget_rows": intake_rows,
    "nongma.registry.intake.retention.remove_old_sheets": intake_sheets,
    "nongma.registry.people.services.forget_invited": invitations,
    "nongma.registry.self_registration.codes.forget_codes": codes,
    "nongma.registry.self_registration.services.forget_drafts": drafts,
    "nongma.origins.collecting.drafts.forget_drafts": origin_drafts,
    "nongma.registry.services.tries.forget_tries": tries,
}


def test_every_table_has_its_row() -> None:
    ours = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith("nongma.") or model._meta.app_label in LIBRARIES
    }
    assert ours - set(REMOVED) == set(), "missing from docs/retention.md"
    assert set(REMOVED) - ours == set(), "there is no such table any more"


def test_every_row_says_what_removes_it_or_why_it_stays() -> None:
    for label, told in REMOVED.items():
        assert told.startswith("kept: ") or NAME.search(told), label
        for name in NAME.findall(told):
            assert callable(found(name)), name


def test_every_remover_has_an_example_and_is_run_by_the_worker() -> None:
    assert sorted(EXAMPLES) == REMOVERS
    periodic = [one.task for one in app.periodic_registry.periodic_tasks.values()]
    for name in REMOVERS:
        remover, called = found(name), f"{name.rpartition('.')[2]}()"
        assert remover in periodic or any(called in inspect.getsource(task.func) for task in periodic), name


def test_a_task_is_given_keys_not_words() -> None:
    """Its arguments stand in the worker's own table, in the clear."""
    keys = {"timestamp", "context", "uid", "job_uid", "job_id", "notices", "decision", "key", "actor"}
    for name, task in app.tasks.items():
        if task.func.__module__.startswith("nongma."):
            assert set(inspect.signature(task.func).parameters) <= keys, name


@pytest.mark.parametrize("name", REMOVERS)
def test_what_is_past_its_time_goes_and_what_is_not_stays(
    name: str, li: User, certificate: Any, li_origin: Origin, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    official = [there(row) for row in (certificate, certificate.lot, certificate.operator, li_origin)]
    gone, stay = EXAMPLES[name](li, tmp_path)
    assert all(ask() for ask in [*gone, *stay, *official])
    run(name)
    assert not any(ask() for ask in gone)
    assert all(ask() for ask in [*stay, *official])
    run(name)
    assert all(ask() for ask in [*stay, *official])


SMALL = {"nongma.accounts.tasks.forget_failures", "nongma.desk.tasks.forget_ended_tasks"}
"""They read tables that hold an hour, and what failed."""


@pytest.mark.parametrize("name", [name for name in REMOVERS if name not in SMALL])
def test_what_is_past_its_time_is_found_by_an_index(name: str, li: User, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    EXAMPLES[name](li, tmp_path)
    with CaptureQueriesContext(connection) as asked:
        run(name)
    found = [one["sql"] for one in asked if one["sql"].startswith("SELECT") and "_advisory_" not in one["sql"]]
    assert found
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for statement in found:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, f"{statement}\n{plan}"


def test_the_newest_check_of_the_log_stays_however_old(li: User) -> None:
    values: dict[str, Any] = {"actor_id": li.pk, "actor_name": li.name, "finished_at": timezone.now()}
    old, newest = (aged(Check, "finished_at", days(4000), **values) for _ in range(2))
    run("nongma.audit.retention.forget_checks")
    assert list(Check.objects.all()) == [newest]
    assert old.pk != newest.pk


def test_a_message_that_waited_too_long_is_not_sent_any_more(ministry: User) -> None:
    waiting, _ = _messages(Outgoing.State.QUEUED)
    run("nongma.notices.retention.forget_messages")
    deliver(waiting.uid)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts, waiting.last_error) == ("failed", 0, "过了保存期限，没有发送")
    with pytest.raises(Refused) as refusal:
        send_again(outgoing=waiting, actor=ministry)
    assert refusal.value.code == "message_forgotten"
    waiting.refresh_from_db()
    assert waiting.state == "failed"
    page = client_of(ministry).get(reverse("notices:sent")).text
    assert "199****8499" in page
    assert "再发一次" not in page


def test_an_import_says_that_its_faults_are_gone(zhao: User, li_base: Any, cowpea: Any) -> None:
    job = _imports(zhao, days(settings.KEEP_JOBS_DAYS))[0]
    ImportJob.objects.filter(pk=job.pk).update(rejected=1, total=1)
    ImportRow.objects.create(job=job, row=1, outcome="rejected", faults=[{"field": "phone", "message": "少一位"}])
    brought = make_origin(li_base, cowpea, collected_by=zhao, import_job=job, import_row=2)
    assert "少一位" in client_of(zhao).get(job.get_absolute_url()).text
    run("nongma.origins.retention.forget_faults")
    page = client_of(zhao).get(job.get_absolute_url()).text
    assert "少一位" not in page
    assert "已按保存期限删除" in page
    assert "没有要改的地方" not in page
    brought.refresh_from_db()
    assert brought.import_job_id == job.pk


def test_the_library_keeps_no_log_of_its_own(li: User) -> None:
    client_of(li)
    assert not AccessLog.objects.exists()
