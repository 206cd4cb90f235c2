"""The lists of loads from a sheet answer from indexes, however many loads and rows there are."""

from typing import Any

import pytest
from django.db import connection

from nongma.accounts.models import User
from nongma.registry.models import Intake
from nongma.registry.tests.test_list import needless_reads, plans_of
from nongma.testing import client_of

MANY, ROWS = 20_000, 600


@pytest.fixture
def load(zhao: User, wang: User) -> Intake:
    """One load of Zhao's with many rows, beside many loads of somebody else's with theirs."""
    made = Intake.objects.create(
        user=zhao, confirmed_by=zhao, filename="全县.xlsx", digest=b"", status="done", total=ROWS, made=0, faulty=ROWS
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH others AS (
                INSERT INTO registry_intake (
                    uid, user_id, file, filename, digest, status, message, approves, total, last_row, made, unchanged,
                    differing, doubled, faulty, undone, undone_to, undone_for, attempts, created_at
                )
                SELECT gen_random_uuid(), %s, '', '表.xlsx', ''::bytea, 'done', '', false, 1, 1, 1, 0,
                       0, 0, 0, 0, 0, '', 0, now()
                FROM generate_series(1, %s) RETURNING id
            )
            INSERT INTO registry_intakerow (intake_id, row, outcome, shown, faults)
            SELECT id, 2, 'faulty', '{}', '[]' FROM others
            """,
            [wang.pk, MANY],
        )
        cursor.execute(
            """
            INSERT INTO registry_intakerow (intake_id, row, outcome, shown, faults)
            SELECT %s, 1 + n, CASE WHEN n %% 100 = 0 THEN 'differs' ELSE 'faulty' END, '{"name": "李家"}',
                   '[{"field": "phone", "code": "phone", "message": "要填 11 位手机号"}]'
            FROM generate_series(1, %s) AS n
            """,
            [made.pk, ROWS],
        )
        cursor.execute("ANALYZE registry_intake, registry_intakerow")
    return made


def test_the_list_of_ones_loads_never_reads_all_loads(load: Intake, zhao: User) -> None:
    for plan in plans_of(client_of(zhao), "/operators/intake", table="registry_intake"):
        assert list(needless_reads(plan, table="registry_intake")) == []


@pytest.mark.parametrize("asked", [{}, {"page": "9"}, {"outcome": "differs"}, {"field": "phone"}])
def test_the_rows_of_a_load_never_read_those_of_others(load: Intake, zhao: User, asked: dict[str, Any]) -> None:
    for table in ("registry_intakerow", "registry_intake"):
        for plan in plans_of(client_of(zhao), load.get_absolute_url(), table=table, **asked):
            assert list(needless_reads(plan, table=table)) == []
