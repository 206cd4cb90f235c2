from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from nongma.testing import LIANDU, SANYA, YAZHOU, YAZHOU_VILLAGE, ZHEJIANG, client_of
from nongma.tracing import queries
from nongma.tracing.models import Lot
from nongma.tracing.services import split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


def page(name, lot):
    return reverse(f"tracing:{name}", args=[lot.code])


def test_an_empty_list_says_what_to_do_next(li, li_operator, zhao):
    assert "先登记一批采收" in client_of(li).get("/lots/").content.decode()
    assert "辖区内还没有批次" in client_of(zhao).get("/lots/").content.decode()


def test_a_grower_registers_a_harvest_with_what_is_usual_filled_in(li, li_base, li_origin, cowpea):
    browser = client_of(li)
    form = browser.get("/lots/new").context["form"]
    assert (form.initial["base"], form.initial["product"], form.initial["unit"]) == (li_base, cowpea, "kg")

    answer = browser.post(
        "/lots/new",
        {
            "product": cowpea.pk,
            "quantity": "120.5",
            "unit": "kg",
            "base": li_base.pk,
            "harvested_on": timezone.localdate(),
        },
    )
    lot = Lot.objects.get()
    assert answer.url == lot.get_absolute_url()
    assert queries.balance(lot) == Decimal("120.5")
    shown = browser.get(answer.url).content.decode()
    assert "开具合格证" in shown
    assert "120.5" in shown


def test_a_refusal_stands_beside_its_field(li, li_base, cowpea):
    answer = client_of(li).post(
        "/lots/new",
        {
            "product": cowpea.pk,
            "quantity": "-1",
            "unit": "kg",
            "base": li_base.pk,
            "harvested_on": timezone.localdate(),
        },
    )

    assert answer.context["form"].errors == {"quantity": ["数量要大于 0"]}
    assert not Lot.objects.exists()


def test_a_grower_without_a_base_is_told_how_to_get_one(li, li_operator):
    assert "还没有基地" in client_of(li).get("/lots/new").content.decode()


def test_a_base_of_somebody_else_can_not_be_chosen(li, li_base, chen_base, cowpea):
    answer = client_of(li).post(
        "/lots/new",
        {
            "product": cowpea.pk,
            "quantity": "1",
            "unit": "kg",
            "base": chen_base.pk,
            "harvested_on": timezone.localdate(),
        },
    )

    assert "base" in answer.context["form"].errors
    assert not Lot.objects.exists()


def test_the_list_is_searched_by_code_and_narrowed(li, lot, zhao):
    for browser in (client_of(li), client_of(zhao)):
        for query, seen in (
            (lot.code, True),
            (f"{lot.code[:4]} {lot.code[4:]}", True),
            ("豇豆", True),
            ("1" * 20, False),
            ("黄瓜", False),
        ):
            answer = browser.get("/lots/", {"q": query, "sort": "made"})
            assert (lot.code in "".join(answer.content.decode().split())) is seen or seen is (
                lot in answer.context["page"].object_list
            )
        assert lot not in browser.get("/lots/", {"state": "recalled"}).context["page"].object_list
        assert lot in browser.get("/lots/", {"state": "usable", "sort": "-product"}).context["page"].object_list


def test_a_reviewer_narrows_the_list_by_any_division_of_the_area(zhao, ministry, lot):
    place = lot.region_id
    for user, region, seen in (
        (zhao, "", True),
        (zhao, YAZHOU, True),
        (zhao, place, True),
        (zhao, YAZHOU_VILLAGE, False),
        (ministry, SANYA, True),
        (ministry, ZHEJIANG, False),
    ):
        answer = client_of(user).get("/lots/", {"region": region, "q": "豇豆", "state": "usable"})
        assert not answer.context["form"].errors
        assert (lot in answer.context["page"].object_list) is seen, region
    assert f'data-within="{YAZHOU}"' in client_of(zhao).get("/lots/").text


@pytest.mark.parametrize("asked", [{"region": LIANDU}, {"region": "x"}, {"region": "9" * 5_000}, {"state": "lost"}])
def test_a_filter_that_makes_no_sense_says_so_and_shows_nothing(zhao, lot, asked):
    answer = client_of(zhao).get("/lots/", {"q": "豇豆"} | asked)

    assert list(answer.context["form"].errors) == [*asked]
    assert not answer.context["page"].object_list
    assert answer.context["form"].errors[next(iter(asked))][0] in answer.text
    assert "没有符合条件的批次" in answer.text


def test_a_grower_has_no_areas_to_choose_from(li, lot):
    answer = client_of(li).get("/lots/", {"region": LIANDU})

    assert "region" not in answer.context["form"].fields
    assert lot in answer.context["page"].object_list


@pytest.mark.parametrize("field", ["base", "product"])
@pytest.mark.parametrize("value", ["9" * 5_000, "-1", "1.0", "x"])
def test_a_choice_that_was_never_offered_stays_on_the_page(li, li_base, cowpea, field, value):
    data = {
        "product": cowpea.pk,
        "quantity": "1",
        "unit": "kg",
        "base": li_base.pk,
        "harvested_on": timezone.localdate(),
    }
    answer = client_of(li).post("/lots/new", data | {field: value})

    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert not Lot.objects.exists()


def test_others_find_nothing(chen, chen_operator, sun, wang, lot):
    for name in ("lot", "split", "mix", "transfer", "loss", "recall"):
        assert client_of(chen).get(page(name, lot)).status_code == 404
    assert client_of(sun).get(page("lot", lot)).status_code == 404
    assert client_of(sun).post(page("recall", lot), {"reason": "x"}).status_code == 404
    assert client_of(wang).get(page("lot", lot)).status_code == 403
    lot.refresh_from_db()
    assert lot.recalled_at is None


def test_an_authority_sees_but_does_not_handle(zhao, lot):
    browser = client_of(zhao)

    assert browser.get(page("lot", lot)).status_code == 200
    assert browser.post(page("split", lot), {"quantities": "1"}).status_code == 403
    assert Lot.objects.count() == 1


def test_it_splits_mixes_sells_and_writes_off_on_the_page(li, li_base, cowpea, lot, chen_operator):
    browser = client_of(li)
    other = harvest(li_base, cowpea, li, "80")

    assert browser.post(page("split", lot), {"quantities": "100，50"}).url == lot.get_absolute_url()
    mixed_at = browser.post(page("mix", lot), {"others": [other.pk]}).url
    mixed = Lot.objects.get(kind="mix")
    assert mixed_at == mixed.get_absolute_url()
    assert queries.balance(mixed) == 430
    browser.post(page("transfer", mixed), {"quantity": "30", "buyer": chen_operator.code})
    browser.post(page("transfer", mixed), {"quantity": "10", "buyer_name": "早市"})
    browser.post(page("loss", mixed), {"quantity": "5"})
    assert queries.balance(mixed) == 385
    shown = browser.get(mixed_at).content.decode()
    assert shown.count("去向</span>") == 2
    assert "其他主体" not in shown


def test_wrong_input_stays_on_the_page(li, lot):
    browser = client_of(li)
    for name, data, field in (
        ("split", {"quantities": "很多"}, "quantities"),
        ("split", {"quantities": "501"}, "quantities"),
        ("transfer", {"quantity": "1", "buyer": "1" * 20}, "buyer"),
        ("transfer", {"quantity": "1"}, "buyer"),
        ("loss", {"quantity": "501"}, "quantity"),
        ("recall", {"reason": " "}, "reason"),
        ("mix", {"others": ["0"]}, "others"),
        ("mix", {f"amount_{lot.pk}": ""}, "others"),
    ):
        assert field in browser.post(page(name, lot), data).context["form"].errors
    assert queries.balance(lot) == 500
    assert Lot.objects.count() == 1


def test_an_authority_freezes_lets_go_and_recalls(li, zhao, lot, chen_operator):
    received = transfer_lot(lot=lot, quantity=Decimal(5), buyer=chen_operator, actor=li).received
    browser = client_of(zhao)

    browser.post(page("freeze", lot), {"reason": "待检"})
    assert "已冻结" in client_of(li).get(page("lot", lot)).content.decode()
    assert client_of(li).get(page("freeze", lot)).status_code == 404
    browser.post(page("unfreeze", lot), {"reason": "合格"})
    assert "1 个批次会一起召回" in browser.get(page("recall", lot)).content.decode()
    browser.post(page("recall", lot), {"reason": "抽检不合格"})
    assert "抽检不合格" in client_of(li).get(page("lot", lot)).content.decode()
    received.refresh_from_db()
    assert received.recalled_from == lot


def test_a_page_of_lots_takes_a_fixed_number_of_statements(li, lot, django_assert_max_num_queries):
    split_lot(lot=lot, quantities=[Decimal(1)] * 60, actor=li)
    browser = client_of(li)
    with django_assert_max_num_queries(12):
        assert len(browser.get("/lots/").context["page"].object_list) == 50
    with django_assert_max_num_queries(24):
        entries = browser.get(page("lot", lot)).context["page"]
    assert (len(entries.object_list), entries.paginator.count) == (50, 61)
    assert browser.get(page("lot", lot), {"page": 2}).context["page"].object_list[-1].reason == "harvest"


def test_no_more_than_a_hundred_lots_are_offered_for_mixing(li, lot):
    parts = split_lot(lot=lot, quantities=[Decimal(1)] * 100, actor=li)
    split_lot(lot=lot, quantities=[Decimal(1)], actor=li)
    offered = queries.mixable_with(lot, li)
    assert (len(offered), parts[0] in offered, offered[0].balance) == (100, False, 1)
