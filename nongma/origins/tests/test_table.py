import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.origins import exports
from nongma.origins.filters import OriginFilter
from nongma.origins.models import ImportJob, Origin, ReviewJob
from nongma.origins.services import review
from nongma.registry.models import Base
from nongma.testing import HAINAN, LIANDU, YAZHOU, YAZHOU_TOWN, client_of, file_in, make_origin

PURPOSE = {"reason": "季度通报"}


@pytest.fixture
def pork(db: None) -> Product:
    return Product.objects.filter(industry="livestock").order_by("pk")[0]


@pytest.fixture
def several(li_base: Base, chen_base: Base, cowpea: Product, pork: Product, wang: User, sun: User) -> list[Origin]:
    return [
        make_origin(li_base, cowpea, collected_by=wang, scale=Decimal("3.00")),
        make_origin(li_base, cowpea, collected_by=wang, state="approved", scale=Decimal("20.00")),
        make_origin(li_base, pork, collected_by=wang, on_sale_on=None, off_sale_on=None, scale=Decimal("300.00")),
        make_origin(li_base, cowpea, collected_by=wang, state="superseded"),
        make_origin(chen_base, cowpea, collected_by=sun, on_sale_on=date(2026, 9, 1), off_sale_on=date(2026, 10, 31)),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [0, 1, 2, 4]),
        ({"region": str(HAINAN)}, [0, 1, 2]),
        ({"region": "46"}, [0, 1, 2]),
        ({"region": str(YAZHOU_TOWN)}, [0, 1, 2]),
        ({"region": str(LIANDU)}, [4]),
        ({"product": "豇豆"}, [0, 1, 4]),
        ({"industry": "livestock"}, [2]),
        ({"status": "approved"}, [1]),
        ({"scale_min": "3"}, [0, 1, 2, 4]),
        ({"scale_min": "3.01"}, [1, 2, 4]),
        ({"scale_max": "3"}, [0]),
        ({"scale_min": "3", "scale_max": "20"}, [0, 1, 4]),
        ({"on_sale": "2026-04"}, [0, 1]),
        ({"on_sale": "2026-08"}, [0, 1]),
        ({"on_sale": "2026-09"}, [4]),
        ({"on_sale": "2025-05"}, []),
        ({"q": "大山"}, [0, 1, 2]),
        ({"q": "李"}, [0, 1, 2]),
        ({"q": "山"}, []),
        ({"region": str(YAZHOU), "product": "豇豆", "status": "submitted"}, [0]),
    ],
    ids=str,
)
def test_it_finds_what_each_condition_means(
    ministry: User, several: list[Origin], query: dict[str, str], found: list[int]
) -> None:
    filters = OriginFilter.read(query, ministry)
    listed = filters.visible_to(ministry)
    assert sorted(origin.pk for origin in listed) == sorted(several[index].pk for index in found)
    assert OriginFilter.read(filters.parameters(), ministry) == filters
    assert bool(query) == (filters.describe() != "全部记录")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"region": "46020"}, "region"),
        ({"region": "999999999999"}, "region"),
        ({"region": "崖州"}, "region"),
        ({"product": "没有的菜"}, "product"),
        ({"industry": "mining"}, "industry"),
        ({"status": "superseded"}, "status"),
        ({"scale_min": "-1"}, "scale_min"),
        ({"scale_min": "many"}, "scale_min"),
        ({"scale_min": "5", "scale_max": "2"}, "scale_max"),
        ({"on_sale": "2026-13"}, "on_sale"),
        ({"on_sale": "202605"}, "on_sale"),
        ({"import": "1"}, "import"),
        ({"import": "0190a000-0000-7000-8000-000000000000"}, "import"),
    ],
    ids=str,
)
def test_it_says_what_makes_no_sense(ministry: User, query: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as error:
        OriginFilter.read(query, ministry)
    assert list(error.value.error_dict) == [field]


def test_an_import_is_a_condition_for_who_made_it(zhao: User, wang: User, several: list[Origin]) -> None:
    job = ImportJob.objects.create(user=zhao, filename="a.xlsx", size_bytes=1, digest=b"1")
    Origin.objects.filter(pk=several[0].pk).update(import_job=job)
    assert list(OriginFilter.read({"import": str(job.uid)}, zhao).visible_to(zhao)) == [several[0]]
    with pytest.raises(ValidationError):
        OriginFilter.read({"import": str(job.uid)}, wang)


def test_the_table_lists_the_own_area(zhao: User, several: list[Origin]) -> None:
    page = client_of(zhao).get("/origins/").content.decode()
    assert several[0].operator.name in page
    assert several[4].operator.name not in page
    assert several[0].phone not in page
    assert "共 3 条" in page


@pytest.mark.parametrize("sort", ["region", "-scale", "name", "product", "on_sale", "-status", "updated", "nonsense"])
def test_the_table_sorts(zhao: User, several: list[Origin], sort: str) -> None:
    answer = client_of(zhao).get("/origins/", {"sort": sort})
    assert answer.status_code == 200
    scales = [origin.scale for origin in answer.context["page"]]
    assert len(scales) == 3
    if sort == "-scale":
        assert scales == sorted(scales, reverse=True)


def test_the_table_shows_a_wrong_condition_beside_its_field(zhao: User, several: list[Origin]) -> None:
    page = client_of(zhao).get("/origins/", {"on_sale": "May", "product": "豇豆"}).content.decode()
    assert "月份要写成 2026-05 这样" in page
    assert "共 2 条" in page


def test_a_table_page_asks_the_database_little(
    zhao: User, several: list[Origin], django_assert_max_num_queries: Any
) -> None:
    client = client_of(zhao)
    client.get("/origins/")
    with django_assert_max_num_queries(16):
        client.get("/origins/")


def test_an_export_is_the_filter_in_the_official_columns(zhao: User, several: list[Origin]) -> None:
    answer = client_of(zhao).post("/origins/export.xlsx", {"product": "豇豆"} | PURPOSE)
    sheet = openpyxl.load_workbook(io.BytesIO(file_in(answer))).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert "产品：豇豆" in str(rows[1][0])
    assert rows[2][:4] == ("种养殖主体名称", "主体类型", "所属行业", "产品名称")
    assert len(rows) == 5
    assert rows[3][6:9] == ("海南省", "三亚市", "崖州区")
    assert rows[3][13] == "199****5935"
    assert (rows[3][12], rows[3][21], rows[3][23]) == ("李**", "冯**", "卫**")
    assert not any("19900005935" in str(cell) for row in rows for cell in row)
    entry = Entry.objects.get(action="origins.exported")
    assert (entry.details["rows"], entry.details["purpose"]) == (2, "季度通报")
    assert sheet.oddHeader.left.text.endswith("导出，用途：季度通报")


def test_a_csv_runs_no_formula(zhao: User, several: list[Origin]) -> None:
    Origin.objects.filter(pk=several[0].pk).update(alias="=1+1", contact="@SUM(A1)")
    answer = client_of(zhao).post("/origins/export.csv", PURPOSE)
    rows = list(csv.reader(io.StringIO(file_in(answer).decode("utf-8-sig"))))
    assert len(rows) == 5
    assert rows[-1][0].endswith("导出，用途：季度通报")
    assert any("'=1+1" in row and "'@**" in row for row in rows)


def test_only_who_may_exports(wang: User, several: list[Origin]) -> None:
    assert client_of(wang).post("/origins/export.xlsx").status_code == 403
    assert client_of(wang).get("/origins/export.xlsx").status_code == 403
    assert not Entry.objects.filter(action="origins.exported").exists()


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_too_large_an_export_is_refused_whole(
    zhao: User, several: list[Origin], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_EXPORTED", 2)
    answer = client_of(zhao).post(f"/origins/export.{form}", PURPOSE, follow=True)
    assert "一次最多导出 2 条，没有导出" in answer.content.decode()
    assert not Entry.objects.filter(action="origins.exported").exists()
    assert client_of(zhao).post(f"/origins/export.{form}", {"product": "豇豆"} | PURPOSE).status_code == 200


def states(origins: list[Origin]) -> list[str]:
    return [Origin.objects.get(pk=origin.pk).state for origin in origins]


def test_a_selection_is_confirmed_and_then_approved(zhao: User, several: list[Origin]) -> None:
    client = client_of(zhao)
    asked = {"verdict": "approve", "scope": "selection", "uid": [several[0].uid, several[4].uid]}
    page = client.post("/origins/decide", asked)
    assert "通过 1 条待审核的记录" in page.content.decode()
    assert states(several)[0] == "submitted"
    client.post("/origins/decide", asked | {"confirmed": "1"})
    assert states(several) == ["approved", "approved", "submitted", "superseded", "submitted"]


def test_a_whole_is_returned_with_a_reason(zhao: User, several: list[Origin]) -> None:
    client = client_of(zhao)
    asked = {"verdict": "return", "scope": "whole", "product": "豇豆", "confirmed": "1"}
    page = client.post("/origins/decide", asked)
    assert page.status_code == 200
    assert states(several)[0] == "submitted"
    client.post("/origins/decide", asked | {"reason": "没有别名"})
    assert states(several) == ["returned", "approved", "submitted", "superseded", "submitted"]


def test_a_large_whole_becomes_a_job_with_progress(
    zhao: User, several: list[Origin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nongma.origins.views.table.AT_ONCE", 1)
    client = client_of(zhao)
    answer = client.post("/origins/decide", {"verdict": "approve", "scope": "whole", "confirmed": "1"})
    job = ReviewJob.objects.get()
    assert answer["Location"] == f"/origins/reviews/{job.uid}"
    assert "共 2 条" in client.get(answer["Location"]).content.decode()
    review.run_review_job(job.pk)
    part = client.get(answer["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "通过了 2 条" in part
    assert "hx-get" not in part
    assert states(several) == ["approved", "approved", "approved", "superseded", "submitted"]


def test_a_filter_that_makes_no_sense_decides_nothing(zhao: User, several: list[Origin]) -> None:
    asked = {"verdict": "approve", "scope": "whole", "confirmed": "1", "region": "崖州"}
    assert client_of(zhao).post("/origins/decide", asked).status_code == 302
    assert states(several)[0] == "submitted"


def test_who_does_not_review_decides_nothing(wang: User, several: list[Origin]) -> None:
    asked = {"verdict": "approve", "scope": "whole", "confirmed": "1"}
    assert client_of(wang).post("/origins/decide", asked).status_code == 403
    assert states(several)[0] == "submitted"


def test_nothing_is_done_with_a_list_whose_filter_makes_no_sense(zhao: User, li_origin: Origin) -> None:
    page = client_of(zhao).get("/origins/", {"product": "没有的产品"}).content.decode()
    assert "没有这种产品" in page
    assert 'name="verdict"' not in page
    assert "导出表格" not in page
    assert 'name="verdict"' in client_of(zhao).get("/origins/").content.decode()
    for where in ("/origins/export.xlsx", "/origins/export.csv", "/origins/paper/official", "/origins/paper/wall"):
        answer = client_of(zhao).post(where, {"product": "没有的产品"} | PURPOSE, follow=True)
        assert "筛选条件有误，没有导出" in answer.content.decode()
        assert "没有这种产品" in answer.content.decode()
