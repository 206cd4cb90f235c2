"""Outlines of land (地块轮廓): read from what people and programs write, checked, and measured.

An outline is a GeoJSON Polygon or MultiPolygon in WGS84/CGCS2000 degrees (longitude, latitude) with six decimals,
its outer rings anticlockwise (RFC 7946).
"""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from nongma.lib.refused import Misfilled

Outline = dict[str, Any]
Ring = npt.NDArray[np.float64]

MOST_CORNERS = 500
"""Corners of all rings together; the one that closes a ring is not counted."""
MOST_MU = Decimal(150_000)
"""100 km²: the largest state farms' fields are drawn one by one."""
LEAST_MU = Decimal("0.01")
MOST_TEXT = 200_000
"""Characters of a text or bytes of a file that is read at all."""
DECIMALS = 6

EQUATOR_METRES = 6_378_137.0
FLATTENING = 1 / 298.257222101
"""Of CGCS2000; WGS84 differs by 0.1 mm at the pole."""
SQUARE_METRES_PER_MU = 10_000 / 15
_EXCENTRICITY = math.sqrt(FLATTENING * (2 - FLATTENING))

_KML_RINGS = re.compile(
    r"<(?:\w+:)?(outer|inner)BoundaryIs\b[^>]*>.*?<(?:\w+:)?coordinates\b[^>]*>([^<]*)<", re.DOTALL | re.IGNORECASE
)
_NUMBERS = re.compile(r"[\s,，、;；]+")


def read_outline(text: str) -> Outline | None:
    """An outline as a person types or uploads it; None for an empty text.

    Understands one corner a line (`经度,纬度`, an empty line between two pieces of land), GeoJSON and the polygons of
    KML. Refuses (422) `outline_too_long`, `outline_unreadable` and what `checked_outline` does.
    """
    text = text.strip().removeprefix("\ufeff").strip()
    if not text:
        return None
    if len(text) > MOST_TEXT:
        raise _refused("outline_too_long", f"轮廓的文字太长，最多 {MOST_TEXT:,} 个字符")
    if text.startswith("{"):
        try:
            return checked_outline(json.loads(text))
        except (ValueError, RecursionError):
            raise _refused("outline_unreadable", "这不是能读的 GeoJSON") from None
    polygons = _kml(text) if text.startswith("<") else _lines(text)
    return checked_outline({"type": "MultiPolygon", "coordinates": polygons})


def checked_outline(given: Any) -> Outline:
    """An outline as it is kept, from GeoJSON: a polygon, or a feature or collection of them.

    Refuses (422) `outline_unreadable` (no polygon, or broken), `outline_not_closed`, `outline_too_many_corners`,
    `outline_crossed` (a border that crosses itself, or pieces that overlap), `outline_too_small`, `outline_too_large`.
    """
    polygons = list(_polygons(given, depth=0))
    rings = [ring for polygon in polygons for ring in polygon]
    if not rings:
        raise _refused("outline_unreadable", "没有找到轮廓，请给出多边形（Polygon）")
    if sum(len(ring) - 1 for ring in rings) > MOST_CORNERS:
        raise _refused("outline_too_many_corners", f"轮廓最多 {MOST_CORNERS} 个角，请简化后再提交")
    try:
        pieces = [shapely.Polygon(polygon[0], polygon[1:]) for polygon in polygons]
    except (ShapelyError, ValueError):
        raise _refused("outline_unreadable", "一块地至少要有 3 个不同的角") from None
    land: BaseGeometry = pieces[0] if len(pieces) == 1 else shapely.MultiPolygon(pieces)
    if not land.is_valid:
        told = "轮廓的边线交叉了，请按顺序沿着地边点"
        if "Too few" in explain_validity(land):
            told = "一块地至少要有 3 个不同的角"
        raise _refused("outline_crossed", told)
    outline = json.loads(json.dumps(mapping(shapely.orient_polygons(land))))
    mu = outline_mu(outline)
    if mu < LEAST_MU:
        raise _refused("outline_too_small", f"轮廓围起来的面积不到 {LEAST_MU} 亩，请检查")
    if mu > MOST_MU:
        raise _refused("outline_too_large", f"轮廓围起来的面积有 {mu:,} 亩，超过 {MOST_MU:,} 亩，请检查")
    return {"type": outline["type"], "coordinates": outline["coordinates"]}


def outline_mu(outline: Outline) -> Decimal:
    """The area of an outline in 亩, to two decimals."""
    return Decimal(square_metres(outline) / SQUARE_METRES_PER_MU).quantize(Decimal("0.01"))


def square_metres(outline: Outline) -> float:
    """The area on the ellipsoid, holes taken off.

    Measured in the plane of longitude and authalic latitude, which keeps areas; the sides are taken as straight in it:
    one of 10 km from west to east at 30° north strays a metre from the shortest line.
    """
    total = 0.0
    for polygon in _coordinates(outline):
        areas = [_ring_area(np.asarray(ring, np.float64)) for ring in polygon]
        total += areas[0] - sum(areas[1:])
    return total


def corners_of(outline: Outline) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Longitudes and latitudes of all corners."""
    found = shapely.get_coordinates(shape(outline))
    return found[:, 0], found[:, 1]


def middle_of(outline: Outline) -> tuple[Decimal, Decimal]:
    """A point that lies inside for certain, near the middle."""
    point = shape(outline).representative_point()
    return _degrees(point.x), _degrees(point.y)


def contains_point(outline: Outline, longitude: Decimal, latitude: Decimal) -> bool:
    """Whether a point lies inside the outline or on its border."""
    return bool(shapely.intersects_xy(shape(outline), float(longitude), float(latitude)))


def share_inside(part: Outline, whole: Outline) -> float:
    """Which share of an outline's area lies inside another, 0 to 1."""
    land = shape(part)
    return float(land.intersection(shape(whole)).area / land.area)


def text_of(outline: Outline | None) -> str:
    """An outline as a person reads and edits it: one corner a line; GeoJSON where there are pieces or holes."""
    if outline is None:
        return ""
    polygons = _coordinates(outline)
    if len(polygons) > 1 or len(polygons[0]) > 1:
        return json.dumps(outline)
    return "\n".join(f"{corner[0]:.6f},{corner[1]:.6f}" for corner in polygons[0][0][:-1])


def bounds_of(outline: Outline) -> tuple[float, float, float, float]:
    """West, south, east and north in degrees."""
    west, south, east, north = shape(outline).bounds
    return west, south, east, north


def _refused(code: str, message: str) -> Misfilled:
    return Misfilled(code, message, field="outline")


def _degrees(value: float) -> Decimal:
    return Decimal(value).quantize(Decimal(10) ** -DECIMALS)


def _coordinates(outline: Outline) -> list[Any]:
    found: list[Any] = outline["coordinates"]
    return found if outline["type"] == "MultiPolygon" else [found]


def _ring_area(ring: Ring) -> float:
    """Square metres inside a closed ring, whichever way round it goes."""
    sines = np.sin(np.radians(ring[:, 1]))
    heights = (1 - _EXCENTRICITY**2) * (
        sines / (1 - (_EXCENTRICITY * sines) ** 2) + np.arctanh(_EXCENTRICITY * sines) / _EXCENTRICITY
    )
    x, y = np.radians(ring[:, 0] - ring[0, 0]), heights - heights[0]
    twice = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    return abs(twice) / 4 * EQUATOR_METRES**2


def _polygons(given: Any, depth: int) -> Iterator[list[Ring]]:
    """The polygons in a piece of GeoJSON, as closed rings with six decimals."""
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "FeatureCollection" and depth == 0:
        for feature in _list(given.get("features"), MOST_CORNERS):
            yield from _polygons(feature, 1)
    elif kind == "Feature" and depth <= 1:
        yield from _polygons(given.get("geometry"), 2)
    elif kind == "Polygon":
        yield [_ring(ring) for ring in _list(given.get("coordinates"), MOST_CORNERS)]
    elif kind == "MultiPolygon":
        for polygon in _list(given.get("coordinates"), MOST_CORNERS):
            yield [_ring(ring) for ring in _list(polygon, MOST_CORNERS)]
    else:
        raise _refused("outline_unreadable", "没有找到轮廓，请给出多边形（Polygon）")


def _list(given: Any, most: int) -> list[Any]:
    if not isinstance(given, list) or not given:
        raise _refused("outline_unreadable", "轮廓的坐标不完整")
    if len(given) > most:
        raise _refused("outline_too_many_corners", f"轮廓最多 {MOST_CORNERS} 个角，请简化后再提交")
    return given


def _ring(given: Any) -> Ring:
    corners = [_corner(corner) for corner in _list(given, MOST_CORNERS + 1)]
    if corners[0] != corners[-1] or len(corners) < 2:
        raise _refused("outline_not_closed", "轮廓没有合拢：最后一个角要和第一个相同")
    # Rounding may lay a corner onto the next.
    kept = [corner for corner, before in zip(corners, [None, *corners], strict=False) if corner != before]
    if len(set(kept)) < 3:
        raise _refused("outline_unreadable", "一块地至少要有 3 个不同的角")
    return np.asarray(kept, np.float64)


def _corner(given: Any) -> tuple[float, float]:
    if not isinstance(given, list | tuple) or not 2 <= len(given) <= 3:
        raise _refused("outline_unreadable", "每个角要写经度和纬度两个数")
    try:
        longitude, latitude = float(given[0]), float(given[1])
    except (TypeError, ValueError, OverflowError):
        raise _refused("outline_unreadable", "每个角要写经度和纬度两个数") from None
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise _refused("outline_unreadable", "经度要在 -180 到 180 之间，纬度要在 -90 到 90 之间，请检查有没有填反")
    return round(longitude, DECIMALS), round(latitude, DECIMALS)


def _closed(corners: list[list[str]]) -> list[list[str]]:
    return corners if len(corners) < 2 or corners[0] == corners[-1] else [*corners, corners[0]]


def _lines(text: str) -> list[list[list[list[str]]]]:
    """Corners, one a line; an empty line begins another piece of land."""
    polygons: list[list[list[list[str]]]] = []
    for number, piece in enumerate(re.split(r"\n\s*\n", text.replace("\r\n", "\n")), 1):
        corners = [_NUMBERS.split(line.strip()) for line in piece.splitlines() if line.strip()]
        for line, corner in enumerate(corners, 1):
            if len(corner) != 2:
                where = f"第 {line} 行" if number == 1 else f"第 {number} 块第 {line} 行"
                raise _refused("outline_unreadable", f"{where}读不懂，每行写一个角：经度,纬度")
        polygons.append([_closed(corners)])
    return polygons


def _kml(text: str) -> list[list[list[list[str]]]]:
    """The polygons of a KML file. Only coordinates are taken out; the XML itself is never interpreted."""
    polygons: list[list[list[list[str]]]] = []
    for kind, coordinates in _KML_RINGS.findall(text):
        ring = _closed([corner.split(",") for corner in coordinates.split()])
        if kind.lower() == "outer":
            polygons.append([ring])
        elif polygons:
            polygons[-1].append(ring)
    return polygons
