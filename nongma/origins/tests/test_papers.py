"""附件1 in the official layout, and wall sheets."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import python_calamine
from django.conf import settings
from django.core.files import File

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.lib.refused import Misfilled, Refused
from nongma.origins.filters import OriginFilter
from nongma.origins.models import ImportJob, Origin
from nongma.origins.services.imports import run_import, submit_import
from nongma.origins.sheets import wall
from nongma.origins.sheets.official import official_workbook
from nongma.origins.sheets.wall import wall_sheet
from nongma.regions.models import Region
from nongma.registry.models import Base
from nongma.testing import YAZHOU, YAZHOU_TOWN, client_of, file_in, make_origin

FORM = Path(__file__).parent / "files" / "origin-form-blank.xlsx"


def cells(file: bytes) -> list[list[Any]]:
    return sheet_of(file).to_python(skip_empty_area=False)


def sheet_of(file: bytes) -> Any:
    return python_calamine.load_workbook(io.BytesIO(file)).get_sheet_by_index(0)


def imported(path: Path, user: User) -> ImportJob:
    with path.open("rb") as file:
        job = submit_import(file=File(file), filename=path.name, actor=user)
    run_import(job.uid)
    job.refresh_from_db()
    return job


def test_the_headings_are_those_of_the_official_form(zhao: User, li_origin: Origin) -> None:
    file, count = official_workbook(filters=OriginFilter(), actor=zhao, mark="试")
    written, official = sheet_of(file.read()), sheet_of(FORM.read_bytes())
    rows = written.to_python(skip_empty_area=False)
    assert rows[:3] == official.to_python(skip_empty_area=False)[:3]
    assert sorted(written.merged_cell_ranges) == sorted(official.merged_cell_ranges)
    assert (count, rows[3][1]) == (1, li_origin.operator.name)


def test_it_masks_people_unless_asked(zhao: User, li_origin: Origin) -> None:
    masked, _ = official_workbook(filters=OriginFilter(), actor=zhao, mark="试")
    assert li_origin.phone not in str(cells(masked.read()))
    in_full, _ = official_workbook(filters=OriginFilter(), actor=zhao, mark="试", in_full=True)
    assert li_origin.phone in str(cells(in_full.read()))


def test_who_may_not_see_phones_exports_none(hainan: User, li_origin: Origin) -> None:
    with pytest.raises(Refused) as refusal:
        official_workbook(filters=OriginFilter(), actor=hainan, mark="试", in_full=True)
    assert refusal.value.code == "not_allowed"
    official_workbook(filters=OriginFilter(), actor=hainan, mark="试")


@pytest.mark.django_db(transaction=True)
def test_what_is_exported_in_full_is_on_file_when_loaded_again(zhao: User, tmp_path: Path) -> None:
    job = imported(Path(settings.ROOT) / "nongma/origins/tests/files/yazhou-cowpea-500.xlsx", zhao)
    assert job.accepted > 400
    file, count = official_workbook(filters=OriginFilter(), actor=zhao, mark="试", in_full=True)
    path = tmp_path / "again.xlsx"
    path.write_bytes(file.read())
    again = imported(path, zhao)
    assert again.message == ""
    assert (again.unchanged, again.accepted, again.to_locate, again.rejected) == (count, 0, 0, 0)


def test_the_export_is_on_record(zhao: User, li_origin: Origin) -> None:
    answer = client_of(zhao).post("/origins/paper/official", {"reason": "报送省厅", "in_full": "1"})
    assert answer.status_code == 200
    assert cells(file_in(answer))[0][0] == "重点农产品产地溯源信息采集表"
    entry = Entry.objects.get(action="origins.form_exported")
    assert (entry.details["rows"], entry.details["in_full"], entry.details["purpose"]) == (1, True, "报送省厅")


def test_it_hangs_a_township_on_the_wall(zhao: User, li_base: Base, cowpea: Product, wang: User) -> None:
    for number in range(5):
        make_origin(li_base, cowpea, collected_by=wang, scale=Decimal(10 + number))
    region = Region.objects.get(pk=li_base.region_id - li_base.region_id % 1000)
    file, count = wall_sheet(filters=OriginFilter(region=region), actor=zhao, mark="赵 导出")
    page = "".join(one.get_textpage().get_text_bounded() for one in pypdfium2.PdfDocument(file.read()))
    assert count == 5
    for words in (f"{region.full_name}重点农产品产地分布图", "图例", "名单", "60 亩", "赵 导出", cowpea.name):
        assert words.replace(" ", "") in page.replace(" ", "")
    assert Origin.objects.all()[0].grid_phone not in page
    assert "李大山" not in page  # a household goes by a person's name
    assert "李**" in page


def test_a_wall_sheet_is_of_one_place(zhao: User, li_origin: Origin) -> None:
    with pytest.raises(Misfilled) as refusal:
        wall_sheet(filters=OriginFilter(), actor=zhao, mark="试")
    assert refusal.value.code == "region_missing"


def test_a_wall_sheet_holds_no_more_than_can_be_read(
    zhao: User, li_origin: Origin, li_base: Base, cowpea: Product, wang: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_origin(li_base, cowpea, collected_by=wang)
    monkeypatch.setattr(wall, "MOST", 1)
    with pytest.raises(Refused) as refusal:
        wall_sheet(filters=OriginFilter(region=Region.objects.get(pk=YAZHOU)), actor=zhao, mark="试")
    assert refusal.value.code == "too_many_rows"


def test_nothing_to_hang_is_said(zhao: User, li_origin: Origin) -> None:
    Origin.objects.update(state="to_locate", longitude=None, latitude=None, quadkey=None)
    with pytest.raises(Refused) as refusal:
        wall_sheet(filters=OriginFilter(region=Region.objects.get(pk=YAZHOU)), actor=zhao, mark="试")
    assert refusal.value.code == "nothing_found"
    page = client_of(zhao).post("/origins/paper/wall", {"reason": "巡查", "region": str(YAZHOU_TOWN)}, follow=True)
    assert "没有做挂图" in page.content.decode() or "没有符合条件" in page.content.decode()
    assert not Entry.objects.filter(action="origins.wall_printed").exists()
