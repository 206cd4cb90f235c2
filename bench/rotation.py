"""The field key changed under 200,000 operators: rows a second, beside 5,000.

At 5,000 a second the 5 million operators of the largest province have a new key in 17 minutes, so that a key that may
have been seen is out of use within the hour. NONGMA_BENCH_ROTATED says how many operators.
"""

import os
import time
from typing import Any

from bench.figures import figure

COUNT = 200_000
LEAST = 5_000.0
CHUNK = 5_000
VILLAGE = 460205198004


def measure() -> list[dict[str, Any]]:
    """Rows written anew a second, and rows a second of a run that finds nothing left to do."""
    import django

    django.setup()
    from django.conf import settings

    from nongma.lib import keys, rotation
    from nongma.lib.fields import FIELD_KEY, ring

    _fill(int(os.environ.get("NONGMA_BENCH_ROTATED", COUNT)))
    rotation.begin()
    written, taken = _run()
    seen, taken_again = _run()
    if seen:
        raise SystemExit(f"{seen:,} rows were written twice")
    path = keys.file_of(settings.DATA, FIELD_KEY)
    keys.write_lines(path, path.read_text(encoding="utf-8").split()[:1])
    ring(anew=True)
    return [
        figure("rows written under a new key, counted too", written / taken, "rows/s", "the budget", LEAST),
        figure(
            "rows found to be done by a second run", written / taken_again, "rows/s", "the first run", written / taken
        ),
    ]


def _run() -> tuple[int, float]:
    """How many rows a rotation writes, and its seconds."""
    from nongma.lib import rotation

    written: list[int] = []
    started = time.perf_counter()
    left = rotation.write_anew(lambda name, done: written.append(done))
    if left:
        raise SystemExit(f"{left:,} rows are left under an older key")
    return sum(written), time.perf_counter() - started


def _fill(count: int) -> None:
    """So many operators with a phone, an ID number and an address, the first time."""
    from bench.origins import watcher_of_all
    from nongma.codes.services import take
    from nongma.registry.models import Operator

    missing = count - Operator.objects.exclude(phone="").count()
    if missing <= 0:
        return
    user, first = watcher_of_all(), take(missing)
    for start in range(0, missing, CHUNK):
        Operator.objects.bulk_create(
            Operator(
                serial=first + number,
                name=f"基准户{number}",
                kinds=["household"],
                industries=["planting"],
                status="approved",
                region_id=VILLAGE,
                phone=f"1990000{number % 10_000:04}",
                id_number=f"46020519900101{number:06}",
                address=f"基准路 {number} 号",
                created_by=user,
            )
            for number in range(start, min(start + CHUNK, missing))
        )
