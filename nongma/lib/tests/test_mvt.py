import mapbox_vector_tile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nongma.lib.mvt import EXTENT, Point, encode_points

numbers = st.integers(-(2**40), 2**40)
points = st.builds(
    Point,
    x=st.integers(-64, EXTENT + 64),
    y=st.integers(-64, EXTENT + 64),
    properties=st.dictionaries(st.sampled_from(["count", "id", "产品", ""]), numbers | st.text(max_size=20)),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(points, min_size=1, max_size=12))
def test_any_reader_reads_what_it_wrote(written: list[Point]) -> None:
    read = mapbox_vector_tile.decode(encode_points("origins", written), default_options={"y_coord_down": True})
    assert list(read) == ["origins"]
    assert read["origins"]["extent"] == EXTENT
    assert read["origins"]["version"] == 2
    assert [
        (*feature["geometry"]["coordinates"], feature["geometry"]["type"], feature["properties"])
        for feature in read["origins"]["features"]
    ] == [(point.x, point.y, "Point", point.properties) for point in written]


def test_a_tile_without_points_is_empty() -> None:
    assert encode_points("origins", []) == b""
