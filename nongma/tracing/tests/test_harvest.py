from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from nongma.audit.models import Entry
from nongma.codes.models import CodeRange
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.tracing import queries
from nongma.tracing.models import Lot, LotEntry, TraceEvent
from nongma.tracing.services import harvest_lot
from nongma.tracing.tests.factories import harvest


def nothing_written():
    return not (Lot.objects.exists() or LotEntry.objects.exists() or TraceEvent.objects.exists())


def test_it_registers_a_harvest_with_code_ledger_event_and_audit(li, li_base, cowpea):
    lot = harvest(li_base, cowpea, li)

    assert (lot.kind, lot.operator, lot.base, lot.bought) == ("harvest", li_base.operator, li_base, False)
    assert lot.region_id == li_base.operator.region_id
    assert queries.balance(lot) == Decimal("500.000")
    assert CodeRange.objects.get(start=lot.serial).subject == lot.uid
    assert list(Lot.objects.coded(lot.code)) == [lot]
    event = TraceEvent.objects.get(lot_serial=lot.serial)
    assert (event.step, event.region_code, event.details["quantity"]) == ("harvested", li_base.region_id, "500.000")
    entry = Entry.objects.get(action="lot.harvested")
    assert (entry.target_id, entry.actor_id, entry.region_code) == (str(lot.uid), li.pk, lot.region_id)


@pytest.mark.parametrize(
    ("quantity", "unit", "code"),
    [
        ("0", "kg", "not_positive"),
        ("-1", "kg", "not_positive"),
        ("NaN", "kg", "not_positive"),
        ("Infinity", "kg", "not_positive"),
        ("0.0001", "kg", "too_fine"),
        ("100000000000", "kg", "too_large"),
        ("1", "head", "unit_not_traded"),
    ],
)
def test_it_refuses_a_quantity_that_can_not_be(li, li_base, cowpea, quantity, unit, code):
    with pytest.raises(Refused) as refusal:
        harvest_lot(
            base=li_base,
            product=cowpea,
            quantity=Decimal(quantity),
            unit=unit,
            harvested_on=timezone.localdate(),
            actor=li,
        )

    assert refusal.value.code == code
    assert refusal.value.field in {"quantity", "unit"}
    assert nothing_written()


def test_it_counts_animals_in_whole_numbers(li, li_base, cowpea):
    cowpea.trade_units = ["piece"]
    with pytest.raises(Refused, match="整数") as refusal:
        harvest_lot(
            base=li_base,
            product=cowpea,
            quantity=Decimal("1.5"),
            unit="piece",
            harvested_on=timezone.localdate(),
            actor=li,
        )

    assert refusal.value.code == "not_whole"
    assert nothing_written()


def test_it_refuses_a_harvest_of_tomorrow(li, li_base, cowpea):
    with pytest.raises(Refused) as refusal:
        harvest_lot(
            base=li_base,
            product=cowpea,
            quantity=Decimal(1),
            unit="kg",
            harvested_on=timezone.localdate() + timedelta(days=1),
            actor=li,
        )

    assert (refusal.value.code, refusal.value.field) == ("in_future", "harvested_on")
    assert nothing_written()


def harvest_of(days, base, product, actor):
    """A harvest of so many days ago."""
    return harvest_lot(
        base=base,
        product=product,
        quantity=Decimal(1),
        unit="kg",
        harvested_on=timezone.localdate() - timedelta(days=days),
        actor=actor,
    )


def test_it_registers_a_harvest_of_a_year_ago(li, li_base, cowpea):
    lot = harvest_of(365, li_base, cowpea, li)

    assert lot.made_on == timezone.localdate() - timedelta(days=365)


def test_it_refuses_a_harvest_of_more_than_a_year_ago(li, li_base, cowpea):
    with pytest.raises(Refused) as refusal:
        harvest_of(366, li_base, cowpea, li)

    assert (refusal.value.code, refusal.value.field) == ("too_long_ago", "harvested_on")
    assert nothing_written()


def test_it_refuses_another_growers_base(chen, li_base, cowpea):
    with pytest.raises(Refused) as refusal:
        harvest(li_base, cowpea, chen)

    assert refusal.value.code == "not_own_base"
    assert nothing_written()


@pytest.mark.parametrize("status", [Operator.Status.SUSPENDED, Operator.Status.CANCELLED])
def test_it_refuses_an_operator_that_may_not_trade(li, li_base, cowpea, status):
    Operator.objects.filter(pk=li_base.operator_id).update(status=status)
    with pytest.raises(Refused) as refusal:
        harvest(li_base, cowpea, li)

    assert refusal.value.code == "operator_not_approved"
    assert nothing_written()


def test_an_imported_operator_may_harvest_before_it_is_claimed(li, li_base, cowpea):
    Operator.objects.filter(pk=li_base.operator_id).update(status=Operator.Status.IMPORTED)

    assert harvest(li_base, cowpea, li).pk


def test_others_do_not_see_the_lot(li, li_base, chen, chen_operator, zhao, sun, ministry, cowpea):
    lot = harvest(li_base, cowpea, li)

    seen_by = {
        user.username: Lot.objects.visible_to(user).filter(pk=lot.pk).exists()
        for user in (li, chen, zhao, sun, ministry)
    }
    assert seen_by == {"li": True, "chen": False, "zhao": True, "sun": False, "ministry": True}
    assert not Lot.objects.editable_by(zhao).exists()
