"""How far two points are apart, and what a person is told of it."""

import math

METRES_PER_DEGREE = 111_320
"""Of latitude, by the equatorial radius; the error within a county is below half a percent."""

Degrees = tuple[float, float]


def metres_between(one: Degrees, other: Degrees) -> float:
    """Metres between two (longitude, latitude) in degrees that are near each other, as on a plane."""
    east = (other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot(east, other[1] - one[1]) * METRES_PER_DEGREE


def told_metres(metres: float) -> str:
    """A distance in words: 320 米, 6.2 公里."""
    return f"{metres / 1000:,.1f} 公里" if metres >= 1000 else f"{metres:.0f} 米"
