"""The directory's list and figures answer from indexes, whatever is asked of them."""

import pytest
from django.db import connection

from nongma.accounts.models import Role
from nongma.registry.directory.figures import COUNT_COUNTIES, COUNT_TOWNS
from nongma.registry.directory.settling import TAKE
from nongma.registry.tests.test_list import needless_reads, plans_of
from nongma.testing import client_of, make_official

MANY = 12_000
LIST, FIGURES = "/operators/directory/list", "/operators/directory/"
ENTRIES, COUNTS = "registry_directoryentry", "registry_directorycount"


@pytest.fixture
def many(zhao):
    """Enough entries, over many counties, with their counts, that reading them all is the planner's worst choice."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO registry_operator (
                uid, serial, kinds, name, region_id, contact, phone, phone_index, industries, created_by_id, id_number,
                address, status, review_note, created_at
            )
            SELECT gen_random_uuid(), 800000000000 + n, '{cooperative}',
                   chr(19968 + n::int %% 500) || CASE WHEN n %% 100 = 0 THEN '春晖合作社' ELSE '农场' END,
                   place.code, '张三', '', sha256(n::text::bytea), '{planting}', %s, '', '', 'approved', '', now()
            FROM (SELECT code, row_number() OVER (ORDER BY code) AS n FROM regions_region
                  WHERE level = 4 ORDER BY code %% 9973 LIMIT %s) AS place
            """,
            [zhao.pk, MANY],
        )
        cursor.execute(
            """
            INSERT INTO registry_directoryentry (
                operator_id, region_id, name, why, needs, lacks, stale_on, is_stale, is_wrong, uncoded
            )
            SELECT id, region_id, name, '类型', '{uscc}',
                   CASE WHEN serial % 50 = 0 THEN '{uscc}'::varchar[] ELSE '{}' END, current_date + (serial % 90)::int,
                   serial % 60 = 0, serial % 70 = 0, CASE WHEN serial % 80 = 0 THEN 'idle' ELSE '' END
            FROM registry_operator
            """
        )
        cursor.execute("SELECT array_agg(DISTINCT region_id - region_id % 1000) FROM registry_directoryentry")
        (towns,) = cursor.fetchone()
        cursor.execute(COUNT_TOWNS, {"towns": towns})
        cursor.execute(COUNT_COUNTIES, {"counties": sorted({town - town % 10**6 for town in towns})})
        cursor.execute("ANALYZE registry_operator, registry_directoryentry, registry_directorycount")


@pytest.fixture
def nation(db):
    return make_official("nation", "部审核", Role.REVIEWER, 0)


ASKED = (
    {},
    {"page": "3"},
    {"what": "incomplete"},
    {"what": "stale"},
    {"what": "wrong", "region": "33"},
    {"what": "uncoded"},
    {"what": "missing"},
    {"what": "sound"},
    {"lack": "uscc"},
    {"region": "460205"},
    {"region": "331102", "sort": "name"},
    {"q": "春晖"},
    {"sort": "-stale"},
)


def test_the_list_never_reads_all_entries(many, nation, monkeypatch):
    client = client_of(nation)
    client.get(LIST)  # loads the pages, which keep the cap that they find
    # A cap that is small beside the table, as ten thousand is beside a nation.
    monkeypatch.setattr("nongma.lib.pages.MOST_LISTED", 100)
    for asked in ASKED:
        for plan in plans_of(client, LIST, table=ENTRIES, **asked):
            assert list(needless_reads(plan, table=ENTRIES)) == [], asked


def test_figures_never_read_entries_of_a_county_or_above(many, nation):
    client = client_of(nation)
    for asked in ({}, {"region": "33"}, {"region": "331102"}):
        plans = list(plans_of(client, FIGURES, table=COUNTS, **asked))
        for plan in plans:
            assert list(needless_reads(plan, table=ENTRIES)) == [], asked
            if asked:
                assert list(needless_reads(plan, table=COUNTS)) == [], asked


def test_a_batch_is_read_once_whatever_the_planner_believes(db):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {TAKE}", [1_000])
        assert any("InitPlan" in line for (line,) in cursor.fetchall())
