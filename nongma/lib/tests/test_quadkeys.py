"""A tile is a range of quadkeys, whatever the position."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nongma.lib import quadkeys as qk

LONGITUDES = st.floats(-180, 180)
LATITUDES = st.floats(-90, 90)
AXIS = st.integers(0, qk.SIDE - 1)


@st.composite
def tiles(draw: st.DrawFn) -> tuple[int, int, int]:
    z = draw(st.integers(0, qk.ZOOM))
    place = st.integers(0, (1 << z) - 1)
    return z, draw(place), draw(place)


def test_it_knows_the_tile_of_yazhou() -> None:
    key = qk.quadkey(109.171, 18.358)
    assert qk.cell_tile(qk.cell(key, 12), 12) == (12, 3290, 1835)
    assert key in qk.tile_span(12, 3290, 1835)


@pytest.mark.parametrize(
    ("longitude", "latitude", "expected"),
    [(-180, 90, 0), (180, -90, 2 ** (2 * qk.ZOOM) - 1), (0, 0, 3 << (2 * qk.ZOOM - 2))],
)
def test_it_keeps_the_corners_of_the_world(longitude: float, latitude: float, expected: int) -> None:
    assert qk.quadkey(longitude, latitude) == expected


@given(AXIS, AXIS)
def test_it_interleaves_bit_by_bit(x: int, y: int) -> None:
    expected = sum((x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1 for bit in range(qk.ZOOM))
    assert qk.interleave(x, y) == expected
    assert qk.cell_tile(expected, qk.ZOOM) == (qk.ZOOM, x, y)


@given(LONGITUDES, LATITUDES)
def test_it_returns_within_a_square_of_the_position(longitude: float, latitude: float) -> None:
    key = qk.quadkey(longitude, latitude)
    middle = qk.position(key)
    inside = max(-qk.LATITUDE_LIMIT, min(qk.LATITUDE_LIMIT, latitude))
    half = 180 / qk.SIDE + 1e-9
    assert abs(middle[0] - longitude) <= half
    assert abs(middle[1] - inside) <= half
    assert qk.quadkey(*middle) == key


@given(tiles())
def test_a_tile_holds_its_own_quadkeys_and_no_others(tile: tuple[int, int, int]) -> None:
    span = qk.tile_span(*tile)
    assert qk.cell_tile(qk.cell(span.start, tile[0]), tile[0]) == tile
    assert qk.cell_tile(qk.cell(span.stop - 1, tile[0]), tile[0]) == tile
    centre = qk.quadkey(*qk.cell_centre(qk.cell(span.start, tile[0]), tile[0]))
    assert centre in span
    assert span.stop - span.start == 4 ** (qk.ZOOM - tile[0])


@given(tiles().filter(lambda tile: tile[0] < qk.ZOOM))
def test_the_four_tiles_inside_fill_the_range_in_order(tile: tuple[int, int, int]) -> None:
    z, x, y = tile
    span = qk.tile_span(*tile)
    inner = [qk.tile_span(z + 1, 2 * x + dx, 2 * y + dy) for dy in (0, 1) for dx in (0, 1)]
    assert inner[0].start == span.start
    assert inner[-1].stop == span.stop
    assert all(first.stop == second.start for first, second in itertools.pairwise(inner))


@given(tiles().filter(lambda tile: tile[0] > 0 and tile[1] < (1 << tile[0]) - 1 and tile[2] < (1 << tile[0]) - 1))
def test_neighbours_touch_and_share_no_quadkey(tile: tuple[int, int, int]) -> None:
    z, x, y = tile
    span, east, south = qk.tile_span(z, x, y), qk.tile_span(z, x + 1, y), qk.tile_span(z, x, y + 1)
    for other in (east, south):
        assert span.stop <= other.start or other.stop <= span.start


@given(AXIS, AXIS, AXIS)
def test_it_grows_along_each_axis(x: int, further: int, y: int) -> None:
    low, high = sorted((x, further))
    assert qk.interleave(low, y) <= qk.interleave(high, y)
    assert qk.interleave(y, low) <= qk.interleave(y, high)


@given(st.lists(st.tuples(LONGITUDES, LATITUDES), max_size=50))
def test_many_at_once_are_the_same_as_one_by_one(points: list[tuple[float, float]]) -> None:
    lons, lats = [point[0] for point in points], [point[1] for point in points]
    at_once = qk.quadkeys(lons, lats)
    for key, lon, lat in zip(at_once.tolist(), lons, lats, strict=True):
        one = qk.cell_tile(qk.quadkey(lon, lat), qk.ZOOM)
        # The last bit of a sine may differ between the two libraries: next square at most.
        assert all(abs(mine - theirs) <= 1 for mine, theirs in zip(qk.cell_tile(key, qk.ZOOM), one, strict=True))


@given(st.lists(st.integers(0, 2 ** (2 * qk.ZOOM) - 1), max_size=50))
def test_positions_at_once_are_the_same_as_one_by_one(keys: list[int]) -> None:
    lons, lats = qk.positions(np.array(keys, np.int64))
    for key, lon, lat in zip(keys, lons.tolist(), lats.tolist(), strict=True):
        expected = qk.position(key)
        assert math.isclose(lon, expected[0], abs_tol=1e-9)
        assert math.isclose(lat, expected[1], abs_tol=1e-9)
