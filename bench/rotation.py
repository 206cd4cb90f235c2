"""The field key changed under 200,000 operators: rows a second, beside 1,500.

At 1,500 a second the 5 million operators of the largest province have a new key in 56 minutes: a key that may have
been seen is out of use within the hour. NONGMA_BENCH_ROTATED says how many operators.
"""

import os
import time
from typing import Any

from bench.figures import figure, seconds

COUNT = 200_000
LEAST = 1_500.0
CHUNK = 5_000
SAMPLE = 10_000
VILLAGE = 460205198004


def measure() -> list[dict[str, Any]]:
    """Rows written anew a second, beside the budget and beside the same rows enciphered and not written."""
    import django

    django.setup()
    from django.conf import settings

    from nongma.lib import keys, rotation
    from nongma.lib.fields import FIELD_KEY, ring

    _fill(int(os.environ.get("NONGMA_BENCH_ROTATED", COUNT)))
    path = keys.file_of(settings.DATA, FIELD_KEY)
    if not rotation.begin():  # a run of the bench was cut off
        keys.write_lines(path, [keys.new_key(), *path.read_text(encoding="utf-8").split()])
    bare = _enciphered()
    written, taken = _run()
    again, _ = _run()
    if again:
        raise SystemExit(f"{again:,} rows were written twice")
    keys.write_lines(path, path.read_text(encoding="utf-8").split()[:1])
    ring(anew=True)
    return [
        figure("rows written under a new key", written / taken, "rows/s", "the budget", LEAST),
        figure("rows written under a new key", written / taken, "rows/s", "enciphered and not written", bare),
    ]


def _enciphered() -> float:
    """Operators a second whose values are put under the new key in memory alone."""
    from nongma.lib.rotation import FIRST, Table
    from nongma.registry.models import Operator

    table, rows, last = Table(Operator), [], FIRST
    while len(rows) < SAMPLE and (found := table.after(last)):
        rows += found
        last = found[-1]["pk"]
    return len(rows) / seconds(lambda: [table.renewed(row) for row in rows])


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
