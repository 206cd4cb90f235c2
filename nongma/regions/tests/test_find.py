"""Finding a division as a person types, and the way up and down from it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nongma.regions.models import Region
from nongma.regions.queries import children_of, code_of, path_of, paths_of, search
from nongma.regions.spans import Span, ancestors_of, level_of, span_of

pytestmark = pytest.mark.django_db

YAZHOU = 460205000000
SHUINAN = 460205198204


def names(regions: list[Region]) -> list[str]:
    return [region.name for region in regions]


@pytest.mark.parametrize(
    "text",
    [
        "崖州",
        "崖州区",
        "yazhouqu",
        "ya zhou qu",
        "YaZhouQu",
        "460205",
        "460205000000",
        "４６０２０５",
        "三亚 崖州",
        "海南 三亚 崖州",
        "三亚市崖州区",
        " 海南省三亚市崖州区 ",
    ],
)
def test_it_finds_yazhou_first(text: str) -> None:
    assert search(text)[0].code == YAZHOU


def test_it_finds_by_initials_inside_an_area() -> None:
    assert search("yzq", within=span_of(460000000000))[0].code == YAZHOU
    assert all(region.initials.startswith("yzq") for region in search("yzq"))


def test_it_finds_a_village_by_its_path() -> None:
    assert search("海南省三亚市崖州区水南")[0].code == SHUINAN
    assert search("崖州 水南村")[0].code == SHUINAN


@pytest.mark.parametrize("text", ["", "  ", "%", "_", "无此地方", "9" * 13, "vvv", "三亚 无此", "\\"])
def test_it_finds_nothing(text: str) -> None:
    assert search(text) == []


def test_exact_names_and_higher_levels_come_first() -> None:
    found = search("朝阳")
    assert (found[0].name, found[0].level) == ("朝阳市", Region.Level.CITY)
    assert [region.level for region in found] == sorted(region.level for region in found)
    assert search("朝阳区", limit=5)[0].name == "朝阳区"


def test_it_keeps_to_the_area_the_level_and_the_limit() -> None:
    inside = span_of(YAZHOU)
    found = search("s", within=inside, level=Region.Level.VILLAGE, limit=3)
    assert len(found) == 3
    assert all(region.code in inside and region.level == 5 for region in found)


def test_it_leaves_out_fillers_and_closed_divisions() -> None:
    assert search("省直辖") == []
    assert search("市辖区") == []
    Region.objects.filter(pk=YAZHOU).update(valid_to="2024-01-01")
    assert YAZHOU not in [region.code for region in search("崖州")]


@pytest.mark.parametrize("text", ["水南", "s", "shui", "c", "城", "460205"])
def test_it_reads_by_index(text: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        search(text)
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan


def test_the_path_leads_from_the_province_down_without_fillers() -> None:
    assert names(path_of(SHUINAN)) == ["海南省", "三亚市", "崖州区", "水南村委会"]
    assert names(path_of(469001000000)) == ["海南省", "五指山市"]
    assert names(path_of(110105000000)) == ["北京市", "朝阳区"]
    assert names(path_of(441900101000)) == ["广东省", "东莞市", "石碣镇"]
    assert names(path_of(0)) == ["全国"]


def test_full_names_of_many_cost_one_query() -> None:
    with CaptureQueriesContext(connection) as captured:
        paths = paths_of([SHUINAN, YAZHOU, 469001000000, 123])
    assert len(captured) == 1
    assert paths == {
        SHUINAN: "海南省三亚市崖州区水南村委会",
        YAZHOU: "海南省三亚市崖州区",
        469001000000: "海南省五指山市",
    }


def test_the_children_of_a_province_hold_its_own_counties() -> None:
    hainan = names(children_of(460000000000))
    assert hainan[:5] == ["海口市", "三亚市", "三沙市", "儋州市", "五指山市"]
    assert "省直辖县级行政区划" not in hainan
    assert names(children_of(110000000000))[:2] == ["东城区", "西城区"]
    assert "城口县" in names(children_of(500000000000))


def test_the_children_of_a_place_without_the_next_level_are_those_after_it() -> None:
    assert names(children_of(441900000000))[:2] == ["东城街道", "南城街道"]
    assert SHUINAN in [region.code for region in children_of(YAZHOU)]
    assert children_of(SHUINAN) == []
    assert len(children_of(0)) == 34


def test_a_code_may_be_written_short() -> None:
    assert code_of("460205") == YAZHOU
    assert code_of("460205000000") == YAZHOU
    for text in ("", "4", "46020", "４６０２０５", "46020a", "-46020", "4602050000000"):
        assert code_of(text) is None


def test_a_region_is_a_range() -> None:
    assert span_of(330000000000) == Span(330000000000, 339999999999)
    assert span_of(0) == Span(0, 999999999999)
    assert SHUINAN in span_of(YAZHOU)
    assert span_of(460000000000).covers(span_of(YAZHOU))
    assert not span_of(YAZHOU).covers(span_of(460000000000))
    assert [level_of(code) for code in (0, 460000000000, 460200000000, YAZHOU, 460205198000, SHUINAN)] == [*range(6)]
    assert ancestors_of(SHUINAN) == [460000000000, 460200000000, YAZHOU, 460205198000]
    assert ancestors_of(441900101000) == [440000000000, 441900000000]
