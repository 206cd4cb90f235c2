from decimal import Decimal

import pytest

from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.tracing.models import Lot, TraceEvent
from nongma.tracing.recalls import freeze_lot, recall_lot, unfreeze_lot
from nongma.tracing.services import mix_lots, split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


def recalled():
    return set(Lot.objects.exclude(recalled_at=None))


def test_it_reaches_every_lot_that_the_recalled_one_went_into(li, li_base, cowpea, lot, chen, chen_operator):
    other = harvest(li_base, cowpea, li)
    part, _ = split_lot(lot=lot, quantities=[Decimal(100), Decimal(100)], actor=li)
    mixed = mix_lots(parts=[(part, None), (other, Decimal(10))], actor=li)
    sold = transfer_lot(lot=mixed, quantity=Decimal(5), buyer=chen_operator, actor=li).received

    reached = recall_lot(lot=part, reason="抽检不合格", actor=li)

    assert set(reached) == recalled() == {part, mixed, sold}
    assert reached[0] == part
    sold.refresh_from_db()
    assert (sold.recall_reason, sold.recalled_from) == ("抽检不合格", part)
    part.refresh_from_db()
    assert part.recalled_from is None
    assert TraceEvent.objects.filter(step="recalled").count() == 3
    entry = Entry.objects.get(action="lot.recalled")
    assert entry.details["reached"] == [mixed.code, sold.code]


def test_a_recalled_lot_can_not_be_handled(li, lot, chen_operator):
    recall_lot(lot=lot, reason="抽检不合格", actor=li)
    for handle in (
        lambda: split_lot(lot=lot, quantities=[Decimal(1)], actor=li),
        lambda: transfer_lot(lot=lot, quantity=Decimal(1), buyer=chen_operator, actor=li),
        lambda: recall_lot(lot=lot, reason="再次", actor=li),
        lambda: freeze_lot(lot=lot, reason="再次", actor=li),
    ):
        with pytest.raises(Refused) as refusal:
            handle()
        assert refusal.value.code == "lot_recalled"
    assert Lot.objects.count() == 1


def test_the_authority_of_the_place_may_recall_and_another_may_not(zhao, sun, lot):
    with pytest.raises(Refused) as refusal:
        recall_lot(lot=lot, reason="抽检不合格", actor=sun)
    assert refusal.value.code == "outside_area"
    assert recalled() == set()

    recall_lot(lot=lot, reason="抽检不合格", actor=zhao)
    assert recalled() == {lot}


def test_it_wants_a_reason(li, lot):
    with pytest.raises(Refused) as refusal:
        recall_lot(lot=lot, reason="  ", actor=li)

    assert (refusal.value.code, refusal.value.field) == ("reason_missing", "reason")
    assert recalled() == set()


def test_a_frozen_lot_waits_until_it_is_cleared(li, zhao, lot):
    freeze_lot(lot=lot, reason="待检测结果", actor=zhao)
    with pytest.raises(Refused) as refusal:
        split_lot(lot=lot, quantities=[Decimal(1)], actor=li)
    assert refusal.value.code == "lot_frozen"
    assert Lot.objects.count() == 1
    with pytest.raises(Refused):
        freeze_lot(lot=lot, reason="再次", actor=zhao)

    unfreeze_lot(lot=lot, reason="复检合格", actor=zhao)
    assert len(split_lot(lot=lot, quantities=[Decimal(1)], actor=li)) == 1
    with pytest.raises(Refused) as refusal:
        unfreeze_lot(lot=lot, reason="再次", actor=zhao)
    assert refusal.value.code == "not_frozen"
    assert [event.step for event in TraceEvent.objects.filter(lot_serial=lot.serial).order_by("id")][:3] == [
        "harvested",
        "frozen",
        "unfrozen",
    ]
