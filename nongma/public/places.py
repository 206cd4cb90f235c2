"""The small map of the shopper's page: the county's outline and a point, as SVG without any outside request."""

import math
from collections.abc import Sequence
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

Ring = Sequence[tuple[float, float]]

WIDTH = 320
HEIGHT = 200
MARGIN = 12
PIN_RADIUS = 9
# A point nearer than this to the last drawn one can't be seen at this size.
LEAST_STEP = 1.5


def county_map(rings: Sequence[Ring], longitude: Decimal, latitude: Decimal, label: str) -> SafeString:
    """The outline (rings of longitude, latitude) with the point in it, scaled to fit 320 x 200."""
    east, north = float(longitude), float(latitude)
    stretch = math.cos(math.radians(north))
    points = [point for ring in rings for point in ring] + [(east, north)]
    west, right = min(x for x, _ in points), max(x for x, _ in points)
    south, top = min(y for _, y in points), max(y for _, y in points)
    scale = min(
        (WIDTH - 2 * MARGIN) / max((right - west) * stretch, 1e-6), (HEIGHT - 2 * MARGIN) / max(top - south, 1e-6)
    )
    left = (WIDTH - (right - west) * stretch * scale) / 2
    upper = (HEIGHT - (top - south) * scale) / 2

    def drawn(x: float, y: float) -> tuple[float, float]:
        return left + (x - west) * stretch * scale, upper + (top - y) * scale

    outline = "".join(_path([drawn(x, y) for x, y in ring]) for ring in rings)
    x, y = drawn(east, north)
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><rect width="100%" height="100%" fill="#e8f0f5"/>'
        '<path d="{}" fill="#fff" stroke="#0c5433" stroke-width="2" fill-rule="evenodd"/>'
        '<circle cx="{}" cy="{}" r="{}" fill="#9a0f0f" stroke="#fff" stroke-width="3"/></svg>',
        WIDTH,
        HEIGHT,
        label,
        outline,
        f"{x:.0f}",
        f"{y:.0f}",
        PIN_RADIUS,
    )


def _path(points: list[tuple[float, float]]) -> str:
    """A closed SVG path in tenths of a pixel, without the points that make no visible difference."""
    kept = [points[0]]
    for point in points[1:]:
        if math.dist(point, kept[-1]) >= LEAST_STEP:
            kept.append(point)
    if len(kept) < 3:
        return ""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept) + "Z"
