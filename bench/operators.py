"""Lists, searches, the review queue and records of operators with millions on file: < 150 ms p95.

NONGMA_BENCH_OPERATORS says how many (5 million). Asked of the real server, by one browser at a time, as a reviewer of
the whole country and of a county.
"""

import os
from datetime import date
from typing import Any

from bench.asking import ask_pages

COUNT = 5_000_000
COUNTY = 370785000000
LISTS = {
    "all": "/operators/",
    "of a type": "/operators/?kind=cooperative",
    "suspended": "/operators/?status=suspended",
    "by part of a name": "/operators/?q=海豇豆",
    "by one character": "/operators/?q=赵",
    "by phone": "/operators/?q=19900000077",
    "by 统一社会信用代码": "/operators/?q=91110000600037341L",
    "by name": "/operators/?sort=name",
    "by age": "/operators/?sort=-created",
    "the review queue": "/operators/review/",
    "changes that wait": "/operators/review/changes",
}

FILL = """
INSERT INTO registry_operator (
    uid, serial, kinds, name, region_id, contact, phone, phone_index, industries, created_by_id, id_number, address,
    status, review_note, created_at, reviewed_at, due_on
)
SELECT gen_random_uuid(), %(first)s + n, ARRAY[(%(kinds)s::text[])[1 + n %% 12]],
       (%(surnames)s::text[])[1 + n %% 20] || (%(given)s::text[])[1 + n / 20 %% 20]
           || (%(given)s::text[])[1 + n / 400 %% 20]
           || CASE WHEN n %% 3 = 0 THEN '豇豆专业合作社' WHEN n %% 3 = 1 THEN '家庭农场' ELSE '' END,
       (%(places)s::bigint[])[1 + n %% cardinality(%(places)s::bigint[])], '基准', '',
       substr(sha256(n::text::bytea), 1, 16), ARRAY['planting'], %(user)s, '', '',
       CASE WHEN n %% 500 = 0 THEN 'submitted' WHEN n %% 997 = 0 THEN 'suspended' ELSE 'approved' END, '',
       now() - n * interval '5 seconds', now(), CASE WHEN n %% 500 = 0 THEN current_date + (n / 500 %% 9)::int END
FROM generate_series(%(start)s::int, %(stop)s::int) AS n
"""
CHUNK = 250_000
ASKED_FOR = """
INSERT INTO registry_revision (
    uid, operator_id, region_id, fields, before_json, after_json, state, asked_by_id, asked_at, due_on, note
)
SELECT gen_random_uuid(), id, region_id, ARRAY['name'], %(before)s, %(after)s, 'waiting', %(user)s, now(),
       current_date + (id %% 9)::int, ''
FROM registry_operator WHERE status = 'approved' AND serial %% 250 = 0
"""
"""A change of the name waits for one operator of 250."""


def measure() -> list[dict[str, Any]]:
    """p50 and p95 of each page, by watcher."""
    import django

    django.setup()
    watchers = fill_operators(int(os.environ.get("NONGMA_BENCH_OPERATORS", COUNT)))
    return ask_pages("operators", watchers, LISTS, _records)


def fill_operators(count: int) -> dict[str, Any]:
    """The reviewers who look; so many operators in villages all over the country are put on file the first time."""
    from django.db import connection

    from bench.origins import bare, watcher_of_all
    from nongma.codes.services import take
    from nongma.regions.models import Region
    from nongma.registry.models import Operator, OperatorKind

    watchers = {"ministry": watcher_of_all(), "county": _reviewer()}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_operators (count bigint)")
        cursor.execute("SELECT count FROM bench_operators")
        found = cursor.fetchone()
        if found and found[0] != count:
            raise SystemExit(f"{found[0]:,} operators are on file; another size wants an empty bench database")
        if found:
            _fill_revisions(watchers["ministry"])
            return watchers
        villages = Region.objects.current().filter(level=Region.Level.VILLAGE).order_by("code")
        given = {
            "first": take(count),
            "kinds": [kind.value for kind in OperatorKind],
            "surnames": list("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"),
            "given": list("海军秀华春明建国志强丽娟平安福生玉兰文涛"),
            "places": list(villages.values_list("code", flat=True)),
            "user": watchers["ministry"].pk,
        }
        with bare(Operator):
            for start in range(0, count, CHUNK):
                cursor.execute(FILL, given | {"start": start, "stop": min(start + CHUNK, count) - 1})
                print(f"  {min(start + CHUNK, count):,} operators", flush=True)
        cursor.execute("VACUUM (ANALYZE) registry_operator")
        cursor.execute("INSERT INTO bench_operators VALUES (%s)", [count])
    _fill_revisions(watchers["ministry"])
    return watchers


def _fill_revisions(asker: Any) -> None:
    """Changes that wait for a reviewer, the first time."""
    import json

    from django.db import connection

    from bench.origins import bare
    from nongma.lib.fields import encrypt
    from nongma.registry.models import Revision

    if Revision.objects.exists():
        return
    before, after = (encrypt(json.dumps({"name": name}, ensure_ascii=False)) for name in ("赵海军", "赵海军豇豆"))
    with connection.cursor() as cursor:
        with bare(Revision):
            cursor.execute(ASKED_FOR, {"before": before, "after": after, "user": asker.pk})
        cursor.execute("VACUUM (ANALYZE) registry_revision")


def _reviewer() -> Any:
    """A reviewer of one county, made when absent."""
    from nongma.accounts.models import Agency, Membership, Role, User
    from nongma.regions.models import Region

    user, made = User.objects.update_or_create(username="bench-county", defaults={"name": "基准", "has_totp": True})
    if made:
        county = Region.objects.get(code=COUNTY)
        agency = Agency.objects.create(
            name="基准县机构", region=county, level=county.level, kind=Agency.Kind.SUPERVISION
        )
        Membership.objects.create(user=user, agency=agency, role=Role.REVIEWER, from_on=date(2020, 1, 1))
    return user


def _records(watcher: Any) -> dict[str, str]:
    """An operator that waits, as the reviewer decides on it, and beside who may be the same."""
    from nongma.registry.review.queries import waiting_operators

    waiting = waiting_operators(watcher).order_by("due_on", "id")[:1]
    return {
        name: f"{operator.get_absolute_url()}{page}"
        for operator in waiting
        for name, page in (("an operator that waits", "?then=queue"), ("compared", "compare"))
    }
