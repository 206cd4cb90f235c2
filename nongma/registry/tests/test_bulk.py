from decimal import Decimal

import pytest

from nongma.catalogue.models import Industry
from nongma.codes.models import CodeRange
from nongma.lib.fields import blind_index
from nongma.lib.quadkeys import quadkey
from nongma.registry.bulk import NewBase, NewOperator, enrol_bases, enrol_operators, find_operators, key_of
from nongma.registry.models import Base, Operator, OperatorKind
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE


def household(name="孙军华", phone="19900002449", region=YAZHOU_VILLAGE):
    return NewOperator((OperatorKind.HOUSEHOLD,), name, region, name, phone, (Industry.PLANTING,))


def test_it_enrols_each_operator_once_with_a_code(wang):
    rows = [household(), household("李明"), household()]
    first, second, again = enrol_operators(rows, actor=wang)
    assert first == again != second
    operator = Operator.objects.get(pk=first.id)
    assert operator.uid == first.uid
    assert (operator.phone, operator.status, operator.kinds) == ("19900002449", "imported", ["household"])
    assert bytes(operator.phone_index) == blind_index("19900002449")
    assert operator.created_by == wang
    code = CodeRange.objects.get(start=operator.serial)
    assert (code.kind, code.subject, code.stop) == ("operator", operator.uid, operator.serial + 1)
    assert Operator.objects.count() == 2


def test_it_finds_operators_on_file_and_leaves_them_as_they_are(wang):
    (before,) = enrol_operators([household()], actor=wang)
    (after,) = enrol_operators([household(region=YAZHOU)], actor=wang)
    assert after == before
    assert Operator.objects.get().region_id == YAZHOU_VILLAGE
    assert CodeRange.objects.count() == 1


def test_it_tells_operators_apart_by_county_name_and_phone(wang):
    rows = [household(), household(region=LIANDU), household(phone="19900002450"), household(name="孙军")]
    assert len({found.id for found in enrol_operators(rows, actor=wang)}) == 4
    keys = [key_of(row.region_code, row.name, row.phone) for row in rows]
    assert len(find_operators([*keys, key_of(YAZHOU, "没有", "19900000000")])) == 4


def test_it_takes_a_base_at_the_same_place_for_the_same(wang):
    (operator,) = enrol_operators([household()], actor=wang)
    point = (Decimal("109.098267"), Decimal("18.376267"))
    there = NewBase(operator.id, "孙军华的地", YAZHOU_VILLAGE, *point, quadkey(*map(float, point)))
    unlocated = NewBase(operator.id, "孙军华的鱼塘", YAZHOU_VILLAGE)
    first, waiting, again = enrol_bases([there, unlocated, there])
    assert first == again != waiting
    assert enrol_bases([unlocated, there]) == [waiting, first]
    base = Base.objects.get(pk=first)
    assert (base.longitude, base.latitude) == point
    assert CodeRange.objects.get(subject=base.uid).start == base.serial
    assert Base.objects.get(pk=waiting).quadkey is None


@pytest.mark.parametrize("count", [10, 1000])
def test_it_costs_the_same_statements_for_any_number_of_rows(wang, django_assert_num_queries, count):
    rows = [household(phone=f"199{number:08}") for number in range(count)]
    with django_assert_num_queries(9):
        found = enrol_operators(rows, actor=wang)
    assert len({operator.id for operator in found}) == count


def test_nothing_to_enrol_is_no_work(wang, django_assert_num_queries):
    with django_assert_num_queries(4):
        assert enrol_operators([], actor=wang) == []
        assert enrol_bases([]) == []
