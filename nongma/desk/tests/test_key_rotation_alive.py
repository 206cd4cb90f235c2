"""The field key is changed on live data: killed in the middle, written to meanwhile, restored from before."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from nongma.accounts.models import User
from nongma.lib import embedded, fields, rotation
from nongma.lib.fields import blind_index, blind_indexes
from nongma.lib.tests.workers import own_environment, wait_for
from nongma.registry.models import Operator
from nongma.testing import YAZHOU_VILLAGE, make_operator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_keys")]
MANY = 6_000
WRITER = """
import itertools, sys
from nongma.accounts.models import User
from nongma.regions.models import Region
from nongma.registry.services import register_operator
actor, region = User.objects.get(username="wang"), Region.objects.get(code={region})
for number in itertools.count():
    register_operator(
        kinds=["household"], name=f"新户{{number}}", region=region, actor=actor, phone=f"1990001{{number:04}}"
    )
    print(number, flush=True)
"""

HOLDER = """
import time
from django.db import transaction
from nongma.registry.models import Operator
with transaction.atomic():
    Operator.objects.select_for_update().get(pk={pk})
    print("held", flush=True)
    time.sleep(600)
"""


def phone_of(number: int) -> str:
    return f"1990000{number:04}"


@pytest.fixture
def many(wang: User) -> list[int]:
    """Operators with phones under the old key; their primary keys in order."""
    made = make_operator(phone=phone_of(0), created_by=wang)
    more = [
        Operator(
            serial=made.serial + 10**6 + number,
            name=f"户{number}",
            kinds=["household"],
            industries=["planting"],
            status="approved",
            region_id=YAZHOU_VILLAGE,
            phone=phone_of(number),
            created_by=wang,
        )
        for number in range(1, MANY)
    ]
    return [made.pk, *(row.pk for row in Operator.objects.bulk_create(more, batch_size=1_000))]


@contextlib.contextmanager
def started(*command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own on this test's database and keys, killed with -9 at the end."""
    arguments = [sys.executable, "manage.py", *command]
    process = subprocess.Popen(arguments, cwd=settings.ROOT, env=own_environment(), stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def written_anew() -> int:
    """How many operators lie under the newest key."""
    newest = fields.ring().newest
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM registry_operator WHERE phone LIKE %s", [f"{newest}.%"])
        return int(cursor.fetchone()[0])


def check_all_read(pks: list[int]) -> None:
    """Each operator still has the phone that it had, and is found by it."""
    stored = dict(Operator.objects.in_bulk(pks))
    assert [stored[pk].phone for pk in pks] == [phone_of(number) for number in range(len(pks))]
    assert [bytes(stored[pk].phone_index or b"") for pk in pks] == [blind_index(row.phone) for row in stored.values()]


def test_a_killed_run_is_run_again(many: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    rotation.begin()
    with started("rotate_field_key"):
        wait_for(written_anew)
    wait_for(nobody_else)
    done = written_anew()
    assert 0 < done < MANY
    assert done % rotation.AT_ONCE == 0
    call_command("rotate_field_key")
    assert f"registry.Operator: {MANY - done}\n" in capsys.readouterr().out
    assert (written_anew(), Operator.objects.count()) == (MANY, MANY)
    check_all_read(many)


def nobody_else() -> bool:
    """Whether the server has noticed that the killed one is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return bool(cursor.fetchone()[0] == 0)


def test_what_is_written_meanwhile_is_read(many: list[int]) -> None:
    with started("shell", "-v0", "-c", WRITER.format(region=YAZHOU_VILLAGE)) as writer:
        assert writer.stdout
        writer.stdout.readline()
        old = fields.ring().newest
        call_command("rotate_field_key", verbosity=0)
        before = Operator.objects.count()
        wait_for(lambda: Operator.objects.count() > before + 5)
    wait_for(nobody_else)
    call_command("rotate_field_key", verbosity=0)
    assert fields.ring().newest != old
    assert written_anew() == Operator.objects.count() > MANY
    check_all_read(many)
    for number, row in enumerate(Operator.objects.filter(name__startswith="新户").order_by("pk")):
        assert row.phone == f"1990001{number:04}"
        assert Operator.objects.get(phone_index__in=blind_indexes(row.phone)) == row


def test_rows_that_somebody_holds_are_passed_over(many: list[int]) -> None:
    rotation.begin()
    with started("shell", "-v0", "-c", HOLDER.format(pk=many[7])) as holder:
        assert holder.stdout
        holder.stdout.readline()
        assert rotation.write_anew(lambda *_: None) == 1
    wait_for(nobody_else)
    assert written_anew() == MANY - 1
    assert rotation.write_anew(lambda *_: None) == 0
    check_all_read(many)


def test_a_backup_of_before_is_read_with_the_ring(many: list[int], tmp_path: Path) -> None:
    dump = tmp_path / "operators.dump"
    program("pg_dump", "--format=custom", "--data-only", "--table=registry_operator", f"--file={dump}")
    call_command("rotate_field_key", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE registry_operator CASCADE")
    program("pg_restore", "--data-only", f"--dbname={connection.settings_dict['NAME']}", str(dump))
    assert written_anew() == 0
    assert Operator.objects.filter(phone_index__in=blind_indexes(phone_of(7))).get().phone == phone_of(7)
    call_command("rotate_field_key", verbosity=0)
    assert written_anew() == MANY
    check_all_read(many)


def program(name: str, *arguments: str) -> None:
    """One of the server's own programs on this test's database."""
    database: dict[str, Any] = connection.settings_dict
    env = {**os.environ, "PGHOST": database["HOST"], "PGUSER": database["USER"], "PGDATABASE": database["NAME"]}
    subprocess.run([str(embedded.binaries() / name), *arguments], env=env, check=True)
