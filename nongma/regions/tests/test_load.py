"""Loading the shipped divisions, again, and with later changes."""

import gzip
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from nongma.regions.loading import load
from nongma.regions.models import Region, RegionLoad

pytestmark = pytest.mark.django_db

HEAD = "code,name,syllables,longitude,latitude"
FIRST = (
    "0,全国,quan guo,,",
    "460000000000,海南省,hai nan sheng,109.5,19.2",
    "460200000000,三亚市,san ya shi,109.5,18.3",
    "460205000000,崖州区,ya zhou qu,109.172,18.352",
    "460205198000,崖州区直辖村级区划,ya zhou qu zhi xia cun ji qu hua,,",
    "460205198204,水南村委会,shui nan cun,,",
    "469000000000,省直辖县级行政区划,sheng zhi xia xian ji xing zheng qu hua,,",
    "469001000000,五指山市,wu zhi shan shi,109.5,18.8",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of shipped files, and an empty table to load them into."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE regions_region, regions_regionload CASCADE")
    write(tmp_path, "2023-06-30", *FIRST)
    return tmp_path


def write(folder: Path, cut_off: str, *lines: str) -> None:
    (folder / f"divisions-{cut_off}.csv.gz").write_bytes(gzip.compress("\n".join([HEAD, *lines, ""]).encode()))


def test_it_holds_every_division_of_the_shipped_file() -> None:
    assert Region.objects.count() == 665_275
    counts = {level: Region.objects.filter(level=level).count() for level in Region.Level.values}
    assert counts == {0: 1, 1: 34, 2: 342, 3: 2975, 4: 41351, 5: 620572}


def test_it_loads_the_same_file_once() -> None:
    assert "已是最新" in load()


def test_it_makes_full_names_without_fillers(folder: Path) -> None:
    assert load(folder) == "8 个区划，截至 2023-06-30"
    names = dict(Region.objects.values_list("code", "full_name"))
    assert names[460205198204] == "海南省三亚市崖州区水南村委会"
    assert names[460205198000] == "海南省三亚市崖州区"
    assert names[469001000000] == "海南省五指山市"


def test_it_makes_pinyin_initials_and_centres(folder: Path) -> None:
    load(folder)
    yazhou = Region.objects.get(pk=460205000000)
    assert (yazhou.pinyin, yazhou.initials) == ("yazhouqu", "yzq")
    assert (float(yazhou.longitude or 0), float(yazhou.latitude or 0)) == (109.172, 18.352)
    assert Region.objects.get(pk=460205198204).longitude is None


def test_it_keeps_its_search_indexes_after_the_first_load(folder: Path) -> None:
    load(folder)
    with connection.cursor() as cursor:
        indexes = connection.introspection.get_constraints(cursor, "regions_region")
    assert {"regions_region_name", "regions_region_pinyin", "regions_region_initials"} <= indexes.keys()


def test_a_newer_file_renames_adds_and_closes(folder: Path) -> None:
    load(folder)
    renamed = [line.replace("水南村委会", "水南社区居委会") for line in FIRST if "五指山市" not in line]
    write(folder, "2024-06-30", *renamed, "460205199000,新设街道,xin she jie dao,,")
    load(folder)
    assert Region.objects.get(pk=460205198204).name == "水南社区居委会"
    assert Region.objects.get(pk=460205199000).valid_from == date(2024, 6, 30)
    closed = Region.objects.get(pk=469001000000)
    assert (closed.valid_to, closed.replaced_by) == (date(2024, 6, 30), None)
    assert not Region.objects.current().filter(pk=469001000000).exists()


def test_a_change_closes_a_code_with_all_below_it_and_names_the_new_ones(folder: Path) -> None:
    write(folder, "2023-06-30", *FIRST, "460299000000,新崖区,xin ya qu,,", "460299198204,水南村委会,shui nan cun,,")
    (folder / "changes.csv").write_text("old,new,on\n460205000000,460299000000,2024-03-01\n", encoding="utf-8")
    load(folder)
    replaced = dict(Region.objects.exclude(valid_to=None).values_list("code", "replaced_by"))
    assert replaced == {460205000000: 460299000000, 460205198000: 460299000000, 460205198204: 460299198204}


def test_changes_that_follow_each_other_lead_to_the_last_code(folder: Path) -> None:
    write(folder, "2023-06-30", *FIRST, "460298000000,甲区,jia qu,,", "460299000000,乙区,yi qu,,")
    lines = "old,new,on\n460298000000,460299000000,2025-01-01\n460205000000,460298000000,2024-01-01\n"
    (folder / "changes.csv").write_text(lines, encoding="utf-8")
    load(folder)
    assert Region.objects.get(pk=460205000000).replaced_by == 460299000000


def test_loading_again_after_a_change_changes_nothing_more(folder: Path) -> None:
    (folder / "changes.csv").write_text("old,new,on\n469001000000,460205000000,2024-03-01\n", encoding="utf-8")
    load(folder)
    before = list(Region.objects.values_list())
    RegionLoad.objects.all().delete()
    load(folder)
    assert list(Region.objects.values_list()) == before
