"""Pages of the table over millions of origins, from the query string to the rows, beside one page in key order.

The limit is the first page by primary key: nothing filtered, sorted or counted, the same columns and names.
"""

import os
import time
from typing import Any

from bench.figures import figure, percentile
from bench.tiles import COUNT

PAGES = 40
QUERIES: dict[str, dict[str, str]] = {
    "everything": {},
    "a province": {"region": "370000000000"},
    "a county": {"region": "370785000000"},
    "the review queue": {"status": "submitted"},
    "a county's review queue": {"region": "370785000000", "status": "submitted"},
    "a product by scale": {"product": "豇豆", "sort": "-scale"},
    "a month in a province": {"region": "370000000000", "on_sale": "2026-05"},
    "part of a name": {"q": "赵军海"},
    "by name": {"sort": "name"},
}


def measure() -> list[dict[str, Any]]:
    import django

    django.setup()
    from bench.origins import fill_origins
    from nongma.lib.pages import PAGE_SIZE
    from nongma.origins.models import Origin
    from nongma.origins.queries import with_names

    user = fill_origins(int(os.environ.get("NONGMA_BENCH_ORIGINS", COUNT)))
    limits = []
    for number in range(PAGES):
        started = time.perf_counter()
        list(with_names(Origin.objects.filter(pk__gt=number * PAGE_SIZE)).order_by("pk")[:PAGE_SIZE])
        limits.append((time.perf_counter() - started) * 1000)
    limit = percentile(limits, 95)
    figures = []
    for name, query in QUERIES.items():
        value = percentile([_page(query, user, number) for number in range(1, PAGES + 1)], 95)
        figures.append(figure(f"table: {name}, p95", value, "ms", "a page by key", limit))
    return figures


def _page(query: dict[str, str], user: Any, number: int) -> float:
    from nongma.lib.sorting import Sorting
    from nongma.origins.filters import OriginFilter
    from nongma.origins.queries import COLUMNS, origin_page

    started = time.perf_counter()
    filters = OriginFilter.read(query, user)
    sorting = Sorting.asked(COLUMNS, query.get("sort"), default="region")
    page = origin_page(filters, user, sorting, number)
    list(page.object_list)
    return (time.perf_counter() - started) * 1000
