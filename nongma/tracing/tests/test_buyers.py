"""Choosing whom to sell to: buyers that the seller knows, by name, by code."""

from decimal import Decimal

import pytest

from nongma.registry.models import Operator
from nongma.testing import YAZHOU_VILLAGE, client_of, make_operator
from nongma.tracing.buyers import MOST_FOUND, buyers_found, known_buyers
from nongma.tracing.models import Lot, Transfer
from nongma.tracing.services import transfer_lot
from nongma.tracing.tests.factories import harvest

Kind = Operator.Kind


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


@pytest.fixture
def station(li_operator):
    """A purchasing station in Li's county."""
    return make_operator(name="南滨豇豆收购站", kinds=[Kind.PURCHASER], region=YAZHOU_VILLAGE, contact="关站长")


def names(buyers):
    return [buyer.name for buyer in buyers]


def test_buyers_are_found_by_part_of_the_name_those_of_the_county_first(li_operator, station, chen_operator):
    far = make_operator(name="莲都豇豆收购站", kinds=[Kind.PURCHASER], region=chen_operator.region_id)

    assert names(buyers_found(li_operator, "豇豆收购")) == [station.name, far.name]
    assert names(buyers_found(li_operator, " 南滨 ")) == [station.name]
    assert names(buyers_found(li_operator, "陈家专业")) == [chen_operator.name]
    assert buyers_found(li_operator, "没有这家") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"kinds": [Kind.HOUSEHOLD]},
        {"kinds": [Kind.INPUT_DEALER]},
        {"status": Operator.Status.SUBMITTED},
        {"status": Operator.Status.SUSPENDED},
    ],
)
def test_who_does_not_buy_or_may_not_trade_is_not_offered_by_name(li_operator, station, fields):
    Operator.objects.filter(pk=station.pk).update(**fields)

    assert buyers_found(li_operator, "南滨豇豆") == []


def test_a_code_finds_whoever_gave_it_unless_suspended(li_operator, chen_operator):
    household = make_operator(name="吴小河", kinds=[Kind.HOUSEHOLD])

    (found,) = buyers_found(li_operator, f"{household.code[:4]} {household.code[4:]}")
    assert (found.code, found.name, found.kinds) == (household.code, "吴**", "农户")
    assert buyers_found(li_operator, li_operator.code) == []
    Operator.objects.filter(pk=household.pk).update(status=Operator.Status.SUSPENDED)
    assert buyers_found(li_operator, household.code) == []


def test_a_person_is_found_by_code_only_until_sold_to(li, li_operator, lot):
    broker = make_operator(name="吴小河", kinds=[Kind.BROKER], region=YAZHOU_VILLAGE)

    for text in ("吴", "吴小", "吴小河"):
        assert buyers_found(li_operator, text) == []
    (found,) = buyers_found(li_operator, broker.code)
    assert (found.name, found.place) == ("吴**", "海南省三亚市崖州区")
    transfer_lot(lot=lot, quantity=Decimal(1), buyer=broker, actor=li)
    assert [(buyer.code, buyer.known) for buyer in buyers_found(li_operator, "吴小")] == [(broker.code, True)]


def test_a_licensed_broker_is_found_by_name_where_it_is(li_operator):
    broker = make_operator(
        name="吴小河蔬菜经纪部", kinds=[Kind.BROKER], region=YAZHOU_VILLAGE, uscc="91460000MA5T00001X"
    )

    (found,) = buyers_found(li_operator, "小河蔬菜")
    assert (found.code, found.name, found.place) == (broker.code, broker.name, broker.region.full_name)


def test_known_buyers_come_first(li, li_operator, lot, station, chen_operator):
    other = make_operator(name="南滨菜行", kinds=[Kind.RETAILER], region=YAZHOU_VILLAGE)
    for buyer in (other, chen_operator, other):
        transfer_lot(lot=lot, quantity=Decimal(1), buyer=buyer, actor=li)
    transfer_lot(lot=lot, quantity=Decimal(1), buyer_name="早市", actor=li)

    assert names(known_buyers(li_operator)) == [other.name, chen_operator.name]
    assert [(buyer.name, buyer.known) for buyer in buyers_found(li_operator, "南滨")] == [
        (other.name, True),
        (station.name, False),
    ]
    assert known_buyers(chen_operator) == []


def test_it_lists_so_many_and_no_more(li_operator, django_assert_max_num_queries):
    for number in range(MOST_FOUND + 5):
        make_operator(name=f"南滨菜行{number}", kinds=[Kind.RETAILER], region=YAZHOU_VILLAGE)
    with django_assert_max_num_queries(4):
        assert len(buyers_found(li_operator, "南滨菜行")) == MOST_FOUND


def test_the_page_finds_without_script_and_sells_to_the_one_chosen(li, lot, station):
    browser, address = client_of(li), f"{lot.get_absolute_url()}/transfer"
    shown = browser.get(address, {"find": "南滨"}).content.decode()
    assert f'value="{station.code}"' in shown
    assert "收购单位" in shown
    for secret in (station.phone, station.contact):
        assert secret not in shown

    browser.post(f"{address}?find=南滨", {"buyer": station.code, "quantity": "30"})
    assert Transfer.objects.get().buyer == station
    assert f'value="{station.code}"' in browser.get(address).content.decode()


def test_another_search_keeps_the_buyer_chosen(li, lot, station, chen_operator):
    address = f"{lot.get_absolute_url()}/transfer"
    shown = client_of(li).get(address, {"find": "陈家专业", "buyer": station.code}).text

    assert f'value="{station.code}" checked' in shown
    assert f'value="{chen_operator.code}"' in shown
    assert "checked>" not in client_of(li).get(address, {"find": "陈家专业", "buyer": "1" * 20}).text
    assert not Transfer.objects.exists()


def test_a_wrong_quantity_keeps_the_buyer_chosen(li, lot, station):
    address = f"{lot.get_absolute_url()}/transfer"
    shown = client_of(li).post(address, {"buyer": station.code, "quantity": "501"}).content.decode()

    assert f'value="{station.code}" checked' in shown
    assert "只剩 500 千克" in shown
    assert not Transfer.objects.exists()
    assert Lot.objects.count() == 1


def test_others_find_no_buyers_there(chen, chen_operator, zhao, lot, station):
    address = f"{lot.get_absolute_url()}/transfer"
    assert client_of(chen).get(address, {"find": "南滨"}).status_code == 404
    assert client_of(zhao).get(address, {"find": "南滨"}).status_code == 403
