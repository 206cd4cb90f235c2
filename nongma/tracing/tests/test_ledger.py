"""A lot can't be oversold, whatever runs at once and in whatever order."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from nongma.lib.refused import Refused
from nongma.testing import at_once
from nongma.tracing import queries
from nongma.tracing.models import Lot, LotEntry, LotLink
from nongma.tracing.recalls import recall_lot
from nongma.tracing.services import mix_lots, record_loss, split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.mark.django_db(transaction=True)
def test_six_at_once_never_oversell(li, li_base, cowpea, chen_operator):
    lot = harvest(li_base, cowpea, li, "100")

    results = at_once(*[lambda: transfer_lot(lot=lot, quantity=Decimal(30), buyer=chen_operator, actor=li)] * 6)

    assert results.count("over_balance") == 3
    assert queries.balance(lot) == 10
    assert Lot.objects.filter(kind="purchase").count() == 3


@pytest.mark.django_db(transaction=True)
def test_mixing_both_ways_at_once_waits_for_nobody_for_ever(li, li_base, cowpea):
    first, second = harvest(li_base, cowpea, li, "100"), harvest(li_base, cowpea, li, "100")

    results = at_once(
        *[lambda: mix_lots(parts=[(first, Decimal(40)), (second, Decimal(40))], actor=li)] * 2,
        *[lambda: mix_lots(parts=[(second, Decimal(40)), (first, Decimal(40))], actor=li)] * 2,
    )

    assert results.count("over_balance") == 2
    assert queries.balances([first, second]) == {first.pk: 20, second.pk: 20}


@pytest.mark.django_db(transaction=True)
def test_a_recall_misses_nothing_that_is_split_off_meanwhile(li, li_base, cowpea):
    lot = harvest(li_base, cowpea, li, "100")
    (part,) = split_lot(lot=lot, quantities=[Decimal(60)], actor=li)

    at_once(
        *[lambda: split_lot(lot=part, quantities=[Decimal(10)], actor=li)] * 4,
        lambda: recall_lot(lot=lot, reason="抽检不合格", actor=li),
    )

    assert not Lot.objects.filter(recalled_at=None).exists()


class Ledger(RuleBasedStateMachine):
    """Any sequence of dealings keeps what was harvested: it is in some lot, sold or lost, and no lot is below zero."""

    lots = Bundle("lots")
    amounts = st.decimals("0.001", 60, places=3)

    @initialize(target=lots, quantities=st.lists(amounts, min_size=1, max_size=3))
    def start(self, quantities):
        self.gone = Decimal(0)
        self.harvested = sum(quantities)
        return multiple(*(harvest(self.base, self.product, self.actor, str(each)) for each in quantities))

    @rule(target=lots, lot=lots, quantities=st.lists(amounts, min_size=1, max_size=3))
    def split(self, lot, quantities):
        try:
            return multiple(*split_lot(lot=lot, quantities=quantities, actor=self.actor))
        except Refused:
            assert sum(quantities) > queries.balance(lot)
            return multiple()

    @rule(target=lots, first=lots, second=lots, quantity=amounts)
    def mix(self, first, second, quantity):
        try:
            return mix_lots(parts=[(first, quantity), (second, quantity)], actor=self.actor)
        except Refused:
            assert first == second or quantity > min(queries.balances([first, second]).values())
            return multiple()

    @rule(lot=lots, quantity=amounts, lost=st.booleans())
    def leave(self, lot, quantity, lost):
        try:
            if lost:
                record_loss(lot=lot, quantity=quantity, actor=self.actor)
            else:
                transfer_lot(lot=lot, quantity=quantity, buyer_name="早市", actor=self.actor)
            self.gone += quantity
        except Refused:
            assert quantity > queries.balance(lot)

    @invariant()
    def nothing_is_lost_and_nothing_below_zero(self):
        if not hasattr(self, "gone"):
            return
        balances = queries.balances(Lot.objects.all())
        assert min(balances.values()) >= 0
        assert sum(balances.values()) + self.gone == self.harvested
        moved = sum(LotLink.objects.values_list("quantity", flat=True))
        gained = LotEntry.objects.filter(reason__in=["split", "mix"], quantity__gt=0)
        assert moved == sum(gained.values_list("quantity", flat=True))

    def teardown(self):
        transaction.savepoint_rollback(self.savepoint)


def test_the_ledger_holds_whatever_is_done(li, li_base, cowpea):
    class Machine(Ledger):
        actor, base, product = li, li_base, cowpea

        def __init__(self):
            super().__init__()
            self.savepoint = transaction.savepoint()

    run_state_machine_as_test(Machine, settings=settings(max_examples=15, stateful_step_count=12, deadline=None))
    assert connection.in_atomic_block
    assert not Lot.objects.exists()
