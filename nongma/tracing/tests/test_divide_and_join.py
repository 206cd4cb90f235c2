from decimal import Decimal

import pytest

from nongma.lib.refused import Refused
from nongma.testing import client_of
from nongma.tracing import queries
from nongma.tracing.models import Lot, LotEntry, LotLink, TraceEvent
from nongma.tracing.services import mix_lots, record_loss, split_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


def counts():
    return Lot.objects.count(), LotEntry.objects.count(), LotLink.objects.count(), TraceEvent.objects.count()


def test_it_splits_part_of_a_lot(li, lot):
    first, second = split_lot(lot=lot, quantities=[Decimal(100), Decimal("50.5")], actor=li)

    assert queries.balances([lot, first, second]) == {
        lot.pk: Decimal("349.500"),
        first.pk: Decimal(100),
        second.pk: Decimal("50.5"),
    }
    assert (first.kind, first.base, first.product, first.operator) == ("split", lot.base, lot.product, lot.operator)
    assert first.code != second.code
    assert list(LotLink.objects.filter(parent=lot).values_list("child", flat=True).order_by("child")) == [
        first.pk,
        second.pk,
    ]


def test_a_split_takes_as_many_statements_for_fifty_parts_as_for_two(li, lot, django_assert_max_num_queries):
    with django_assert_max_num_queries(16):
        split_lot(lot=lot, quantities=[Decimal(10)] * 50, actor=li)


def test_it_refuses_to_split_more_than_there_is(li, lot):
    before = counts()
    with pytest.raises(Refused) as refusal:
        split_lot(lot=lot, quantities=[Decimal(300), Decimal("200.001")], actor=li)

    assert refusal.value.code == "over_balance"
    assert counts() == before


def test_it_refuses_to_split_into_nothing(li, lot):
    before = counts()
    with pytest.raises(Refused) as refusal:
        split_lot(lot=lot, quantities=[], actor=li)

    assert refusal.value.code == "too_few_parts"
    assert counts() == before


def test_it_refuses_to_split_another_growers_lot(chen, lot):
    before = counts()
    with pytest.raises(Refused) as refusal:
        split_lot(lot=lot, quantities=[Decimal(1)], actor=chen)

    assert refusal.value.code == "not_own_lot"
    assert counts() == before


def test_it_mixes_a_part_of_one_lot_with_all_of_another(li, li_base, cowpea, lot):
    other = harvest(li_base, cowpea, li, "80")

    mixed = mix_lots(parts=[(lot, Decimal(20)), (other, None)], actor=li)

    assert queries.balances([lot, other, mixed]) == {lot.pk: 480, other.pk: 0, mixed.pk: 100}
    assert (mixed.kind, mixed.base, mixed.bought) == ("mix", li_base, False)


def test_a_mix_of_two_bases_names_neither(li, li_base, li_operator, cowpea, lot):
    from nongma.testing import make_base

    other = harvest(make_base(li_operator, name="另一块地"), cowpea, li)

    assert mix_lots(parts=[(lot, None), (other, None)], actor=li).base is None


def test_it_refuses_to_mix_what_does_not_belong_together(li, li_base, cowpea, lot):
    from nongma.catalogue.models import Product

    other = harvest(li_base, Product.objects.exclude(pk=cowpea.pk).filter(trade_units__contains=["kg"])[0], li)
    before = counts()
    for parts, code in (
        ([(lot, None)], "too_few_parts"),
        ([(lot, None), (lot, None)], "same_lot_twice"),
        ([(lot, None), (other, None)], "different_product"),
    ):
        with pytest.raises(Refused) as refusal:
            mix_lots(parts=parts, actor=li)
        assert refusal.value.code == code
        assert counts() == before


def test_it_refuses_to_mix_an_empty_lot(li, li_base, cowpea, lot):
    other = harvest(li_base, cowpea, li)
    record_loss(lot=lot, quantity=Decimal(500), actor=li)
    before = counts()
    with pytest.raises(Refused) as refusal:
        mix_lots(parts=[(lot, None), (other, None)], actor=li)

    assert refusal.value.code == "nothing_left"
    assert counts() == before


def test_it_writes_off_a_loss_but_not_more_than_there_is(li, lot):
    record_loss(lot=lot, quantity=Decimal(100), actor=li)
    before = counts()
    with pytest.raises(Refused):
        record_loss(lot=lot, quantity=Decimal(401), actor=li)

    assert queries.balance(lot) == 400
    assert counts() == before


def test_the_page_mixes_so_much_of_each(li, li_base, cowpea, lot):
    other, third = harvest(li_base, cowpea, li, "80"), harvest(li_base, cowpea, li, "40")
    data = {f"amount_{lot.pk}": "100", "others": [other.pk], f"amount_{other.pk}": "", f"amount_{third.pk}": "15.5"}

    client_of(li).post(f"{lot.get_absolute_url()}/mix", data)

    mixed = Lot.objects.get(kind="mix")
    assert queries.balances([lot, other, third, mixed]) == {
        lot.pk: 400,
        other.pk: 0,
        third.pk: Decimal("24.5"),
        mixed.pk: Decimal("195.5"),
    }


@pytest.mark.parametrize(("amount", "words"), [("80.5", "只剩 80 千克"), ("0", "大于 0"), ("0.0001", "小数")])
def test_a_wrong_quantity_is_told_beside_its_lot(li, li_base, cowpea, lot, amount, words):
    other = harvest(li_base, cowpea, li, "80")
    answer = client_of(li).post(f"{lot.get_absolute_url()}/mix", {f"amount_{other.pk}": amount})

    assert words in answer.context["form"].errors[f"amount_{other.pk}"][0]
    assert not Lot.objects.filter(kind="mix").exists()
    assert queries.balances([lot, other]) == {lot.pk: 500, other.pk: 80}


def test_a_lot_with_nothing_to_mix_it_with_says_so(li, lot):
    shown = client_of(li).get(f"{lot.get_absolute_url()}/mix").content.decode()

    assert "没有可以混装的批次" in shown
    assert "field-page" not in shown
