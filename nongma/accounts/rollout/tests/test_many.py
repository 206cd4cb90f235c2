"""With an agency in every township and 100,000 people, no page of these rooms reads agencies or people end to end."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nongma.accounts.models import Agency, Figures, Role, Training, User
from nongma.accounts.rollout.figures import recount, recount_all
from nongma.accounts.rollout.people import find_people, match_list
from nongma.accounts.rollout.services import add_attendees, record_training
from nongma.testing import YAZHOU, client_of, make_official

pytestmark = pytest.mark.django_db
TABLES = ("accounts_agency", "accounts_user", "accounts_membership", "accounts_figures")
FILL = """
    INSERT INTO accounts_agency
        (uid, name, region_id, level, kind, department, suspended_for, contact_state, created_at)
    SELECT gen_random_uuid(), name || '农业农村局', code, level, 'supervision', 'quality_safety', '',
        (ARRAY['missing', 'draft', 'reported'])[1 + code / 1000 % 3], now()
    FROM regions_region WHERE level BETWEEN 1 AND 4 AND valid_to IS NULL
    ON CONFLICT DO NOTHING;
    INSERT INTO accounts_user (uid, username, name, password, agency_id, place, phone, email, is_active, is_operator,
        is_demo, must_change_password, has_totp, epoch, created_at, suspended_for, last_login, trained_on)
    SELECT gen_random_uuid(), 'n' || row_number() OVER (), '某' || agency.id % 1000, '!', agency.id, agency.region_id,
        '', '', true, false, false, false, false, 0, now(), '',
        CASE WHEN n = 1 THEN now() END, CASE WHEN agency.id % 2 = 0 THEN now()::date END
    FROM accounts_agency AS agency CROSS JOIN generate_series(1, 3) AS n;
    ANALYZE accounts_agency, accounts_user;
    UPDATE accounts_agency SET administrator_id = first.id
    FROM (SELECT agency_id, min(id) AS id FROM accounts_user GROUP BY agency_id) AS first
    WHERE first.agency_id = accounts_agency.id AND administrator_id IS NULL;
    ANALYZE accounts_agency, accounts_user;
"""


@pytest.fixture
def many(hainan: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL)
    recount_all()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_figures")


def scans_of(work: Callable[[], Any]) -> list[str]:
    """The plans, as run, that read one of the tables from end to end."""
    with CaptureQueriesContext(connection) as queries:
        work()
    found = []
    with connection.cursor() as cursor:
        for query in queries:
            sql = query["sql"]
            if any(table in sql for table in TABLES) and sql.lstrip().startswith(("SELECT", "UPDATE", "WITH")):
                cursor.execute(f"EXPLAIN {sql}")
                plan = "\n".join(row for (row,) in cursor.fetchall())
                found += [f"{sql}\n{plan}"] if any(f"Seq Scan on {table}" in plan for table in TABLES) else []
    return found


def test_no_page_reads_them_end_to_end(many: None, hainan: User, ministry: User) -> None:
    assert Agency.objects.count() > 40_000
    assert User.objects.count() > 100_000
    county = make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)
    training: Training = record_training(
        agency=hainan.administers[0],
        title="培训",
        held_on=Training._meta.get_field("held_on").to_python("2026-05-01"),
        mode=Training.Mode.REMOTE,
        actor=hainan,
    )
    people = list(User.objects.filter(place__range=(YAZHOU, YAZHOU + 999_999), agency__isnull=False)[:5])
    above, below, province = client_of(ministry), client_of(county), client_of(hainan)
    contacts, rollout = reverse("accounts:contacts"), reverse("accounts:rollout")
    works: dict[str, Callable[[], Any]] = {
        "recount": lambda: recount(YAZHOU),
        "progress of a province": lambda: province.get(rollout),
        "progress of a county": lambda: below.get(rollout),
        "contacts of a province": lambda: province.get(contacts),
        "contacts by state": lambda: province.get(contacts, {"state": "reported"}),
        "contacts by level": lambda: province.get(contacts, {"level": "4", "sort": "name"}),
        "contacts of the country by name": lambda: above.get(contacts, {"q": "崖州"}),
        "contacts of the country in a county": lambda: above.get(contacts, {"region": "460205000000"}),
        "search": lambda: find_people(hainan, "某12"),
        "list": lambda: match_list(hainan, "n1 n2 某3 某某"),
        "attend": lambda: add_attendees(training=training, people=people, actor=hainan),
        "third parties": lambda: province.get(reverse("accounts:third-parties")),
    }
    wrong = {name: scans for name, work in works.items() if (scans := scans_of(work))}
    assert wrong == {}
    assert Figures.objects.count() < 3_600
    with CaptureQueriesContext(connection) as queries:
        assert above.get(rollout).status_code == 200
    counted = [one["sql"] for one in queries if "count(" in one["sql"].lower()]
    assert not [sql for sql in counted if "accounts_user" in sql or "accounts_agency" in sql]
