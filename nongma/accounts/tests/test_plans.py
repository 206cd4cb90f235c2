"""No page of accounts reads a big table from end to end: with a country on file, the plan of every query is read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.staff import TABLES, WATCHERS, fill_staff
from nongma.accounts.models import Agency, User
from nongma.testing import LI_PHONE, api_of, client_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

AGENCIES, PEOPLE = "/accounts/agencies", "/accounts/people"
# Not among them: a role that one in twenty holds in the whole country, for which the planner does read all people.
LISTS = {
    AGENCIES: (
        "", "?q=检测", "?q=胶州市农产品检测站", "?q=胶", "?region=370785000000", "?level=3", "?level=4",
        "?kind=monitoring", "?kind=supervision", "?department=quality_safety", "?department=fishery",
        "?state=vacant", "?state=suspended",
        "?state=active", "?sort=name", "?sort=-name", "?sort=level", "?sort=-level", "?sort=created", "?sort=-region",
        "?q=检测&sort=name", "?level=4&state=vacant", "?page=20",
    ),
    PEOPLE: (
        "", "?q=军秀", "?q=赵军秀", "?q=赵", "?q=bench0001", f"?q={LI_PHONE}", "?region=370785000000",
        "?role=administrator", "?role=reviewer", "?role=brand", "?state=unclaimed", "?state=suspended",
        "?state=third_party", "?state=closed", "?sort=name", "?sort=-name", "?sort=username", "?sort=-seen",
        "?sort=seen", "?sort=-place", "?q=赵&sort=-seen", "?role=reviewer&state=unclaimed", "?page=20",
    ),
    "/accounts/contacts": ("", "?q=胶州", "?region=370785000000", "?level=3", "?state=missing", "?sort=name"),
    "/accounts/third-parties": ("",),
    "/accounts/rollout": ("", "?region=370785000000"),
    "/accounts/rollout/trainings": ("",),
}  # fmt: skip
ON_RECORDS = ("", "/change", "/people/new", "/appoint")


def addresses(watcher: User) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Every page with its fields where it is a form that is sent: lists, exports, records, grants, hand-over."""
    for where, queries in LISTS.items():
        for query in queries:
            yield where + query, None
    for where in (AGENCIES, PEOPLE):
        yield f"{where}/export", {"region": "370785000000", "reason": "核对"}
        yield f"/api/v1{where.removeprefix('/accounts')}?q=赵", None
        yield f"/api/v1{where.removeprefix('/accounts')}", None
    own = watcher.agency
    assert own
    below = Agency.objects.filter(parent=own).exclude(administrator=None).order_by("pk")[0]
    for agency in (own, below):
        for page in ON_RECORDS:
            yield f"{AGENCIES}/{agency.uid}{page}", None
    assert below.administrator
    post = below.administrator.memberships.get()
    yield f"{PEOPLE}/{below.administrator.uid}", None
    yield f"{PEOPLE}/{watcher.uid}", None
    yield f"{PEOPLE}/{below.administrator.uid}/change", None
    yield f"{PEOPLE}/{below.administrator.uid}/password", {}
    yield f"/accounts/posts/{post.uid}/hand-over", None
    yield f"{PEOPLE}/{below.administrator.uid}/suspend", {"reason": "基准"}
    yield f"{PEOPLE}/{below.administrator.uid}/restore", {}
    grant = {"name": "新人", "username": f"new{watcher.pk}", "roles": ["administrator"]}
    yield f"{AGENCIES}/{below.uid}/people/new", grant
    yield f"{AGENCIES}/new", {"name": f"新站{watcher.pk}", "region": f"{own.region_id:012}", "kind": "monitoring"}


def test_no_page_reads_a_big_table_from_end_to_end(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    slow: dict[str, str] = {}
    read: set[str] = set()
    for name, watcher in fill_staff().items():
        assert watcher.agency
        assert watcher.agency.region_id == WATCHERS[name]
        page, program = client_of(watcher), api_of(watcher)
        for where, sent in list(addresses(watcher)):
            client = program if where.startswith("/api/") else page
            with CaptureQueriesContext(
                connection,
            ) as captured:
                response = client.get(where) if sent is None else client.post(where, sent)
                b"".join(response) if response.streaming else response.content
            assert response.status_code in {200, 302, 422}, (name, where, response.status_code)
            for sql in {query["sql"] for query in captured.captured_queries} - read:
                for node in scans(sql):
                    slow.setdefault(f"{node}: {sql[:1500]}", f"{name} {where}")
                read.add(sql)
    assert slow == {}


def scans(sql: str) -> list[str]:
    """The big tables that a statement reads from end to end."""
    if not sql.lstrip(" (").upper().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
        return []
    with connection.cursor() as cursor:
        cursor.cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode())
        plan = cursor.cursor.fetchone()[0]
    return list(nodes(json.loads(plan) if isinstance(plan, str) else plan))


def nodes(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from nodes(one)
    elif isinstance(part, dict):
        if part.get("Node Type") == "Seq Scan" and part["Relation Name"] in TABLES:
            yield f"Seq Scan {part['Relation Name']} {part.get('Filter', '')}"
        for one in part.values():
            if isinstance(one, dict | list):
                yield from nodes(one)
