"""From what people write into 省、市、县、乡、村 to the division that they mean."""

import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nongma.regions.models import Region
from nongma.regions.names import Gazetteer, Written
from nongma.regions.tests.conftest import Rows
from nongma.regions.wording import own_name

pytestmark = pytest.mark.django_db

FAULTS = {29: "county", 95: "county", 241: "town", 334: "town"}


@pytest.fixture
def gazetteer() -> Gazetteer:
    return Gazetteer()


def written(row: list[object]) -> Written:
    return str(row[7]), str(row[8]), str(row[9]), str(row[10]), ""


def test_it_follows_every_row_of_the_county_form(gazetteer: Gazetteer, form: Callable[[str], Rows]) -> None:
    rows = form("yazhou-cowpea-500")
    assert len(rows) == 500
    for number, found in zip(rows, gazetteer.resolve_many(map(written, rows.values())), strict=True):
        assert found.level == Region.Level.VILLAGE, (number, found)
        assert found.exact
        assert found.county == 460205000000


def test_it_finds_just_the_faulty_names_of_the_mixed_form(gazetteer: Gazetteer, form: Callable[[str], Rows]) -> None:
    rows = form("mixed-with-errors")
    assert len(rows) == 360
    found = dict(zip(rows, gazetteer.resolve_many(map(written, rows.values())), strict=True))
    assert {number: place.field for number, place in found.items() if place.field} == FAULTS
    assert all(place.level >= Region.Level.TOWN and place.exact for place in found.values() if not place.field)
    assert found[29].message == "广东省佛山市没有“无此县”这个县（市、区）"
    assert (found[241].fault, found[241].message) == ("missing", "没有填乡（镇、街道）")


@pytest.mark.parametrize(
    ("names", "code"),
    [
        # 直辖市
        (("北京市", "北京市", "朝阳区", "三间房"), 110105034000),
        (("北京", "市辖区", "朝阳", "三间房地区"), 110105034000),
        (("北京市", "", "朝阳区", "东湖街道办事处"), 110105043000),
        (("重庆市", "县", "城口县", "葛城街道"), 500229001000),
        (("重庆", "重庆", "城口", "葛城街道"), 500229001000),
        # 省直辖、自治区直辖
        (("海南省", "", "五指山市", "通什镇"), 469001100000),
        (("海南省", "省直辖县级行政区划", "五指山市", "通什"), 469001100000),
        (("海南", "直辖", "五指山", "通什镇"), 469001100000),
        (("海南省", "五指山市", "五指山市", "通什镇"), 469001100000),
        (("海南省", "五指山市", "", "通什镇"), 469001100000),
        (("新疆", "自治区直辖县级行政区划", "石河子", "石河子镇"), 659001101000),
        (("新疆维吾尔自治区", "石河子市", "石河子市", "新城街道"), 659001001000),
        # 不设县的市
        (("广东省", "东莞市", "", "石碣镇"), 441900101000),
        (("广东省", "东莞市", "东莞市", "石碣镇"), 441900101000),
        (("广东省", "东莞市", "石碣镇", ""), 441900101000),
        (("广东省", "东莞市", "石碣镇", "桔洲村"), 441900101209),
        (("海南省", "", "儋州市", "那大镇"), 460400100000),
        # 县级市填在市里, 县前带市
        (("浙江省", "义乌市", "", "佛堂镇"), 330782100000),
        (("海南省", "三亚市", "三亚市崖州区", "水南村"), 460205198204),
        (("海南省", "", "三亚市崖州区", "水南村委会"), 460205198204),
        # 民族地方的简称
        (("内蒙古", "呼伦贝尔", "鄂温克旗", "巴彦托海"), 150724100000),
        (("甘肃", "临夏州", "东乡县", "锁南镇"), 622926100000),
        (("海南省", "", "白沙县", "牙叉镇"), 469025100000),
        (("浙江", "", "莲都", "老竹镇"), 331102103000),
        (("广西", "钦州", "钦南", "东场"), 450702108000),
        # 空格、全角、写全路径
        (("浙江省 ", "丽水市", "莲 都 区", "仙\u3000渡乡"), 331102201000),
        (("浙江省", "丽水市", "莲都区", "浙江省丽水市莲都区仙渡乡南源村"), 331102201210),
        # 直辖村级区划
        (("海南省", "三亚市", "崖州区", "崖州区直辖村级区划"), 460205198000),
        (("海南省", "三亚市", "崖州区", "崖州区直辖村级区划水南村委会"), 460205198204),
    ],
)
def test_it_follows_what_people_leave_out(gazetteer: Gazetteer, names: tuple[str, ...], code: int) -> None:
    found = gazetteer.resolve(*names)
    assert (found.code, found.exact, found.field) == (code, True, ""), found


@pytest.mark.parametrize(
    ("town", "village"),
    [
        ("仙渡乡", "南源村委会"),
        ("仙渡乡", "南源村"),
        ("仙渡乡", "南源"),
        ("仙渡乡", "南源村民委员会"),
        ("仙渡", "南源村村民委员会"),
        ("仙渡乡", "仙渡乡南源村"),
        ("仙渡乡南源村委会", ""),
        ("仙渡乡南源", ""),
        ("仙渡南源村", ""),
        ("", "南源村委会"),
    ],
)
def test_it_follows_a_village_however_it_is_written(gazetteer: Gazetteer, town: str, village: str) -> None:
    found = gazetteer.resolve("浙江省", "丽水市", "莲都区", town, village)
    assert (found.code, found.exact) == (331102201210, True)


@pytest.mark.parametrize(("town", "village"), [("仙渡乡", "南原村"), ("仙渡乡南原村", ""), ("仙渡乡", "无此村")])
def test_an_unknown_village_leaves_its_town(gazetteer: Gazetteer, town: str, village: str) -> None:
    found = gazetteer.resolve("浙江省", "丽水市", "莲都区", town, village)
    assert (found.code, found.exact, found.field) == (331102201000, False, "")
    assert "先记到乡（镇、街道）" in found.message


@pytest.mark.parametrize(
    ("names", "field", "fault", "words"),
    [
        (("", "", "", ""), "province", "missing", "没有填省"),
        (("浙江西", "丽水市", "莲都区", "仙渡乡"), "province", "unknown-division", "浙江省"),
        (("浙江省", "丽江市", "莲都区", "仙渡乡"), "city", "unknown-division", "丽水市"),
        (("浙江省", "丽水市", "", "仙渡乡"), "county", "missing", "没有填县"),
        (("浙江省", "丽水市", "义乌市", "佛堂镇"), "county", "unknown-division", "它是浙江省金华市义乌市"),
        (("河北省", "", "桥西区", "红星街道"), "county", "ambiguous-division", "石家庄市桥西区"),
        (("广东省", "东莞市", "无此", ""), "county", "unknown-division", "东莞市没有“无此”"),
        (("浙江省", "丽水市", "莲都区", ""), "town", "missing", "没有填乡"),
        (("浙江省", "丽水市", "莲都区", "仙都乡"), "town", "unknown-division", "仙渡乡"),
        (("浙江省", "丽水市", "莲都区", "太平洋街道"), "town", "unknown-division", "太平洋街道"),
        (("台湾省", "台北市", "", ""), "city", "unknown-division", "台湾省"),
    ],
)
def test_it_says_which_name_is_at_fault(
    gazetteer: Gazetteer, names: tuple[str, ...], field: str, fault: str, words: str
) -> None:
    found = gazetteer.resolve(*names)
    assert (found.code, found.field, found.fault) == (None, field, fault)
    assert words in found.message


def test_an_old_name_leads_to_the_code_of_today(gazetteer: Gazetteer) -> None:
    Region.objects.filter(pk=331102201000).update(valid_to="2024-01-01", replaced_by=331102103000)
    assert Gazetteer().resolve("浙江省", "丽水市", "莲都区", "仙渡乡").code == 331102103000
    Region.objects.filter(pk=331102201000).update(replaced_by=None)
    assert Gazetteer().resolve("浙江省", "丽水市", "莲都区", "仙渡乡").field == "town"


def test_every_official_name_of_a_county_leads_back_to_it(gazetteer: Gazetteer) -> None:
    counties = list(Region.objects.current().filter(level=3).values_list("code", "name"))
    above = dict(Region.objects.filter(level__in=(1, 2)).values_list("code", "name"))
    for code, name in counties:
        province, city = above[code - code % 10**10], above[code - code % 10**8]
        place, _ = gazetteer._county(province, city, name)
        assert place.code == code


def test_many_rows_cost_two_queries_and_little_time(form: Callable[[str], Rows]) -> None:
    rows = [written(row) for row in form("mixed-with-errors").values()]
    with CaptureQueriesContext(connection) as captured:
        gazetteer = Gazetteer()
        gazetteer.resolve_many(rows)
    assert len(captured) == 2
    started = time.perf_counter()
    gazetteer.resolve_many(rows * 300)
    assert len(rows) * 300 / (time.perf_counter() - started) > 50_000


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("崖州区直辖村级区划赤草村委会", "赤草村委会"),
        ("县直辖村级区划畅好居", "畅好居"),
        ("赤草村委会", "赤草村委会"),
        ("崖州区直辖村级区划", "崖州区直辖村级区划"),
        ("", ""),
    ],
)
def test_a_place_is_named_without_a_level_that_does_not_exist(written: str, own: str) -> None:
    assert own_name(written) == own
