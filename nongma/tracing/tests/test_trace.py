from decimal import Decimal

import pytest

from nongma.tracing.models import Lot, LotLink
from nongma.tracing.queries import Direction, trace
from nongma.tracing.services import mix_lots, split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


def depths(found):
    return {node.lot.pk: node.depth for node in found.nodes}


def test_it_follows_both_ways(li, li_base, cowpea, lot):
    other = harvest(li_base, cowpea, li)
    mixed = mix_lots(parts=[(lot, Decimal(10)), (other, Decimal(10))], actor=li)
    one, two = split_lot(lot=mixed, quantities=[Decimal(5), Decimal(5)], actor=li)

    assert depths(trace(mixed, Direction.BACK, li)) == {lot.pk: -1, other.pk: -1, mixed.pk: 0}
    assert depths(trace(lot, Direction.FORWARD, li)) == {lot.pk: 0, mixed.pk: 1, one.pk: 2, two.pk: 2}
    both = trace(mixed, Direction.BOTH, li)
    assert sorted(depths(both).values()) == [-1, -1, 0, 1, 1]
    assert {(link.parent_id, link.child_id, link.quantity) for link in both.links} >= {(lot.pk, mixed.pk, 10)}
    assert not both.truncated


def test_a_lot_met_by_two_ways_is_told_once(li, lot):
    one, two = split_lot(lot=lot, quantities=[Decimal(5), Decimal(5)], actor=li)
    joined = mix_lots(parts=[(one, None), (two, None)], actor=li)

    found = trace(joined, Direction.BACK, li)

    assert depths(found) == {lot.pk: -2, one.pk: -1, two.pk: -1, joined.pk: 0}
    assert len(found.links) == 4


def test_what_the_asker_may_not_see_is_marked(li, lot, chen, chen_operator):
    received = transfer_lot(lot=lot, quantity=Decimal(5), buyer=chen_operator, actor=li).received

    assert {node.lot.pk: node.visible for node in trace(received, Direction.BACK, chen).nodes} == {
        lot.pk: False,
        received.pk: True,
    }


def test_twenty_levels_take_three_statements(li, lot, django_assert_num_queries):
    last = lot
    for _ in range(20):
        (last,) = split_lot(lot=last, quantities=[Decimal(5)], actor=li)
    with django_assert_num_queries(3):
        found = trace(last, Direction.BACK, li)

    assert min(depths(found).values()) == -20


def test_it_stops_at_a_number_of_links(li, lot, monkeypatch):
    monkeypatch.setattr("nongma.tracing.queries.MOST_LINKS", 3)
    split_lot(lot=lot, quantities=[Decimal(1)] * 5, actor=li)

    found = trace(lot, Direction.FORWARD, li)

    assert found.truncated
    assert len(found.links) == 3
    assert len(found.nodes) == 4


def test_a_lot_can_not_come_from_a_later_one(li, li_base, cowpea, lot):
    from django.db import IntegrityError, transaction

    later = harvest(li_base, cowpea, li)
    with pytest.raises(IntegrityError), transaction.atomic():
        LotLink.objects.create(parent=later, child=lot, quantity=1)
    assert Lot.objects.count() == 2
