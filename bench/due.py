"""The collection calendar (采集日历) of millions of bases: made, brought up to date for a day, changed, leafed through.

The day is the first of a month, the worst: every collector of livestock and fish is told of what opens, townships and
counties of what is overdue. Nothing is rolled, so a day is counts over indexes and the notes of who was told.
"""

import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from bench.figures import figure, percentile, seconds
from bench.tiles import COUNT

DAY_SECONDS = 60
PAGE_MS = 150
CHANGE_MS = 50
PAGES = 20
CHANGES = 100
COLLECTORS = 20_000
QUERIES: dict[str, dict[str, str]] = {
    "everything that waits": {},
    "everything overdue": {"tab": "overdue"},
    "a province that waits": {"region": "370000000000"},
    "a county that waits": {"region": "370785000000"},
    "a county's overdue by deadline": {"region": "370785000000", "tab": "overdue", "sort": "due"},
    "a collector's": {"collector": "bench-collector-77"},
    "a product of a month": {"product": "生猪", "month": "next"},
}


def measure() -> list[dict[str, Any]]:
    import django

    django.setup()
    from django.db import connection
    from django.utils.timezone import localdate

    from bench.origins import fill_origins
    from nongma.origins.due.prompts import prompt_day
    from nongma.origins.due.standing import settle_standing
    from nongma.origins.due.sweeping import run_sweeps, sweep
    from nongma.origins.models import Origin

    count = int(os.environ.get("NONGMA_BENCH_ORIGINS", COUNT))
    user = fill_origins(count)
    _share_out()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE origins_due, origins_duesweep, origins_dueprompt")
    sweep(0)
    made = seconds(run_sweeps)
    _age()
    first = _next_month(localdate())
    day = seconds(lambda: (settle_standing(first), prompt_day(first)))
    quiet = seconds(lambda: (settle_standing(first + timedelta(days=1)), prompt_day(first + timedelta(days=1))))
    numbers = list(Origin.objects.filter(pk__gt=count // 2).order_by("pk").values_list("pk", flat=True)[:CHANGES])
    change = percentile([_change(number) for number in numbers], 95)
    figures = [
        figure(f"calendar of {count:,} records made from nothing", made, "s", "—", made),
        figure("its worst day, the first of a month", day, "s", "limit", DAY_SECONDS),
        figure("the day after", quiet, "s", "limit", DAY_SECONDS),
        figure("a record changes, p95", change, "ms", "limit", CHANGE_MS),
    ]
    for name, query in QUERIES.items():
        value = percentile([_page(query, user, first, number) for number in range(1, PAGES + 1)], 95)
        figures.append(figure(f"calendar page: {name}, p95", value, "ms", "limit", PAGE_MS))
    figures.append(figure("punctuality of a county, p95", _punctuality(user), "ms", "limit", PAGE_MS))
    return figures


def _share_out() -> None:
    """Give the records to many collectors, each of a township, as they are in life."""
    from django.db import connection
    from django.utils import timezone

    from nongma.accounts.models import Agency, Membership, Role, User

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_user WHERE username = 'bench-collector-77'")
        if not cursor.fetchone():
            people = User.objects.bulk_create(
                [
                    User(username=f"bench-collector-{number}", name="基准采集", password="!")
                    for number in range(COLLECTORS)
                ],
                batch_size=5_000,
            )
            agency, _ = Agency.objects.get_or_create(
                region_id=0, kind=Agency.Kind.SUPERVISION, name="采集基准", defaults={"level": 0}
            )
            Membership.objects.bulk_create(
                [
                    Membership(user=one, agency=agency, role=Role.COLLECTOR, from_on=timezone.localdate())
                    for one in people
                ],
                batch_size=5_000,
            )
        cursor.execute("SELECT min(id) FROM accounts_user WHERE username LIKE 'bench-collector-%'")
        (least,) = cursor.fetchone()
        cursor.execute("SELECT collected_by_id >= %s FROM origins_origin ORDER BY id LIMIT 1", [least])
        if not cursor.fetchone()[0]:
            cursor.execute(
                "UPDATE origins_origin SET collected_by_id = %s + (region_id / 1000) %% %s", [least, COLLECTORS]
            )
            cursor.execute("VACUUM (ANALYZE) origins_origin")


def _age() -> None:
    """Leave one in fifty alone for two months, as they are in life."""
    from django.db import connection
    from django.utils.timezone import localdate

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE origins_due SET opens_on = opens_on - 61, due_on = due_on - 61 WHERE id %% 50 = 0 AND due_on < %s",
            [localdate() + timedelta(days=62)],
        )
        cursor.execute("VACUUM (ANALYZE) origins_due")


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _change(number: int) -> float:
    from django.db import transaction

    from nongma.origins.due.services import origins_saved

    started = time.perf_counter()
    with transaction.atomic():
        origins_saved([number])
    return (time.perf_counter() - started) * 1000


def _page(query: dict[str, str], user: Any, today: date, number: int) -> float:
    from nongma.lib.sorting import Sorting
    from nongma.origins.due import queries
    from nongma.origins.due.queries import DueFilter

    asked = {name: f"{today:%Y-%m}" if value == "next" else value for name, value in query.items()}

    def show() -> None:
        wanted, _ = DueFilter.read(asked)
        sorting = Sorting.asked(queries.columns_of(wanted), asked.get("sort"), default=queries.usual_of(wanted))
        list(queries.due_page(user, wanted, sorting, number, today).object_list)
        queries.counts_of(user, wanted, today)

    return _milliseconds(show)


def _punctuality(user: Any) -> float:
    from django.utils.timezone import localdate

    from nongma.origins.due.queries import punctuality
    from nongma.regions.models import Region

    county, today = Region.objects.get(pk=370785000000), localdate()
    return percentile(
        [
            _milliseconds(
                lambda: punctuality(user, county, "town", (today - timedelta(days=180)).replace(day=1), today)
            )
            for _ in range(PAGES)
        ],
        95,
    )


def _milliseconds(work: Callable[[], object]) -> float:
    return seconds(work) * 1000
