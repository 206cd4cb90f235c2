"""Borders: in which county a point lies, how far outside of the one that it was written for, and the files for maps.

The shapes asked about are those of data/boundaries/counties.npz, every vertex of the source; they are read at the first
question. Positions are WGS84/CGCS2000 degrees.
"""

import functools
import hashlib
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from django.conf import settings
from shapely.geometry.base import BaseGeometry

from nongma.regions.spans import above

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# How far outside its county a point may lie before it is called wrong. The source draws a vertex every 1.8 km (median),
# so a village at the edge may fall just outside; and a point read off a GCJ-02 map without converting it is shifted
# by 0.3 to 0.7 km. Points that are wrong are wrong by tens of kilometres.
TOLERANCE_METRES = 2_000.0

EARTH_METRES = 6_371_008.8
SHAPES_KEPT = 512

# Parts of 大兴安岭地区 that lie in 鄂伦春自治旗 of Inner Mongolia, without a polygon of their own.
_LENT = {232700000000: 150723000000}
# Farms and reserves of 甘肃 that the source draws as counties and the divisions do not know.
_UNLISTED = (629700000000, 629800000000, 629900000000)
_TOUCHING_DEGREES = 0.001

_MAP_NAME = re.compile(r"provinces|cities|counties-[0-9]{2}|line")

_STEP = 0.000002
_CORNER = np.array([-180.0, -90.0])


@dataclass(frozen=True)
class MapFile:
    """A simplified layer for maps, as gzipped GeoJSON."""

    packed: bytes
    etag: str


@functools.lru_cache(64)
def map_file(name: str) -> MapFile | None:
    """`provinces`, `cities`, `counties-<2 digits of the province>` or `line` (南海断续线 and other lines)."""
    if _MAP_NAME.fullmatch(name) is None:
        return None
    try:
        packed = (settings.REFERENCE / "boundaries" / f"{name}.geojson.gz").read_bytes()
    except FileNotFoundError:
        return None
    return MapFile(packed, f'W/"{hashlib.sha256(packed).hexdigest()[:20]}"')


@dataclass(frozen=True)
class _Counties:
    codes: Integers
    shapes: npt.NDArray[np.object_]
    tree: shapely.STRtree
    unlisted: BaseGeometry

    def union(self, start: int, stop: int) -> BaseGeometry:
        """All counties with codes from start up to, not including, stop, as one shape."""
        first, last = np.searchsorted(self.codes, (start, stop))
        return shapely.union_all(self.shapes[first:last])


@dataclass(frozen=True)
class _Outline:
    """A county in a plane whose units east and north are equal at its middle."""

    shape: BaseGeometry
    stretch: float


@functools.cache
def _counties() -> _Counties:
    with np.load(settings.REFERENCE / "boundaries" / "counties.npz") as file:
        grid = file["steps"].T.astype(np.int64).cumsum(axis=0)
        offsets = tuple(file[name] for name in ("rings", "polygons", "shapes"))
        codes: Integers = file["codes"]
    shapes = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, grid * _STEP + _CORNER, offsets)
    unlisted = np.isin(codes, _UNLISTED)
    listed = shapes[~unlisted]
    return _Counties(codes[~unlisted], listed, shapely.STRtree(listed), shapely.union_all(shapes[unlisted]))


def counties_at(longitudes: npt.ArrayLike, latitudes: npt.ArrayLike) -> Integers:
    """The code of the county that each point lies in, 0 where there is none (outside the country, at sea).

    For Taiwan, Hong Kong and Macao it is the code of the province. On a border it is the county with the lower code.
    """
    counties = _counties()
    lons, lats = np.asarray(longitudes, np.float64), np.asarray(latitudes, np.float64)
    points = np.asarray(shapely.points(lons, lats), dtype=object).reshape(-1)
    inputs, hits = counties.tree.query(points, predicate="intersects")
    found = np.zeros(len(points), np.int64)
    # Written from the highest code down, so that the lowest stays.
    order = np.argsort(-counties.codes[hits], kind="stable")
    found[inputs[order]] = counties.codes[hits[order]]
    return found


def county_at(longitude: float, latitude: float) -> int | None:
    """The code of the county that a point lies in, None outside the country and at sea."""
    return int(counties_at([longitude], [latitude])[0]) or None


def outside_counties(codes: npt.ArrayLike, longitudes: npt.ArrayLike, latitudes: npt.ArrayLike) -> Floats:
    """How far each point lies outside its county, in metres: 0 inside or on the border.

    A code may be of any level; a town or a village stands for its county. A county without a polygon (development
    zones, 中沙群岛) is tested against its city, a code of nothing known is NaN.
    """
    counties = above_counties(np.asarray(codes, np.int64))
    lons, lats = np.asarray(longitudes, np.float64), np.asarray(latitudes, np.float64)
    metres = np.full(len(counties), np.nan)
    order = np.argsort(counties, kind="stable")
    starts = np.flatnonzero(np.diff(counties[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if len(order) else ():
        outline = _outline(int(counties[rows[0]]))
        if outline is not None:
            metres[rows] = _distances(outline, lons[rows], lats[rows])
    return metres


def distance_outside_county(code: int, longitude: float, latitude: float) -> float:
    """How far a point lies outside a county, in metres; see `outside_counties`."""
    return float(outside_counties([code], [longitude], [latitude])[0])


def inside_county(code: int, longitude: float, latitude: float, tolerance_m: float = TOLERANCE_METRES) -> bool:
    """Whether a point lies in a county, or no further outside than the tolerance. False for a county not known."""
    return distance_outside_county(code, longitude, latitude) <= tolerance_m


def above_counties(codes: Integers) -> Integers:
    """The county codes of many division codes."""
    return codes - codes % 10**6


@functools.lru_cache(SHAPES_KEPT)
def shape_of(code: int) -> BaseGeometry | None:
    """The shape of a province, city or county in degrees; a county that has none gets that of its city."""
    counties = _counties()
    width = 10**10 if code % 10**10 == 0 else 10**8 if code % 10**8 == 0 else 10**6
    shape = counties.union(code, code + width)
    if shape.is_empty and width == 10**6:
        city = above(code, 2)
        shape = counties.union(city, city + 10**8)
        if city in _LENT:
            shape = shapely.union_all([shape, counties.union(_LENT[city], _LENT[city] + 10**6)])
    return None if shape.is_empty else shape


@functools.lru_cache(SHAPES_KEPT)
def _outline(code: int) -> _Outline | None:
    shape = shape_of(code)
    if shape is None:
        return None
    beside = [
        part for part in shapely.get_parts(_counties().unlisted) if shapely.dwithin(part, shape, _TOUCHING_DEGREES)
    ]
    _, south, _, north = shape.bounds
    stretch = float(np.cos(np.radians((south + north) / 2)))
    plane = shapely.transform(shapely.union_all([shape, *beside]), lambda degrees: degrees * [stretch, 1.0])
    shapely.prepare(plane)
    return _Outline(plane, stretch)


def _distances(outline: _Outline, lons: Floats, lats: Floats) -> Floats:
    metres = np.zeros(len(lons))
    outside = ~shapely.intersects_xy(outline.shape, lons * outline.stretch, lats)
    if outside.any():
        points = shapely.points(lons[outside] * outline.stretch, lats[outside])
        lines = shapely.get_coordinates(shapely.shortest_line(points, outline.shape)).reshape(-1, 2, 2)
        nearest = lines[:, 1] / [outline.stretch, 1.0]
        metres[outside] = _great_circle(lons[outside], lats[outside], nearest[:, 0], nearest[:, 1])
    return metres


def _great_circle(lons: Floats, lats: Floats, other_lons: Floats, other_lats: Floats) -> Floats:
    """Metres between pairs of points on a sphere (haversine)."""
    south, north = np.radians(lats), np.radians(other_lats)
    half = (
        np.sin((north - south) / 2) ** 2
        + np.cos(south) * np.cos(north) * np.sin(np.radians(other_lons - lons) / 2) ** 2
    )
    metres: Floats = 2 * EARTH_METRES * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return metres
