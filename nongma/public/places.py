"""The small map of the shopper's page: the county's outline and a point, as SVG without any outside request."""

import functools
import math
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import shapely
from django.utils.html import format_html
from django.utils.safestring import SafeString

from nongma.regions.boundaries import Floats, shape_of
from nongma.regions.spans import above

COUNTY_LEVEL = 3
WIDTH = 320
HEIGHT = 200
MARGIN = 14
PIN_RADIUS = 9
# Finer detail can't be seen at this size.
DETAIL_PIXELS = 0.6
OUTLINES_KEPT = 512


@dataclass(frozen=True)
class _Outline:
    """A county drawn into the frame: its path, and how degrees become pixels."""

    path: str
    west: float
    north: float
    east_scale: float
    north_scale: float
    left: float
    top: float

    def pixels(self, degrees: Floats) -> Floats:
        """Pixels from the upper left corner, of rows of longitude and latitude."""
        pixels: Floats = (degrees - [self.west, self.north]) * [self.east_scale, -self.north_scale]
        return np.add(pixels, [self.left, self.top])


def prepare() -> None:
    """Read the outlines now, so that no shopper waits for it."""
    shape_of(0)


def county_map(region: int, longitude: Decimal, latitude: Decimal, label: str) -> SafeString:
    """The outline of the division's county with the point in it; empty where the county has no outline."""
    outline = _outline(above(region, COUNTY_LEVEL))
    if outline is None:
        return SafeString("")
    ((x, y),) = outline.pixels(np.array([[float(longitude), float(latitude)]]))
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><rect width="100%" height="100%" fill="#e8f0f5"/>'
        '<path d="{}" fill="#fff" stroke="#0c5433" stroke-width="2" fill-rule="evenodd"/>'
        '<circle cx="{}" cy="{}" r="{}" fill="#9a0f0f" stroke="#fff" stroke-width="3"/></svg>',
        WIDTH,
        HEIGHT,
        label,
        outline.path,
        f"{x:.0f}",
        f"{y:.0f}",
        PIN_RADIUS,
    )


@functools.lru_cache(OUTLINES_KEPT)
def _outline(county: int) -> _Outline | None:
    shape = shape_of(county)
    if shape is None:
        return None
    west, south, east, north = shape.bounds
    stretch = math.cos(math.radians((south + north) / 2))
    scale = min((WIDTH - 2 * MARGIN) / ((east - west) * stretch), (HEIGHT - 2 * MARGIN) / (north - south))
    placed = _Outline(
        path="",
        west=west,
        north=north,
        east_scale=scale * stretch,
        north_scale=scale,
        left=(WIDTH - (east - west) * stretch * scale) / 2,
        top=(HEIGHT - (north - south) * scale) / 2,
    )
    drawn = shapely.transform(shape, placed.pixels).simplify(DETAIL_PIXELS)
    rings = [ring for part in shapely.get_parts(drawn) for ring in (part.exterior, *part.interiors)]
    path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring.coords[:-1]) + "Z" for ring in rings)
    return replace(placed, path=path)
