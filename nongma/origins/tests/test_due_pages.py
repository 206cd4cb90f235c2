"""采集日历 on screen and by API: tabs and filters, one tap, 不再种养, punctuality, deadlines."""

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.origins.due.calendar import bring_up_to_date
from nongma.origins.models import CollectionTerms, Due, Origin
from nongma.registry.models import Base
from nongma.testing import YAZHOU, api_of, client_of, file_in, make_origin


@pytest.fixture
def waiting(li_base: Base, pigs: Product, wang: User) -> Due:
    """Li's pigs, recorded last month, to be recorded this month."""
    return put(li_base, pigs, wang, months=1)


@pytest.fixture
def overdue(li_base: Base, pigs: Product, wang: User) -> Due:
    return put(li_base, pigs, wang, months=4)


def put(base: Base, product: Product, by: User, *, months: int) -> Due:
    origin = make_origin(base, product, collected_by=by, scale=Decimal(2000), on_sale_on=None, off_sale_on=None)
    day = timezone.localtime().replace(day=1, hour=12)
    for _ in range(months):
        day = (day - timedelta(days=1)).replace(day=1)
    Origin.objects.filter(pk=origin.pk).update(created_at=day)
    bring_up_to_date([origin.pk], today=day.date())
    return Due.objects.get(origin=origin)


def page(user: User, query: str = "") -> str:
    return client_of(user).get(f"/origins/dues/{query}").content.decode()


def test_it_shows_what_waits_and_what_is_overdue(waiting: Due, wang: User) -> None:
    shown = page(wang)
    assert "李大山" in shown
    assert "无变化" in shown
    assert "待采集 <b>1</b>" in shown
    assert "没有逾期的" in page(wang, "?tab=overdue")


def test_three_months_alone_are_shown_as_missed(overdue: Due, wang: User) -> None:
    assert "漏采 3 个月" in page(wang, "?tab=overdue")
    assert "现在没有要采集的" in page(wang)


def test_one_tap_carries_a_crop_over_to_its_new_season(li_base: Base, cowpea: Product, wang: User) -> None:
    today = timezone.localdate()
    sold = today.replace(year=today.year - 1, day=1)
    until = sold + timedelta(days=60)
    origin = make_origin(
        li_base, cowpea, collected_by=wang, state="approved", scale=Decimal(10), on_sale_on=sold, off_sale_on=until
    )
    planted = timezone.now() - timedelta(days=430)
    Origin.objects.filter(pk=origin.pk).update(created_at=planted)
    bring_up_to_date([origin.pk], today=planted.date())
    assert "又种了，无变化" in page(wang, "?tab=overdue")
    client = client_of(wang)
    for _ in range(2):
        client.post(f"/origins/dues/{origin.uid}/confirm")
    made = Origin.objects.get(supersedes=origin)
    assert (made.on_sale_on, made.state, made.scale) == (sold.replace(year=today.year), "submitted", Decimal(10))
    assert Due.objects.get(origin=origin).outcome == "collected"
    assert Due.objects.get(origin=made).outcome == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?product=生猪", True),
        ("?product=豇豆", False),
        ("?product=没有的", False),
        ("?collector=wang", True),
        ("?collector=王采集", True),
        ("?collector=zhao", False),
        ("?rhythm=season", False),
        ("?region=460205198000", True),
        ("?region=331102000000", False),
        ("?month=2020-01", False),
    ],
)
def test_it_is_narrowed(waiting: Due, wang: User, zhao: User, query: str, found: bool) -> None:
    assert ("李大山</a>" in page(wang, query)) is found


def test_the_month_view_shows_what_opens_later(li_base: Base, pigs: Product, wang: User) -> None:
    due = put(li_base, pigs, wang, months=0)
    assert "李大山</a>" not in page(wang)
    shown = page(wang, f"?month={due.due_on:%Y-%m}")
    assert "李大山</a>" in shown
    assert "还没开始" in shown


def test_growers_see_their_own_and_may_do_nothing(waiting: Due, li: User, chen: User) -> None:
    shown = page(li)
    assert "李大山</a>" in shown
    assert "无变化</button>" not in shown
    assert "李大山</a>" not in page(chen)
    assert "等着采集" in client_of(li).get("/").content.decode()
    assert "等着采集" not in client_of(chen).get("/").content.decode()


def test_one_tap_and_back_to_the_list_as_it_was(waiting: Due, wang: User) -> None:
    answer = client_of(wang).post(
        f"/origins/dues/{waiting.origin.uid}/confirm", {"back": "/origins/dues/?product=生猪"}, follow=True
    )
    assert "记为无变化" in answer.content.decode()
    assert unquote(answer.redirect_chain[0][0]) == "/origins/dues/?product=生猪"
    waiting.refresh_from_db()
    assert waiting.outcome == "unchanged"
    assert Entry.objects.filter(action="origin.confirmed").count() == 1


def test_it_does_not_lead_elsewhere(waiting: Due, wang: User) -> None:
    for back in ("https://example.org/origins/dues/", "//example.org", "/me"):
        answer = client_of(wang).post(f"/origins/dues/{waiting.origin.uid}/confirm", {"back": back})
        assert answer["Location"] == "/origins/dues/"


def test_not_grown_any_more_and_taken_back(waiting: Due, wang: User) -> None:
    client, where = client_of(wang), f"/origins/dues/{waiting.origin.uid}"
    assert "请写明为什么不再种养" in client.post(f"{where}/end", {"reason": ""}, follow=True).content.decode()
    client.post(f"{where}/end", {"reason": "改种甘蔗"})
    shown = page(wang, "?tab=done")
    assert "改种甘蔗" in shown
    assert "撤销" in shown
    client.post(f"{where}/resume")
    waiting.refresh_from_db()
    assert waiting.outcome == ""


def test_others_records_are_not_found(waiting: Due, sun: User) -> None:
    for deed in ("confirm", "end", "resume"):
        answer = client_of(sun).post(f"/origins/dues/{waiting.origin.uid}/{deed}", {"reason": "不"})
        assert answer.status_code == 404
    waiting.refresh_from_db()
    assert waiting.outcome == ""


def test_punctuality_by_township_and_by_collector(overdue: Due, wang: User, zhao: User) -> None:
    first = f"{overdue.due_on:%Y-%m}"
    for by, name in (("collector", "王采集"), ("town", "崖州区")):
        shown = client_of(zhao).get(f"/origins/dues/punctuality?by={by}&first={first}").content.decode()
        assert name in shown
        assert '<td class="num" data-label="漏采">3</td>' in shown
    wrong = client_of(zhao).get("/origins/dues/punctuality?first=2026-05&last=2026-01").content.decode()
    assert "最多 24 个月" in wrong


def test_lists_are_taken_out_on_record(overdue: Due, zhao: User) -> None:
    client, first = client_of(zhao), f"{overdue.due_on:%Y-%m}"
    answer: Any = client.post("/origins/dues/export", {"tab": "overdue", "reason": "月度考核"})
    sheet = openpyxl.load_workbook(io.BytesIO(file_in(answer)), read_only=True).worksheets[0]
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["种养殖主体", "李大山"]
    answer = client.post("/origins/dues/punctuality/export", {"by": "collector", "first": first, "reason": "月度考核"})
    sheet = openpyxl.load_workbook(io.BytesIO(file_in(answer)), read_only=True).worksheets[0]
    assert list(sheet.iter_rows(values_only=True))[1] == ("王采集", "3", "0", "0", "3", "0.0%")
    actions = Entry.objects.filter(action__in=("dues.exported", "punctuality.exported")).values_list(
        "action", flat=True
    )
    assert sorted(actions) == ["dues.exported", "punctuality.exported"]


def test_the_county_sets_its_deadlines(zhao: User, wang: User) -> None:
    given = {"planting_days": 20, "review_days": 3, "correct_days": 4, "town_after": 2, "county_after": 5}
    where = "/origins/dues/terms"
    assert client_of(wang).post(where, given).status_code == 403
    assert client_of(zhao).get(where).status_code == 200
    assert not CollectionTerms.objects.exists()
    wrong = client_of(zhao).post(where, given | {"county_after": 1}).content.decode()
    assert "提示县级不能早于提示乡镇" in wrong
    client_of(zhao).post(where, given)
    assert CollectionTerms.objects.filter(region=YAZHOU).values(*given).get() == given
    assert "20 天" in client_of(zhao).get(where).content.decode()


def test_programs_list_confirm_and_end(waiting: Due, wang: User, sun: User) -> None:
    client = api_of(wang)
    (item,) = client.get("/api/v1/origins/dues").json()["items"]
    assert (item["id"], item["operator"], item["outcome"]) == (str(waiting.origin.uid), "李大山", "")
    assert client.get("/api/v1/origins/dues?tab=nothing").status_code == 422
    assert api_of(sun).get("/api/v1/origins/dues").json()["items"] == []
    where = f"/api/v1/origins/{waiting.origin.uid}"
    assert api_of(sun).post(f"{where}/confirm").status_code == 404
    following = client.post(f"{where}/confirm").json()
    assert following["opens_on"] > item["due_on"]
    refused = client.post(f"{where}/confirm")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_open_yet")
    ended = client.post(f"{where}/end", {"reason": "空栏"}, content_type="application/json").json()
    assert (ended["outcome"], ended["why"]) == ("ended", "空栏")
    assert client.post(f"{where}/resume").json()["outcome"] == ""
