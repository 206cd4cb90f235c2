"""What a bench hands back: a figure beside its limit."""

import time
from collections.abc import Callable, Sequence
from typing import Any


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentile(values: Sequence[float], part: int) -> float:
    """The value that `part` per cent of the values don't exceed (nearest rank)."""
    return sorted(values)[max(0, -(-len(values) * part // 100) - 1)]


def figure(name: str, value: float, unit: str, limit: str, limit_value: float) -> dict[str, Any]:
    """One line of docs/performance.md."""
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "limit": limit,
        "limit_value": limit_value,
        "ratio": value / limit_value,
    }
