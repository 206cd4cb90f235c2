from decimal import Decimal

import pytest

from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.tracing import queries
from nongma.tracing.models import Lot, LotEntry, Transfer
from nongma.tracing.services import mix_lots, split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


def test_a_registered_buyer_gets_a_lot_of_its_own(li, lot, chen, chen_operator):
    transfer = transfer_lot(lot=lot, quantity=Decimal(200), buyer=chen_operator, actor=li)

    received = transfer.received
    assert (received.kind, received.operator, received.bought, received.base) == (
        "purchase",
        chen_operator,
        True,
        lot.base,
    )
    assert queries.balances([lot, received]) == {lot.pk: 300, received.pk: 200}
    assert received.region_id == chen_operator.region_id
    assert not Lot.objects.visible_to(chen).filter(pk=lot.pk).exists()
    assert set(Transfer.objects.visible_to(chen)) == set(Transfer.objects.visible_to(li)) == {transfer}


def test_what_is_made_of_bought_produce_stays_bought(li, lot, chen, chen_operator):
    received = transfer_lot(lot=lot, quantity=Decimal(200), buyer=chen_operator, actor=li).received

    parts = split_lot(lot=received, quantities=[Decimal(50), Decimal(50)], actor=chen)
    assert [part.bought for part in parts] == [True, True]
    assert mix_lots(parts=[(part, None) for part in parts], actor=chen).bought


def test_an_unregistered_buyer_is_named(li, lot):
    transfer = transfer_lot(lot=lot, quantity=Decimal(1), buyer_name=" 村口早市 ", actor=li)

    assert (transfer.buyer, transfer.received, transfer.buyer_name) == (None, None, "村口早市")
    assert queries.balance(lot) == 499


@pytest.mark.parametrize("case", ["nobody", "both", "oneself", "suspended", "too much", "not his"])
def test_it_refuses(case, li, li_operator, lot, chen, chen_operator):
    options = {"lot": lot, "quantity": Decimal(1), "actor": li, "buyer": chen_operator}
    if case == "suspended":
        Operator.objects.filter(pk=chen_operator.pk).update(status=Operator.Status.SUSPENDED)
    options, code = {
        "nobody": (options | {"buyer": None}, "buyer_missing"),
        "both": (options | {"buyer_name": "早市"}, "buyer_twice"),
        "oneself": (options | {"buyer": li_operator}, "buyer_is_seller"),
        "suspended": (options, "operator_not_approved"),
        "too much": (options | {"quantity": Decimal("500.001")}, "over_balance"),
        "not his": (options | {"actor": chen}, "not_own_lot"),
    }[case]

    with pytest.raises(Refused) as refusal:
        transfer_lot(**options)

    assert refusal.value.code == code
    assert (Lot.objects.count(), LotEntry.objects.count(), Transfer.objects.count()) == (1, 1, 0)
