"""The page where a harvest is registered: the base's own products first, only units that are traded."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nongma.catalogue.models import Product
from nongma.testing import LI_POINT, YAZHOU_VILLAGE, client_of, make_base, make_origin
from nongma.tracing.models import Lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def pepper(db):
    return Product.objects.get(name="辣椒")


@pytest.fixture
def second_base(li_operator):
    """Another field of Li's, a little to the east."""
    return make_base(li_operator, name="二号地", region=YAZHOU_VILLAGE, point=(LI_POINT[0] + 1, LI_POINT[1]))


def groups(form):
    """The first two groups of products and the names of the rest."""
    (empty, hint), *listed = form.fields["product"].widget.choices
    assert (empty, hint) == ("", "请选择产品")
    return [(label, [name for _, name in members]) for label, members in listed]


def sent(base, product, **fields):
    return {"base": base.pk, "product": product.pk, "unit": "kg", "harvested_on": timezone.localdate()} | fields


def test_a_new_grower_finds_the_products_by_industry(li, li_base):
    listed = groups(client_of(li).get("/lots/new").context["form"])

    assert [label for label, _ in listed] == ["种植业", "畜牧业", "渔业"]
    codes = dict(Product.objects.values_list("name", "code"))
    assert all([codes[name] for name in names] == sorted(codes[name] for name in names) for _, names in listed)


def test_what_the_base_grows_comes_first(li, li_base, li_origin, second_base, cowpea, pepper, wang):
    make_origin(second_base, Product.objects.get(name="黄瓜"), collected_by=wang)
    harvest(li_base, pepper, li)

    shown = client_of(li).get("/lots/new")
    listed = groups(shown.context["form"])
    assert listed[:2] == [("这个基地的产品", ["辣椒", "豇豆"]), ("其他基地的产品", ["黄瓜"])]
    assert [label for label, _ in listed[2:]] == ["种植业", "畜牧业", "渔业"]
    assert not {"辣椒", "豇豆", "黄瓜"} & {name for _, names in listed[2:] for name in names}
    assert "---------" not in shown.content.decode()
    assert 'data-units="kg=千克,t=吨,box=箱,piece=件"' in shown.content.decode()


def test_a_form_sent_without_script_offers_the_base_and_the_units_chosen(li, li_base, li_origin, second_base, pepper):
    harvest(second_base, pepper, li)
    hens = Product.objects.filter(trade_units__contains=["bird"]).first()
    answer = client_of(li).post("/lots/new", sent(li_base, hens, quantity="5", unit="mu"))

    form = answer.context["form"]
    assert groups(form)[0] == ("这个基地的产品", ["豇豆"])
    assert {value for value, _ in form.fields["unit"].widget.choices} == set(hens.trade_units)
    assert form.errors["unit"][0].startswith(f"{hens}按")
    assert Lot.objects.count() == 1


def test_a_day_of_long_ago_is_refused_beside_its_field(li, li_base, cowpea):
    day = timezone.localdate() - timedelta(days=366)
    answer = client_of(li).post("/lots/new", sent(li_base, cowpea, quantity="5", harvested_on=day))

    assert answer.context["form"].errors == {"harvested_on": ["采收日期不能早于一年前，请核对年份"]}
    assert not Lot.objects.exists()


def test_a_form_that_came_back_keeps_what_was_chosen(li, li_base, cowpea):
    browser = client_of(li)

    assert "data-sent" not in browser.get("/lots/new").text
    assert "data-sent" in browser.post("/lots/new", sent(li_base, cowpea, quantity="-1")).text
    assert not Lot.objects.exists()
