"""Map tiles as ranges of integers: the Morton code of a Web-Mercator position at zoom 24, 48 bits.

A tile z/x/y is one range of quadkeys, the tiles inside it are ranges inside that range, and a cluster of points is
what shares `quadkey >> k`. Positions are WGS84 degrees; latitudes past the edge of Web Mercator are moved to it.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ZOOM = 24
SIDE = 1 << ZOOM
LATITUDE_LIMIT = math.degrees(math.atan(math.sinh(math.pi)))

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EVEN_BITS = 0x5555555555555555

# Each step moves the upper half of every group of bits away from the lower half, until a zero follows every bit.
_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, _EVEN_BITS),
)
_GATHER = (
    (1, 0x3333333333333333),
    (2, 0x0F0F0F0F0F0F0F0F),
    (4, 0x00FF00FF00FF00FF),
    (8, 0x0000FFFF0000FFFF),
    (16, SIDE - 1),
)


class TileSpan(NamedTuple):
    """The quadkeys of a tile: `start` is in it, `stop` is the first one past it."""

    start: int
    stop: int

    def __contains__(self, quadkey: object) -> bool:
        return isinstance(quadkey, int) and self.start <= quadkey < self.stop


def quadkey(longitude: float, latitude: float) -> int:
    """The 48-bit quadkey of a position in degrees: x in the even bits, y (southward) in the odd ones."""
    x = int((longitude + 180.0) / 360.0 * SIDE)
    sine = math.sin(math.radians(max(-LATITUDE_LIMIT, min(LATITUDE_LIMIT, latitude))))
    y = int((0.5 - math.atanh(sine) / (2.0 * math.pi)) * SIDE)
    return interleave(_clip(x), _clip(y))


def quadkeys(longitudes: npt.ArrayLike, latitudes: npt.ArrayLike) -> Integers:
    """The quadkeys of many positions at once, in the order given."""
    degrees = np.clip(np.asarray(latitudes, np.float64), -LATITUDE_LIMIT, LATITUDE_LIMIT)
    x = (np.asarray(longitudes, np.float64) + 180.0) / 360.0 * SIDE
    y = (0.5 - np.arctanh(np.sin(np.radians(degrees))) / (2.0 * np.pi)) * SIDE
    columns, rows = (np.clip(axis, 0, SIDE - 1).astype(np.int64) for axis in (x, y))
    return _spread_all(columns) | _spread_all(rows) << 1


def tile_span(z: int, x: int, y: int) -> TileSpan:
    """The quadkeys inside tile z/x/y (0 ≤ z ≤ 24)."""
    shift = 2 * (ZOOM - z)
    tile = interleave(x, y)
    return TileSpan(tile << shift, (tile + 1) << shift)


def cell(quadkey: int, level: int) -> int:
    """The number of the zoom-`level` tile that a quadkey lies in; points of one cluster share it."""
    return quadkey >> 2 * (ZOOM - level)


def cells_beside(quadkeys: npt.ArrayLike, level: int) -> Integers:
    """The four cells of a level (at most 23) that each quadkey is nearest to, its own first; one row for each.

    Everything within half a cell's side of a quadkey lies in one of them.
    """
    halves = np.asarray(quadkeys, np.int64) >> 2 * (ZOOM - level - 1)
    x, y = _compact_all(halves), _compact_all(halves >> 1)
    last = (1 << level) - 1
    beside_x, beside_y = (np.clip((axis >> 1) + (axis & 1) * 2 - 1, 0, last) for axis in (x, y))
    columns = np.stack([x >> 1, beside_x, x >> 1, beside_x], axis=-1)
    rows = np.stack([y >> 1, y >> 1, beside_y, beside_y], axis=-1)
    return _spread_all(columns) | _spread_all(rows) << 1


def cell_tile(cell: int, level: int) -> tuple[int, int, int]:
    """The tile z/x/y of a cell."""
    return level, _compact(cell), _compact(cell >> 1)


def cell_centre(cell: int, level: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a cell, in degrees."""
    side = 1 << level
    return _longitude((_compact(cell) + 0.5) / side), _latitude((_compact(cell >> 1) + 0.5) / side)


def position(quadkey: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a quadkey's square, which is 2.4 m wide at the equator."""
    return cell_centre(quadkey, ZOOM)


def positions(quadkeys: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Longitudes and latitudes of the middles of many quadkeys' squares."""
    keys = np.asarray(quadkeys, np.int64)
    x, y = ((_compact_all(part) + 0.5) / SIDE for part in (keys, keys >> 1))
    return x * 360.0 - 180.0, np.degrees(np.arctan(np.sinh(np.pi * (1.0 - 2.0 * y))))


def interleave(x: int, y: int) -> int:
    """The Morton code of two numbers of at most 24 bits."""
    return _spread(x) | _spread(y) << 1


def _clip(number: int) -> int:
    return max(0, min(SIDE - 1, number))


def _longitude(fraction: float) -> float:
    return fraction * 360.0 - 180.0


def _latitude(fraction: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * fraction))))


def _spread(number: int) -> int:
    for shift, mask in _SPREAD:
        number = (number | number << shift) & mask
    return number


def _compact(number: int) -> int:
    number &= _EVEN_BITS
    for shift, mask in _GATHER:
        number = (number | number >> shift) & mask
    return number


def _spread_all(numbers: Integers) -> Integers:
    for shift, mask in _SPREAD:
        numbers = (numbers | numbers << shift) & np.int64(mask)
    return numbers


def _compact_all(numbers: Integers) -> Integers:
    numbers = numbers & np.int64(_EVEN_BITS)
    for shift, mask in _GATHER:
        numbers = (numbers | numbers >> shift) & np.int64(mask)
    return numbers
