"""A worker that is killed in the middle of a hand-out, and two hand-outs at once: nobody twice, no password lost."""

import threading
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import Count

from nongma.accounts.handouts import saving, services
from nongma.accounts.handouts.services import run_handout, submit_handout
from nongma.accounts.handouts.tests.conftest import HandOut, counts, station, workbook
from nongma.accounts.models import Agency, Figures, Handout, Membership, User
from nongma.lib.locks import RunsElsewhere, alone
from nongma.lib.tests.workers import let_a_minute_pass, own_environment, wait_for, worker
from nongma.testing import YAZHOU

# Three chunks and a part of one: killed after the first, a worker leaves most of the work to the next.
ROWS = 3 * services.CHUNK + 10


def submit(actor: User, rows: list[dict[str, str]]) -> Handout:
    return submit_handout(file=ContentFile(workbook(rows), name="账号.xlsx"), filename="账号.xlsx", actor=actor)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_is_followed_by_the_next(transactional_db: None, gao: User) -> None:
    rows = [station(number, agency=f"大蛋村监管{number % 7 + 1}站") for number in range(1, ROWS + 1)]
    handout = submit(gao, rows)
    env = own_environment()

    def standing(status: str, least: int) -> Handout | None:
        return Handout.objects.filter(pk=handout.pk, status=status, created__gte=least).first()

    with worker(env):
        wait_for(lambda: standing("running", services.CHUNK))
    stopped = standing("running", services.CHUNK)
    assert stopped
    assert stopped.created < ROWS
    assert stopped.rows.exclude(first_password="").count() == stopped.created
    let_a_minute_pass()
    with worker(env):
        wait_for(lambda: standing("done", ROWS))
    handout.refresh_from_db()
    assert counts(handout) == (ROWS, 0, 0, 0)
    people = User.objects.filter(agency__name__startswith="大蛋村")
    assert (people.count(), people.values("name").distinct().count()) == (ROWS, ROWS)
    assert Membership.objects.filter(user__in=people).count() == ROWS
    assert Agency.objects.filter(name__startswith="大蛋村").count() == handout.agencies == 7
    assert Figures.objects.get(pk=YAZHOU).people == ROWS + 1
    rows_made = handout.rows.exclude(first_password="").select_related("user")
    assert rows_made.count() == ROWS
    for row in rows_made[:: ROWS // 10]:
        assert row.user
        assert row.user.check_password(row.first_password)


def test_a_chunk_that_fails_leaves_nothing_of_itself(gao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CHUNK", 2)
    monkeypatch.setattr(saving, "make_password", str.upper)
    handout = submit(gao, [station(number) for number in range(1, 6)])
    record, calls = saving._record, []

    def fail_once(*arguments: Any) -> None:
        calls.append(1)
        record(*arguments)
        if len(calls) == 2:
            raise RuntimeError("the power went out")

    monkeypatch.setattr(saving, "_record", fail_once)
    with pytest.raises(RuntimeError):
        run_handout(handout.uid)
    handout.refresh_from_db()
    assert (handout.status, handout.created, handout.rows.count()) == ("running", 2, 2)
    assert User.objects.filter(name__startswith="周").count() == 2
    run_handout(handout.uid)
    handout.refresh_from_db()
    assert (handout.status, handout.attempts, counts(handout)) == ("done", 0, (5, 0, 0, 0))
    assert User.objects.filter(name__startswith="周").count() == 5


def test_it_gives_up_after_three_times(gao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    handout = submit(gao, [station(1)])

    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(services, "save_chunk", fail)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            run_handout(handout.uid)
    run_handout(handout.uid)
    handout.refresh_from_db()
    assert (handout.status, handout.created) == ("failed", 0)
    assert not User.objects.filter(name="周0001").exists()


def test_a_worker_that_was_overtaken_stops(gao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CHUNK", 2)
    monkeypatch.setattr(saving, "make_password", str.upper)
    handout = submit(gao, [station(number) for number in range(1, 6)])

    def overtake(running: Handout) -> None:
        Handout.objects.filter(pk=running.pk).update(last_row=5)

    run_handout(handout.uid, progress=overtake)
    handout.refresh_from_db()
    assert (handout.status, handout.created) == ("running", 2)


@pytest.mark.timeout(300)
def test_two_at_once_make_nobody_twice(transactional_db: None, gao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same people in two files, in another order: whoever comes second finds them."""
    monkeypatch.setattr(services, "CHUNK", 5)
    monkeypatch.setattr(saving, "make_password", str.upper)
    rows = [station(number, agency=f"大蛋村监管{number % 3 + 1}站") for number in range(1, 31)]
    handouts = [submit(gao, rows), submit(gao, rows[::-1])]
    failed: list[BaseException] = []

    def run(handout: Handout) -> None:
        try:
            run_handout(handout.uid)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(handout,)) for handout in handouts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    for handout in handouts:
        handout.refresh_from_db()
        assert handout.status == "done"
        assert handout.rejected == 0
    assert sum(handout.created for handout in handouts) == 30
    assert sum(handout.agencies for handout in handouts) == 3
    people = User.objects.filter(name__startswith="周")
    assert people.count() == 30
    assert not people.values("username").annotate(times=Count("pk")).filter(times__gt=1)
    assert not Membership.objects.values("user").annotate(times=Count("pk")).filter(times__gt=1)


def test_one_that_another_worker_holds_is_left_alone(transactional_db: None, gao: User, hand_out: HandOut) -> None:
    handout = submit(gao, [station(1)])
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with alone(services.RUN_LOCK, handout.pk):
            held.set()
            go.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    with pytest.raises(RunsElsewhere):
        run_handout(handout.uid)
    go.set()
    thread.join()
    handout.refresh_from_db()
    assert (handout.status, handout.attempts) == ("queued", 0)
