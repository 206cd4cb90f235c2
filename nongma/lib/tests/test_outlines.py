"""Outlines as people and programs write them: read, checked, measured."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from nongma.lib.outlines import (
    MOST_CORNERS,
    MOST_TEXT,
    checked_outline,
    contains_point,
    middle_of,
    outline_mu,
    read_outline,
    square_metres,
    text_of,
)
from nongma.lib.refused import Misfilled

FIELD = [[109.158, 18.435], [109.16, 18.435], [109.16, 18.437], [109.158, 18.437], [109.158, 18.435]]
ELLIPSOID = 510_065_621_724_089  # square metres, CGCS2000


def polygon(*rings):
    return {"type": "Polygon", "coordinates": [list(ring) for ring in rings]}


def box(west, south, east, north):
    return polygon([[west, south], [east, south], [east, north], [west, north], [west, south]])


def refusal_of(call, *args):
    with pytest.raises(Misfilled) as refused:
        call(*args)
    assert refused.value.field == "outline"
    return refused.value.code


def code_of(call, *args):
    """The code of the refusal; empty when nothing is refused."""
    try:
        call(*args)
    except Misfilled as refused:
        return refused.code
    return ""


def test_known_areas():
    assert square_metres(box(-180, -90, 180, 90)) == pytest.approx(ELLIPSOID, rel=1e-9)
    for south, north in ((0, 1), (18, 18.002), (29, 30), (52, 53)):
        assert square_metres(box(100, south, 101, north)) == pytest.approx(belt(south, north), rel=1e-9)


def belt(south, north, slices=20_000):
    """Square metres of a degree's breadth between two parallels, added up from the radii of curvature."""
    equator, flattening = 6_378_137.0, 1 / 298.257222101
    excentricity = flattening * (2 - flattening)
    step = math.radians(north - south) / slices
    latitudes = (math.radians(south) + (index + 0.5) * step for index in range(slices))
    heights = sum(math.cos(at) / (1 - excentricity * math.sin(at) ** 2) ** 2 for at in latitudes)
    return equator**2 * (1 - excentricity) * heights * step * math.radians(1)


def test_a_hole_is_taken_off_and_pieces_are_added():
    whole, hole = box(109, 18, 109.03, 18.03), box(109.01, 18.01, 109.02, 18.02)
    holed = polygon(whole["coordinates"][0], hole["coordinates"][0])
    assert square_metres(holed) == pytest.approx(square_metres(whole) - square_metres(hole))
    both = {"type": "MultiPolygon", "coordinates": [whole["coordinates"], box(109.1, 18, 109.11, 18.01)["coordinates"]]}
    alone = square_metres(box(109.1, 18, 109.11, 18.01))
    assert square_metres(both) == pytest.approx(square_metres(whole) + alone)


def ring_of(radii, turn=0.0, scale=1.0, longitude=109.0, latitude=30.0):
    """A star-shaped field round a place, its corners so many metres away."""
    step = 2 * math.pi / len(radii)
    squeeze = math.cos(math.radians(latitude))
    corners = [
        [
            longitude + math.cos(turn + index * step) * radius * scale / 111_320 / squeeze,
            latitude + math.sin(turn + index * step) * radius * scale / 110_850,
        ]
        for index, radius in enumerate(radii)
    ]
    return [*corners, corners[0]]


RADII = some.lists(some.floats(50, 900), min_size=5, max_size=30)


@given(RADII, some.floats(0.5, 3))
def test_area_grows_with_the_square_of_the_scale(radii, scale):
    one, other = (square_metres(polygon(ring_of(radii, scale=by))) for by in (1, scale))
    assert other == pytest.approx(one * scale**2, rel=1e-3)


@given(RADII, some.floats(0, 6.28))
def test_area_stays_when_the_field_is_turned(radii, turn):
    turned, straight = (square_metres(polygon(ring_of(radii, by))) for by in (turn, 0))
    assert turned == pytest.approx(straight, rel=5e-3)


@given(RADII, some.integers(0, 29))
def test_area_does_not_depend_on_the_first_corner_or_the_direction(radii, first):
    ring = ring_of(radii)[:-1]
    first %= len(ring)
    turned = [*ring[first:], *ring[:first]]
    for other in (turned, turned[::-1]):
        closed = [*other, other[0]]
        assert square_metres(polygon(closed)) == pytest.approx(square_metres(polygon(ring_of(radii))), rel=1e-9)


@given(RADII)
def test_what_is_kept_reads_back_as_itself(radii):
    kept = checked_outline(polygon(ring_of(radii)))
    assert checked_outline(kept) == kept
    assert read_outline(json.dumps(kept)) == kept
    again = read_outline(text_of(kept))
    assert again is not None
    assert outline_mu(again) == outline_mu(kept)
    assert contains_point(kept, *middle_of(kept))


@given(RADII, some.data())
def test_two_corners_exchanged_are_refused_or_a_valid_field(radii, data):
    ring = ring_of(radii)[:-1]
    one, other = data.draw(some.permutations(range(len(ring))))[:2]
    ring[one], ring[other] = ring[other], ring[one]
    assert code_of(checked_outline, polygon([*ring, ring[0]])) in {"", "outline_crossed"}


VALUES = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=5)
        | some.dictionaries(some.sampled_from(["type", "coordinates", "features", "geometry"]), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(VALUES, some.sampled_from(["Polygon", "MultiPolygon", "Feature", "FeatureCollection"]))
def test_anything_else_is_refused_with_a_reason(value, kind):
    for given_value in (value, {"type": kind, "coordinates": value, "features": value, "geometry": value}):
        assert code_of(checked_outline, given_value).startswith("outline_")


@given(some.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    assume(text.strip())
    assert code_of(read_outline, text).startswith("outline_")


@pytest.mark.parametrize(
    ("given_value", "code"),
    [
        (polygon(FIELD[:-1]), "outline_not_closed"),
        (polygon([FIELD[0], FIELD[1], FIELD[0]]), "outline_unreadable"),
        (polygon([FIELD[0], FIELD[2], FIELD[1], FIELD[3], FIELD[0]]), "outline_crossed"),
        ({"type": "Point", "coordinates": [109, 18]}, "outline_unreadable"),
        (polygon([[109.0, "x"], *FIELD[1:]]), "outline_unreadable"),
        (polygon([[18.435, 109.158], [18.435, 109.16], [18.437, 109.16], [18.435, 109.158]]), "outline_unreadable"),
        (box(109.158, 18.435, 109.158002, 18.435002), "outline_too_small"),
        (box(109, 18, 109.2, 18.2), "outline_too_large"),
        (polygon(ring_of([500.0] * (MOST_CORNERS + 1))), "outline_too_many_corners"),
        (
            {"type": "MultiPolygon", "coordinates": [[FIELD], [[[x + 0.001, y] for x, y in FIELD]]]},
            "outline_crossed",
        ),
    ],
)
def test_it_refuses(given_value, code):
    assert refusal_of(checked_outline, given_value) == code


def test_the_most_corners_are_taken():
    assert len(checked_outline(polygon(ring_of([500.0] * MOST_CORNERS)))["coordinates"][0]) == MOST_CORNERS + 1


def test_texts_of_every_kind_give_the_same_field():
    lines = "\n".join(f"{x}, {y}" for x, y in FIELD[:-1])
    corners = " ".join(f"{x},{y},0" for x, y in FIELD)
    ring = f"<outerBoundaryIs><LinearRing><coordinates>{corners}</coordinates></LinearRing></outerBoundaryIs>"
    kml = f'<?xml version="1.0"?><kml><Placemark><Polygon>{ring}</Polygon></Placemark></kml>'
    feature = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": polygon(FIELD)}]}
    kept = checked_outline(polygon(FIELD))
    for text in (lines, lines.replace(", ", "，").replace("\n", "\r\n"), kml, json.dumps(feature)):
        read = read_outline(text)
        assert read is not None
        assert outline_mu(read) == outline_mu(kept)
    assert read_outline("  \n") is None
    assert outline_mu(kept) == Decimal("70.16")


def test_what_cannot_be_read_says_where():
    with pytest.raises(Misfilled, match="第 2 行"):
        read_outline("109.1,18.4\n一百零九\n109.2,18.5")
    assert refusal_of(read_outline, "{" * 5000) == "outline_unreadable"
    assert refusal_of(read_outline, "<kml></kml>") == "outline_unreadable"
    assert refusal_of(read_outline, "1" * (MOST_TEXT + 1)) == "outline_too_long"
