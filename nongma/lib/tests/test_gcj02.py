import pytest

from nongma.lib.distances import metres_between
from nongma.lib.gcj02 import from_wgs84, to_wgs84

# As published in the tests of eviltransform (上海、深圳、北京) and coordtransform, WGS84 → GCJ-02.
PAIRS = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]


@pytest.mark.parametrize(("true", "drawn"), PAIRS)
def test_it_shifts_as_published(true: tuple[float, float], drawn: tuple[float, float]) -> None:
    assert metres_between(from_wgs84(*true), drawn) < 0.01


@pytest.mark.parametrize("point", [(109.158151, 18.43504), (87.6, 43.8), (126.6, 45.7), (105.0, 35.0)])
def test_it_comes_back_to_where_it_began(point: tuple[float, float]) -> None:
    drawn = from_wgs84(*point)
    assert 50 < metres_between(point, drawn) < 1_000
    assert metres_between(to_wgs84(*drawn), point) < 0.01


def test_it_leaves_the_rest_of_the_world_alone() -> None:
    assert from_wgs84(2.35, 48.85) == (2.35, 48.85)
