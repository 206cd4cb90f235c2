"""A worker that is killed in the middle of a load: nobody twice, nobody lost."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.db import connection, transaction

from bench.intake import write_sheet
from nongma.accounts.models import User
from nongma.lib.tests.workers import let_a_minute_pass, own_environment, wait_for, worker
from nongma.registry.intake import services
from nongma.registry.intake.services import run_intake, submit_intake
from nongma.registry.models import Intake, IntakeOperator, Operator

# Eight chunks: killed after the second, a worker leaves most of the work to the next.
ROWS, STOPPED_AT = 8_000, 2_000
COUNTS = {
    "operators": "SELECT count(*) FROM registry_operator",
    "rows": "SELECT count(DISTINCT row) FROM registry_intakeoperator",
    "entries": "SELECT count(*) FROM registry_intakeoperator",
    "codes": "SELECT count(*) FROM codes_coderange",
    "produce": "SELECT count(*) FROM registry_produce",
    "told": "SELECT count(*) FROM audit_entry WHERE action = 'operator.loaded'",
}


def submit(path: Path, actor: User, **options: Any) -> Intake:
    with path.open("rb") as handle:
        return submit_intake(file=File(handle), filename=path.name, actor=actor, **options)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_is_followed_by_the_next(transactional_db: None, ministry: User, tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.xlsx", ROWS, seed=7)
    intake = submit(tmp_path / "sheet.xlsx", ministry, at_once=True)
    env = own_environment()

    def row(status: str, least: int) -> Any:
        return Intake.objects.filter(pk=intake.pk, status=status, last_row__gte=least).first()

    with worker(env):
        wait_for(lambda: row("running", STOPPED_AT))
    stopped = row("running", STOPPED_AT)
    assert stopped
    assert stopped.last_row < ROWS
    assert Operator.objects.count() == stopped.made
    let_a_minute_pass()
    with worker(env):
        wait_for(lambda: row("done", ROWS))
    intake.refresh_from_db()
    assert (intake.total, intake.made, intake.faulty, intake.doubled) == (ROWS, ROWS, 0, 0)
    with connection.cursor() as cursor:
        found = {}
        for name, query in COUNTS.items():
            cursor.execute(query)
            found[name] = cursor.fetchone()[0]
    assert found == dict.fromkeys(COUNTS, ROWS)


def test_a_chunk_that_fails_leaves_nothing_of_itself(
    ministry: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(services, "CHUNK", 20)
    write_sheet(tmp_path / "sheet.xlsx", 50, seed=8)
    intake = submit(tmp_path / "sheet.xlsx", ministry, at_once=True)
    load, calls = services.load_lines, []

    def fail_once(*args: Any, **options: Any) -> None:
        calls.append(1)
        load(*args, **options)
        if len(calls) == 2:
            raise RuntimeError("the power went out")

    monkeypatch.setattr(services, "load_lines", fail_once)
    with pytest.raises(RuntimeError):
        run_intake(intake.uid)
    intake.refresh_from_db()
    assert (intake.status, intake.made, Operator.objects.count()) == ("running", 20, 20)
    run_intake(intake.uid)
    intake.refresh_from_db()
    assert (intake.status, intake.made, intake.doubled, intake.attempts) == ("done", 50, 0, 0)
    assert IntakeOperator.objects.values("row").distinct().count() == Operator.objects.count() == 50


def test_a_worker_that_was_overtaken_stops(ministry: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(services, "CHUNK", 20)
    write_sheet(tmp_path / "sheet.xlsx", 50, seed=9)
    intake = submit(tmp_path / "sheet.xlsx", ministry, at_once=True)

    def overtake(running: Intake) -> None:
        with transaction.atomic():
            Intake.objects.filter(pk=running.pk).update(last_row=40)

    run_intake(intake.uid, progress=overtake)
    intake.refresh_from_db()
    assert (intake.status, intake.made, Operator.objects.count()) == ("running", 20, 20)
