"""Whether a point lies in the county that it was written for."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from nongma.regions.boundaries import (
    TOLERANCE_METRES,
    counties_at,
    county_at,
    distance_outside_county,
    inside_county,
    map_file,
    outside_counties,
    shape_of,
)
from nongma.regions.models import Region
from nongma.regions.names import Gazetteer
from nongma.regions.tests.conftest import Rows

YAZHOU = 460205000000
OUTSIDE_COUNTY = {111, 335}
SWAPPED = {52, 104}
TOO_FEW_DECIMALS = {134, 255}


def points(rows: Rows) -> dict[int, tuple[int, float, float]]:
    """Division, longitude and latitude of the rows that have both, by row."""
    found: dict[int, tuple[int, float, float]] = {}
    gazetteer = Gazetteer()
    for number, row in rows.items():
        place = gazetteer.resolve(*map(str, row[7:11]))
        longitude, comma, latitude = str(row[11]).partition(",")
        if place.code and comma:
            found[number] = place.code, float(longitude), float(latitude)
    return found


def far(places: dict[int, tuple[int, float, float]]) -> dict[int, float]:
    metres = outside_counties(*zip(*places.values(), strict=True))
    return {number: distance for number, distance in zip(places, metres.tolist(), strict=True) if distance > 0}


@pytest.mark.django_db
def test_every_point_of_the_county_form_is_inside(form: Callable[[str], Rows]) -> None:
    places = points(form("yazhou-cowpea-500"))
    assert len(places) == 500
    assert far(places) == {}


@pytest.mark.django_db
def test_two_points_of_the_mixed_form_are_outside_their_county(form: Callable[[str], Rows]) -> None:
    distances = far(points(form("mixed-with-errors")))
    assert distances.keys() == OUTSIDE_COUNTY | SWAPPED | TOO_FEW_DECIMALS
    assert distances[111] == pytest.approx(1_423_900, abs=1_000)
    assert distances[335] == pytest.approx(2_097_500, abs=1_000)
    assert min(distances.values()) > 60 * TOLERANCE_METRES


def test_it_knows_the_county_of_a_point() -> None:
    assert county_at(109.158151, 18.435040) == YAZHOU
    assert county_at(113.75, 23.02) == 441900000000
    assert county_at(121.5, 25.05) == 710000000000
    assert county_at(114.17, 22.30) == 810000000000
    assert county_at(0, 0) is None
    assert counties_at([109.158151, 0], [18.435040, 0]).tolist() == [YAZHOU, 0]


def test_a_village_stands_for_its_county() -> None:
    assert distance_outside_county(460205198204, 109.158151, 18.435040) == 0


def test_the_distance_is_that_to_the_border() -> None:
    shape = shape_of(YAZHOU)
    assert shape is not None
    west, _, _, _ = shape.bounds
    edge = min(shape.geoms[0].exterior.coords) if shape.geom_type == "MultiPolygon" else min(shape.exterior.coords)
    metres = distance_outside_county(YAZHOU, edge[0] - 0.01, edge[1])
    assert west == edge[0]
    assert metres == pytest.approx(0.01 * 111_195 * math.cos(math.radians(edge[1])), rel=0.01)
    assert inside_county(YAZHOU, edge[0] - 0.01, edge[1])
    assert not inside_county(YAZHOU, edge[0] - 0.01, edge[1], tolerance_m=500)
    assert not inside_county(YAZHOU, edge[0] - 0.03, edge[1])


@pytest.mark.parametrize(
    ("code", "longitude", "latitude"),
    [
        (130171000000, 114.6, 38.04),  # a development zone: its city
        (232761000000, 124.126, 50.424),  # 加格达奇区 lies in 鄂伦春自治旗
        (620725000000, 101.3, 38.0),  # the army's horse farm beside 山丹县
        (540481000000, 94.21, 29.21),  # 米林, a city since 2023
        (620201000000, 98.28, 39.77),  # 嘉峪关 has no counties
    ],
)
def test_a_county_without_a_polygon_of_its_own_is_tested_all_the_same(
    code: int, longitude: float, latitude: float
) -> None:
    assert distance_outside_county(code, longitude, latitude) == 0


def test_a_county_that_nobody_knows_has_no_distance() -> None:
    assert math.isnan(distance_outside_county(990000000000, 109, 18))
    assert not inside_county(990000000000, 109, 18)
    assert outside_counties([], [], []).tolist() == []


@pytest.mark.django_db
def test_every_county_of_the_list_has_a_shape_or_that_of_its_city() -> None:
    codes = list(Region.objects.current().filter(level=3).values_list("code", flat=True))
    assert [code for code in codes if shape_of(code) is None] == []


def test_every_listed_county_contains_a_point_of_itself() -> None:
    codes = np.array([460205000000, 331102000000, 450702000000, 350981000000, 510121000000, 440606000000])
    inside = [shape.point_on_surface() for code in codes if (shape := shape_of(int(code))) is not None]
    lons, lats = [point.x for point in inside], [point.y for point in inside]
    assert counties_at(lons, lats).tolist() == codes.tolist()
    assert outside_counties(codes, lons, lats).max() == 0


def test_the_maps_show_taiwan_and_the_south_china_sea() -> None:
    import gzip
    import json

    layers = {}
    for name in ("provinces", "cities", "counties-46", "counties-71", "line"):
        file = map_file(name)
        assert file is not None
        layers[name] = json.loads(gzip.decompress(file.packed))["features"]
    names = {feature["properties"]["name"] for feature in layers["provinces"]}
    assert len(names) == 34
    assert {"台湾省", "香港特别行政区", "澳门特别行政区"} <= names
    dashes = next(line for line in layers["line"] if line["properties"]["name"] == "南海断续线")
    assert len(dashes["geometry"]["coordinates"]) == 9
    hainan = next(feature for feature in layers["provinces"] if feature["properties"]["name"] == "海南省")
    south = min(point[1] for island in hainan["geometry"]["coordinates"] for point in island[0])
    assert south < 4
    assert "崖州区" in {feature["properties"]["name"] for feature in layers["counties-46"]}


@pytest.mark.parametrize("name", ["", "../divisions/README", "counties", "counties-99", "provinces.geojson"])
def test_no_other_file_is_a_map(name: str) -> None:
    assert map_file(name) is None
