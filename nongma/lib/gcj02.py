"""GCJ-02 (国测局坐标、“火星坐标”), the grid of phone maps in China: by how much it is shifted against WGS84.

The formula is the one that has been public since 2010 (Krasovsky 1940 ellipsoid, two sums of sines about 105°E 35°N);
map services agree with it to a metre or two. Outside the country there is no shift.
"""

import math

SEMI_MAJOR = 6_378_245.0
ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
WEST, SOUTH, EAST, NORTH = 72.004, 0.8293, 137.8347, 55.8271
ROUNDS = 4
"""The shift changes by 1 in 10,000 at most, so that each round of the inverse gains nearly four digits."""

Degrees = tuple[float, float]


def from_wgs84(longitude: float, latitude: float) -> Degrees:
    """Where a phone map in China draws a position, in its own degrees."""
    if not (WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH):
        return longitude, latitude
    east, north = _shift(longitude - 105.0, latitude - 35.0)
    angle = math.radians(latitude)
    rest = 1 - ECCENTRICITY_SQUARED * math.sin(angle) ** 2
    metres_north = SEMI_MAJOR * (1 - ECCENTRICITY_SQUARED) / rest**1.5
    metres_east = SEMI_MAJOR / math.sqrt(rest) * math.cos(angle)
    return longitude + math.degrees(east / metres_east), latitude + math.degrees(north / metres_north)


def to_wgs84(longitude: float, latitude: float) -> Degrees:
    """The position that a phone map in China draws there; the inverse of `from_wgs84` to within a millimetre."""
    x, y = longitude, latitude
    for _ in range(ROUNDS):
        drawn_x, drawn_y = from_wgs84(x, y)
        x, y = x + longitude - drawn_x, y + latitude - drawn_y
    return x, y


def _shift(x: float, y: float) -> Degrees:
    """Metres east and north, of a position relative to 105°E 35°N."""
    both = _waves(6 * x, 20.0, 2 * x, 20.0)
    root = math.sqrt(abs(x))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (both + _waves(x, 20.0, x / 3, 40.0) + _waves(x / 12, 150.0, x / 30, 300.0)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (both + _waves(y, 20.0, y / 3, 40.0) + _waves(y / 12, 160.0, y / 30, 320.0)) * 2 / 3
    return east, north


def _waves(first: float, high: float, second: float, wide: float) -> float:
    return high * math.sin(first * math.pi) + wide * math.sin(second * math.pi)
