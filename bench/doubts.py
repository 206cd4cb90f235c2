"""Looking for doubts: marked records looked at a second, with millions on file, beside the import's budget.

The records are those of one area in a row, as an import marks them, and the same number from all over the country. The
limit of both is the import, which has to read and save 5,000 rows a second: a look that is slower falls behind while
it lasts and catches up afterwards.
"""

import os
import time
from typing import Any

from bench.figures import figure
from bench.tiles import COUNT

RECORDS = 10_000
IMPORT_ROWS_A_SECOND = 5_000
COUNTY = 370785000000


def measure() -> list[dict[str, Any]]:
    import django

    django.setup()
    from bench.origins import fill_origins
    from nongma.origins.models import Origin

    fill_origins(int(os.environ.get("NONGMA_BENCH_ORIGINS", COUNT)))
    current = Origin.objects.current()
    ordered = current.order_by("region_id", "id").values_list("pk", flat=True)
    together = list(ordered.filter(region_id__gte=COUNTY)[:RECORDS])
    last = Origin.objects.order_by("-pk").values_list("pk", flat=True)[0]
    apart = list(current.filter(pk__in=range(1, last, max(last // RECORDS, 1))).values_list("pk", flat=True)[:RECORDS])
    figures = []
    for name, ids in (("of one area", together), ("from everywhere", apart)):
        first, again = _look(ids), _look(ids)
        figures.append(figure(f"doubts: records {name} looked at", first, "rows/s", "import", IMPORT_ROWS_A_SECOND))
        figures.append(figure("doubts: the same, looked at again", again, "rows/s", "import", IMPORT_ROWS_A_SECOND))
    return figures


def _look(ids: list[int]) -> float:
    """Records a second, from the marks to the doubts; what was marked before is looked at first."""
    from nongma.origins.doubts.looking import look
    from nongma.origins.doubts.marks import mark

    look()
    mark(ids)
    started = time.perf_counter()
    look()
    return len(ids) / (time.perf_counter() - started)
