import pytest

from nongma.regions.names import Gazetteer


@pytest.fixture
def gazetteer(db: None) -> Gazetteer:
    return Gazetteer()


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("海南", "", ""), 460000000000),
        (("海南", "三亚", ""), 460200000000),
        (("海南省", "三亚市", "崖州区"), 460205000000),
        (("海南", "", "崖州区"), 460205000000),
        (("海南", "文昌市", ""), 469005000000),
        (("海南省", "省直辖县级行政区划", "文昌市"), 469005000000),
        (("海南省", "三亚市", "崖州区", "", "大蛋村"), 460205198205),
        (("广东", "东莞", ""), 441900000000),
        (("广东", "东莞", "虎门镇"), 441900121000),
        (("北京", "北京市", "海淀区"), 110108000000),
        (("北京", "", "海淀区"), 110108000000),
    ],
)
def test_it_goes_as_far_down_as_is_written(gazetteer: Gazetteer, names: tuple[str, ...], code: int) -> None:
    found = gazetteer.stand(*names)
    assert (found.code, found.fault) == (code, "")


@pytest.mark.parametrize(
    ("names", "field", "fault"),
    [
        (("", "三亚", ""), "province", "missing"),
        (("海南", "无此市", ""), "city", "unknown-division"),
        (("海南", "三亚", "无此区"), "county", "unknown-division"),
        (("海南", "三亚", "崖州", "无此镇"), "town", "unknown-division"),
        (("海南", "三亚", "崖州", "崖州区直辖村级区划", "无此村"), "village", "unknown-division"),
    ],
)
def test_it_names_what_is_at_fault(gazetteer: Gazetteer, names: tuple[str, ...], field: str, fault: str) -> None:
    found = gazetteer.stand(*names)
    assert (found.code, found.field, found.fault) == (None, field, fault)
    assert "先记到" not in found.message
