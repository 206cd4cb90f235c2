"""The directory of operators (监管主体目录) with millions of entries on file: pages < 150 ms p95.

Of the operators of `bench.operators`, all but households and brokers are in it. Entries and counts are written as
`directory.settling` would have written them, by a few statements.
"""

import os
from typing import Any

from bench.asking import ask_pages
from bench.operators import COUNT, fill_operators

LISTS = {
    "figures": "/operators/directory/",
    "list": "/operators/directory/list",
    "missing": "/operators/directory/list?what=missing",
    "incomplete": "/operators/directory/list?what=incomplete",
    "stale": "/operators/directory/list?what=stale",
    "uncoded": "/operators/directory/list?what=uncoded",
    "sound": "/operators/directory/list?what=sound",
    "without produce": "/operators/directory/list?lack=produce",
    "by part of a name": "/operators/directory/list?q=海豇豆",
    "by name": "/operators/directory/list?sort=name",
    "stale first": "/operators/directory/list?sort=stale",
}
FILL = """
INSERT INTO registry_directoryentry (
    operator_id, region_id, name, why, needs, lacks, stale_on, is_stale, is_wrong, idle_on, uncoded
)
SELECT id, region_id, name, '主体类型', ARRAY['contact', 'phone', 'village', 'industries', 'produce', 'bases'],
       CASE serial % 5 WHEN 0 THEN ARRAY['produce', 'bases'] WHEN 1 THEN ARRAY['bases'] ELSE ARRAY[]::text[] END,
       current_date + (serial % 400)::int - 40, serial % 400 < 41, serial % 1000 = 7,
       current_date + (serial % 180)::int - 20, CASE WHEN serial % 180 < 21 THEN 'idle' ELSE '' END
FROM registry_operator WHERE NOT kinds && ARRAY['household', 'broker']::varchar[] AND status <> 'cancelled'
"""


def measure() -> list[dict[str, Any]]:
    """p50 and p95 of each page, by watcher."""
    import django

    django.setup()
    watchers = fill_operators(int(os.environ.get("NONGMA_BENCH_OPERATORS", COUNT)))
    _fill()
    return ask_pages("directory", watchers, LISTS, lambda _: {})


def _fill() -> None:
    """The entries and their counts, the first time."""
    from django.db import connection

    from bench.origins import bare
    from nongma.regions.models import Region
    from nongma.registry.directory.figures import recount
    from nongma.registry.models import DirectoryEntry

    if DirectoryEntry.objects.exists():
        return
    with connection.cursor() as cursor:
        with bare(DirectoryEntry):
            cursor.execute(FILL)
        cursor.execute("VACUUM (ANALYZE) registry_directoryentry")
    counties = Region.objects.current().filter(level=Region.Level.COUNTY).values_list("code", flat=True)
    towns = Region.objects.current().filter(level=Region.Level.TOWN).values_list("code", flat=True)
    recount([*counties, *towns])
