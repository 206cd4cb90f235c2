"""A worker or a database that is killed in the middle of an import: no row twice, none lost."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files import File
from django.db import connection, transaction

from bench.imports import write_form
from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.codes.models import CodeRange
from nongma.lib import embedded
from nongma.lib.locks import RunsElsewhere
from nongma.lib.tests.workers import SILENT, let_a_minute_pass, own_environment, wait_for, worker
from nongma.origins.models import ImportJob, Origin
from nongma.origins.services import imports
from nongma.origins.services.imports import run_import, submit_import
from nongma.registry.models import Base, Operator

FILES = Path(__file__).parent / "files"
# Eight chunks: killed after the second, a worker leaves most of the work to the next.
ROWS, STOPPED_AT = 8_000, 2_000

COUNTS = {
    "origins": "SELECT count(*) FROM origins_origin",
    "rows": "SELECT count(DISTINCT import_row) FROM origins_origin",
    "operators": "SELECT count(*) FROM registry_operator",
    "bases": "SELECT count(*) FROM registry_base",
    "codes": "SELECT count(*) FROM codes_coderange",
    "told": "SELECT count(*) FROM audit_entry WHERE action = 'origin.imported'",
}
WHOLE = {"origins": ROWS, "rows": ROWS, "operators": ROWS, "bases": ROWS, "codes": 2 * ROWS, "told": ROWS}


def submit(path: Path, actor: User) -> ImportJob:
    with path.open("rb") as handle:
        return submit_import(file=File(handle), filename=path.name, actor=actor)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_is_followed_by_the_next(transactional_db: None, ministry: User, tmp_path: Path) -> None:
    write_form(tmp_path / "form.xlsx", ROWS, seed=7)
    job = submit(tmp_path / "form.xlsx", ministry)
    env = own_environment()

    def row(status: str, least: int) -> Any:
        return ImportJob.objects.filter(pk=job.pk, status=status, last_row__gte=least).first()

    with worker(env):
        wait_for(lambda: row("running", STOPPED_AT))
    stopped = row("running", STOPPED_AT)
    assert stopped
    assert stopped.last_row < ROWS
    assert Origin.objects.count() == stopped.accepted
    let_a_minute_pass()
    with worker(env):
        wait_for(lambda: row("done", ROWS))
    job.refresh_from_db()
    assert (job.total, job.accepted, job.rejected, job.unchanged) == (ROWS, ROWS, 0, 0)
    with connection.cursor() as cursor:
        found = {}
        for name, query in COUNTS.items():
            cursor.execute(query)
            found[name] = cursor.fetchone()[0]
    assert found == WHOLE


PREPARE = """
from datetime import date
from pathlib import Path
from django.core.files import File
from bench.imports import write_form
from nongma.accounts.models import Agency, Membership, User
from nongma.origins.services.imports import submit_import
user = User.objects.create(username="m", name="部级", password="!", has_totp=True)
agency = Agency.objects.create(name="部", region_id=0, level=0, kind="supervision")
Membership.objects.create(user=user, agency=agency, role="reviewer", from_on=date(2020, 1, 1))
write_form(Path({path!r}), {rows}, seed=8)
with open({path!r}, "rb") as handle:
    submit_import(file=File(handle), filename="form.xlsx", actor=user)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_database_is_survived(own_server: Path) -> None:
    data = own_server
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"NONGMA_DATA": str(data)}

    def ask(query: str) -> Any:
        with psycopg.connect(
            host=str(embedded.socket_folder(data)), user=embedded.SUPERUSER, dbname=embedded.DATABASE
        ) as asked:
            found = asked.execute(query).fetchone()
            return found and found[0]

    prepare = [
        sys.executable,
        "manage.py",
        "shell",
        "-v0",
        "-c",
        PREPARE.format(path=str(data / "form.xlsx"), rows=ROWS),
    ]
    subprocess.run(prepare, cwd=settings.ROOT, env=env, check=True, capture_output=True)
    with worker(env):
        wait_for(lambda: ask(f"SELECT last_row >= {STOPPED_AT} FROM origins_importjob"))
        embedded.stop(data, mode="immediate")
        time.sleep(1)
    embedded.start(data)
    assert ask("SELECT status FROM origins_importjob") == "running"
    assert ask("SELECT last_row FROM origins_importjob") < ROWS
    assert ask("SELECT accepted FROM origins_importjob") == ask("SELECT count(*) FROM origins_origin")
    ask(f"{SILENT} RETURNING true")
    with worker(env):
        wait_for(lambda: ask("SELECT status = 'done' FROM origins_importjob"))
    assert ask("SELECT accepted FROM origins_importjob") == ROWS
    assert {name: ask(query) for name, query in COUNTS.items()} == WHOLE


def test_a_chunk_that_fails_leaves_nothing_of_itself(zhao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK", 200)
    job = submit(FILES / "yazhou-cowpea-500.xlsx", zhao)
    save, calls = imports.save_lines, []

    def fail_once(*args: Any, **options: Any) -> Any:
        calls.append(1)
        outcome = save(*args, **options)
        if len(calls) == 2:
            raise RuntimeError("the power went out")
        return outcome

    monkeypatch.setattr(imports, "save_lines", fail_once)
    with pytest.raises(RuntimeError):
        run_import(job.uid)
    job.refresh_from_db()
    assert (job.status, job.accepted, Origin.objects.count()) == ("running", 200, 200)
    assert Entry.objects.filter(action="origin.imported").count() == 200
    run_import(job.uid)
    job.refresh_from_db()
    assert (job.status, job.total, job.accepted, job.attempts) == ("done", 500, 500, 0)
    assert Origin.objects.values("import_row").distinct().count() == Origin.objects.count() == 500
    assert (Operator.objects.count(), Base.objects.count(), CodeRange.objects.count()) == (499, 500, 999)


def test_an_import_that_another_worker_holds_is_left_alone(transactional_db: None, zhao: User) -> None:
    job = submit(FILES / "yazhou-cowpea-500.xlsx", zhao)
    other = psycopg.connect(
        host=connection.settings_dict["HOST"],
        user=connection.settings_dict["USER"],
        dbname=connection.settings_dict["NAME"],
    )
    with contextlib.closing(other):
        other.execute("SELECT pg_advisory_lock(%s, %s)", [imports.RUN_LOCK, job.pk])
        with pytest.raises(RunsElsewhere):
            run_import(job.uid)
    job.refresh_from_db()
    assert (job.status, job.attempts, Origin.objects.count()) == ("queued", 0, 0)


def test_a_worker_that_was_overtaken_stops(zhao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNK", 200)
    job = submit(FILES / "yazhou-cowpea-500.xlsx", zhao)

    def overtake(running: ImportJob) -> None:
        with transaction.atomic():
            ImportJob.objects.filter(pk=running.pk).update(last_row=400)

    run_import(job.uid, progress=overtake)
    job.refresh_from_db()
    assert (job.status, job.accepted, Origin.objects.count()) == ("running", 200, 200)


def test_a_finished_import_is_not_run_again(zhao: User) -> None:
    job = submit(FILES / "yazhou-cowpea-500.xlsx", zhao)
    run_import(job.uid)
    run_import(job.uid)
    job.refresh_from_db()
    assert (job.status, job.accepted, job.unchanged) == ("done", 500, 0)
    assert Entry.objects.filter(action="import.finished").count() == 1
