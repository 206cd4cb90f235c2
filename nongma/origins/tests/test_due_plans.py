"""The calendar's pages and the prompts of a day answer from indexes, whatever is asked of them."""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from nongma.accounts.models import Role, User
from nongma.origins.due import prompts
from nongma.origins.models import Origin
from nongma.registry.tests.test_list import needless_reads, plans_of
from nongma.testing import client_of, make_official

MANY = 12_000
WHERE, DUES = "/origins/dues/", "origins_due"


@pytest.fixture
def many(li_origin: Origin, wang: User) -> None:
    """Enough dues, over many counties and months, that reading them all is the planner's worst choice."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO origins_origin (
                uid, operator_id, base_id, product_id, region_id, alias, certifications, contact, phone, scale, unit,
                methods, trace_methods, credit, grid_name, grid_phone, collector_name, collector_phone, state, identity,
                fingerprint, collected_by_id, return_reason, created_at, updated_at
            )
            SELECT gen_random_uuid(), operator_id, base_id, product_id, place.code, '', '{}', '', '', 1, 'mu', '{}',
                '{}', '', '', '', '', '', 'to_locate', decode(md5(n::text), 'hex'), ''::bytea, collected_by_id, '',
                now(), now()
            FROM origins_origin, (SELECT code, row_number() OVER (ORDER BY code) AS n FROM regions_region
                WHERE level = 4 ORDER BY code %% 9973 LIMIT %s) AS place
            """,
            [MANY],
        )
        cursor.execute(
            """
            INSERT INTO origins_due (
                origin_id, operator_id, base_id, product_id, region_id, collector_id, rhythm, opens_on, due_on
            )
            SELECT id, operator_id, base_id, product_id, region_id, collected_by_id, 'monthly',
                current_date - 20 + (id %% 300)::int, current_date - 3 + (id %% 300)::int
            FROM origins_origin WHERE id <> %s
            """,
            [li_origin.pk],
        )
        cursor.execute("UPDATE origins_due SET outcome = 'collected', met_on = current_date WHERE id % 2 = 0")
        cursor.execute("ANALYZE origins_origin, origins_due")


ASKED: tuple[dict[str, str], ...] = (
    {},
    {"tab": "overdue"},
    {"tab": "done"},
    {"region": "460205"},
    {"region": "33", "tab": "overdue"},
    {"region": "331102", "sort": "due"},
    {"sort": "due"},
    {"collector": "wang", "region": "46"},
)


def test_the_calendar_never_reads_all_dues(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(make_official("nation", "部审核", Role.REVIEWER, 0))
    client.get(WHERE)  # loads the pages, which keep the cap that they find
    # A cap that is small beside the table, as ten thousand is beside a nation.
    monkeypatch.setattr("nongma.lib.pages.MOST_LISTED", 100)
    for asked in ASKED:
        for plan in plans_of(client, WHERE, table=DUES, **asked):
            assert list(needless_reads(plan, table=DUES)) == [], asked


def test_a_days_prompts_are_counted_from_indexes(many: None) -> None:
    day = date(2026, 11, 3)
    given: dict[str, Any] = {"day": day, "passed": day, "is_first": False, "is_last": False, "width": 1000}
    for sql in (prompts._OPENED, prompts._DEADLINE, prompts._PASSED, prompts._OVERDUE):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", given)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan on origins_due" not in plan, plan
