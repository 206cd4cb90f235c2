"""`make bench`: every budget beside its limit, both measured in this run, on a database of the bench's own.

    python -m bench [NAME …] [--write]      all benches or those named; --write renews docs/performance.md

Sizes come from the environment (docs/operate.md): NONGMA_BENCH_LOTS, NONGMA_BENCH_ORIGINS.
"""

import argparse
import os
import platform
import sys
import time
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
MARK = "<!-- figures: written by make bench -->"
NAMES = (
    *("imports", "intake", "handouts", "start", "regions", "codes", "labels"),
    *(
        "certificates",
        "tiles",
        "origin_lists",
        "reviewing",
        "due",
        "operators",
        "directory",
        "doubts",
        "accounts",
        "rotation",
        "trace",
        "scan",
    ),
)

FULL = (("LOTS", 10_000_000), ("ORIGINS", 5_000_000))

Figure = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="，".join(NAMES))
    parser.add_argument("--write", action="store_true", help="renew docs/performance.md")
    args = parser.parse_args()
    unknown = set(args.names) - set(NAMES)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")

    os.environ.setdefault("NONGMA_DATA", str(ROOT / "var" / "bench"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from nongma.run.database import ready_database
    from nongma.run.setup import prepare

    figures: list[Figure] = []
    with ready_database():
        prepare(demo=False, say=print)
        for name in args.names or NAMES:
            print(f"\n{name} …", flush=True)
            started = time.monotonic()
            measured = import_module(f"bench.{name}").measure()
            figures += measured
            print(_table(measured))
            print(f"({time.monotonic() - started:.0f} s)", flush=True)
    if args.write:
        _write(figures)
    return 0


def _table(figures: list[Figure]) -> str:
    head = ["figure", "measured", "unit", "beside", "measured there", "ratio"]
    rows = [
        [
            figure["name"],
            _number(figure["value"]),
            figure["unit"],
            figure["limit"],
            _number(figure["limit_value"]),
            _number(figure["ratio"]),
        ]
        for figure in figures
    ]
    lines = ["| " + " | ".join(head) + " |", "|---|--:|---|---|--:|--:|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _write(figures: list[Figure]) -> None:
    machine = f"{os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()} {platform.machine()}"
    head, _, _ = PAGE.read_text().partition(MARK)
    lots, origins = (int(os.environ.get(f"NONGMA_BENCH_{name}", full)) for name, full in FULL)
    about = (
        f"{datetime.now().astimezone().date()}, {machine}, Python {platform.python_version()}, embedded PostgreSQL 18,"
        f"\n{lots:,} lots and {origins:,} origins on file;"
        f" load average {os.getloadavg()[2]:.1f} over the last 15 minutes."
    )
    PAGE.write_text(f"{head}{MARK}\n\nMeasured {about}\n\n{_table(figures)}\n")


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


if __name__ == "__main__":
    sys.exit(main())
