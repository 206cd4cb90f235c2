"""Many writers at once and killed processes: nothing lost, nothing sealed twice, the chain whole."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from nongma.accounts.models import User
from nongma.audit.models import Entry, Seal, Unsealed
from nongma.audit.sealing import seal_all, seal_batch
from nongma.audit.services import record, record_many
from nongma.audit.verification import verify

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 120

pytestmark = [pytest.mark.django_db(transaction=True)]


def sealed_once() -> None:
    """Every entry stands in exactly one seal, the seals follow each other without a gap, and all is sound."""
    counts = Counter(key for ids in Seal.objects.values_list("entry_ids", flat=True) for key in ids)
    assert set(counts) == set(Entry.objects.values_list("pk", flat=True))
    assert set(counts.values()) <= {1}
    numbers = list(Seal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    report = verify()
    assert report.sound, report.findings[:3]


def in_threads(*works: Callable[[], None]) -> None:
    """Each in a thread with a connection of its own; the first that failed fails the test."""
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_many_writers_while_two_sealers_run(li: User) -> None:
    writers, each, rolled_back = 8, 60, 10
    writing = threading.Event()
    writing.set()

    def write() -> None:
        for number in range(each):
            with transaction.atomic():
                record("account.signed_in", actor=li, target=li, number=number)
                record_many("origin.imported", actor=li, targets=[("origin", str(number), None, {})] * 2)
                if number < rolled_back:
                    transaction.set_rollback(True)

    def seal() -> None:
        while writing.is_set():
            seal_batch()

    def write_all() -> None:
        try:
            in_threads(*[write] * writers)
        finally:
            writing.clear()

    in_threads(write_all, seal, seal)
    seal_all()
    assert Entry.objects.count() == writers * (each - rolled_back) * 3
    assert not Unsealed.objects.exists()
    assert Seal.objects.count() > 1
    sealed_once()


@contextlib.contextmanager
def process(code: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own on the test's database, killed with -9 at the end."""
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    env = {**os.environ, "DATABASE_URL": address, "NONGMA_DATA": str(settings.DATA)}
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    running = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE)
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        if running.stdout:
            running.stdout.close()


def wait_for(check: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def nobody_else() -> bool:
    """Whether the server has noticed that the killed one is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return bool(cursor.fetchone()[0] == 0)


WRITE = """
from nongma.accounts.models import User
from nongma.audit.services import record
from django.db import transaction
li = User.objects.get(username="li")
for number in range(5):
    record("account.signed_in", actor=li, target=li, number=number)
with transaction.atomic():
    for number in range(7):
        record("account.signed_in", actor=li, target=li, number=100 + number)
    print("written", flush=True)
    import time; time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_writer_killed_in_its_transaction_leaves_what_it_committed(li: User) -> None:
    record("account.created", actor=None, target=li)
    with process(WRITE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"written\n"
        # The sealer does not wait for the open transaction, and does not see it.
        assert seal_all() == 6
        writer.kill()
        writer.wait()
    wait_for(nobody_else)
    assert Entry.objects.count() == 6
    record("account.signed_in", actor=li, target=li)
    assert seal_all() == 1
    sealed_once()


SEAL = """
from unittest.mock import patch
from nongma.audit import sealing
from nongma.audit.models import Seal
sealing.SEALED_AT_ONCE = 100
sealing.seal_batch()
save = Seal.save
def save_and_wait(self, *arguments, **options):
    save(self, *arguments, **options)
    print("saved", flush=True)
    import time; time.sleep(600)
with patch.object(Seal, "save", save_and_wait):
    sealing.seal_batch()
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sealer_killed_between_seal_and_queue_seals_nothing_twice(li: User) -> None:
    record_many("origin.imported", actor=li, targets=(("origin", str(n), None, {}) for n in range(350)))
    with process(SEAL) as sealer:
        assert sealer.stdout
        assert sealer.stdout.readline() == b"saved\n"
        # Writers go on while the sealer holds its lock.
        record("account.signed_in", actor=li, target=li)
        assert Seal.objects.count() == 1
        sealer.kill()
        sealer.wait()
    wait_for(nobody_else)
    assert (Seal.objects.count(), Unsealed.objects.count()) == (1, 251)
    assert seal_all() == 251
    sealed_once()


WRITE_ON = """
import itertools
from nongma.accounts.models import User
from nongma.audit.services import record
li = User.objects.get(username="li")
for number in itertools.count():
    record("account.signed_in", actor=li, target=li, number=number)
    print(number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_a_killed_writer_was_told_is_written_is_there(li: User) -> None:
    """Three processes write on and on while the sealer runs, and are killed at any point."""
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(process(WRITE_ON)) for _ in range(3)]
        wait_for(lambda: (seal_all(), Entry.objects.count() > 300)[1])
        for writer in writers:
            writer.kill()
        told = [writer.stdout.read().split()[-1] for writer in writers if writer.stdout]
    wait_for(nobody_else)
    seal_all()
    kept = Counter(details["number"] for details in Entry.objects.values_list("details", flat=True))
    for last in map(int, told):
        assert all(kept[number] for number in range(last + 1))
    assert sum(kept.values()) >= sum(int(last) + 1 for last in told)
    sealed_once()
