"""Lists, searches, records and grant pages of accounts with a country's agencies and people on file: < 150 ms p95.

NONGMA_BENCH_AGENCIES and NONGMA_BENCH_PEOPLE say how many (40,000 and 100,000). Asked of the real server, by one
browser at a time, as administrator of the ministry, of a province and of a county.
"""

import os
from typing import Any

from bench.asking import ask_pages

AGENCIES, PEOPLE = "/accounts/agencies", "/accounts/people"
LISTS = {
    "agencies": AGENCIES,
    "agencies by part of a name": f"{AGENCIES}?q=检测",
    "agencies by one character": f"{AGENCIES}?q=胶",
    "agencies of a kind": f"{AGENCIES}?kind=enforcement",
    "agencies without administrator": f"{AGENCIES}?state=vacant",
    "agencies by name": f"{AGENCIES}?sort=name",
    "agencies by age": f"{AGENCIES}?sort=-created",
    "people": PEOPLE,
    "people by part of a name": f"{PEOPLE}?q=军秀",
    "people by one character": f"{PEOPLE}?q=赵",
    "people by username": f"{PEOPLE}?q=bench0001",
    "people by phone": f"{PEOPLE}?q=19900000001",
    "people of a role": f"{PEOPLE}?role=reviewer",
    "people who have not signed in": f"{PEOPLE}?state=unclaimed",
    "people by last sign-in": f"{PEOPLE}?sort=-seen",
    "contacts": "/accounts/contacts",
    "roll-out": "/accounts/rollout",
}


def measure() -> list[dict[str, Any]]:
    """p50 and p95 of each page, by watcher."""
    import django

    django.setup()
    return ask_pages("accounts", _on_file(), LISTS, _records)


def _on_file() -> dict[str, Any]:
    """The administrators who look, the country being filled the first time."""
    from django.db import connection

    from bench.staff import AGENCIES, PEOPLE, fill_staff, watchers_on_file

    agencies = int(os.environ.get("NONGMA_BENCH_AGENCIES", AGENCIES))
    people = int(os.environ.get("NONGMA_BENCH_PEOPLE", PEOPLE))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_staff (agencies bigint, people bigint)")
        cursor.execute("SELECT agencies, people FROM bench_staff")
        found = cursor.fetchone()
        if found and found != (agencies, people):
            raise SystemExit(f"{found[0]:,} agencies are on file; another size wants an empty bench database")
        if not found:
            fill_staff(agencies, people)
            cursor.execute("INSERT INTO bench_staff VALUES (%s, %s)", [agencies, people])
            cursor.execute("VACUUM (ANALYZE) accounts_agency, accounts_user, accounts_membership")
    return watchers_on_file()


def _records(user: Any) -> dict[str, str]:
    """Pages of one agency below the watcher's, its administrator and the post."""
    from nongma.accounts.models import Agency

    below = Agency.objects.filter(parent=user.agency_id).exclude(administrator=None).order_by("pk")[0]
    holder = below.administrator
    assert holder
    post = holder.memberships.get(role="administrator")
    return {
        "an agency": f"{AGENCIES}/{below.uid}",
        "the page to hand an account out": f"{AGENCIES}/{below.uid}/people/new",
        "the page to appoint": f"{AGENCIES}/{below.uid}/appoint",
        "a person": f"{PEOPLE}/{holder.uid}",
        "the page to hand a post over": f"/accounts/posts/{post.uid}/hand-over",
    }
