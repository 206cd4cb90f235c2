"""A lost roll of labels is declared void by an administrator of the lot's area, on record there."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from nongma.accounts.models import Role
from nongma.audit.models import Entry
from nongma.codes.codec import encode
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, find
from nongma.testing import LIANDU, make_official

VOIDED = "code_range.voided"


@pytest.fixture
def roll(lot):
    """Thirty item codes of Li's lot."""
    return assign(kind=CodeRange.Kind.ITEM, subject=lot.uid, count=30)


@pytest.fixture
def elsewhere(db):
    return make_official("liandu", "莲都管理员", Role.ADMINISTRATOR, LIANDU)


def void(code, by, reason="印错"):
    out = StringIO()
    call_command("void_codes", code, reason=reason, administrator=by.username, stdout=out)
    return out.getvalue()


def untouched(codes):
    return find(codes.start).state == CodeRange.State.ACTIVE and not Entry.objects.filter(action=VOIDED).exists()


def test_it_voids_the_roll_that_a_code_is_of_in_the_name_of_who_does_it(roll, lot, hainan):
    assert "30 个码" in void(encode(roll.start + 7), hainan)

    assert find(roll.start).state == CodeRange.State.VOID
    entry = Entry.objects.get(action=VOIDED)
    assert (entry.actor_id, entry.region_code, entry.details["reason"]) == (hainan.pk, lot.region_id, "印错")


def test_it_refuses_a_code_that_is_none(roll, hainan):
    with pytest.raises(CommandError, match="没有这个码"):
        void("1" * 20, hainan)
    assert untouched(roll)


def test_it_refuses_a_roll_of_another_area(roll, elsewhere):
    with pytest.raises(CommandError, match="不在您的辖区内"):
        void(encode(roll.start), elsewhere)
    assert untouched(roll)


def test_it_refuses_who_is_no_administrator(roll, zhao, li):
    for person in (zhao, li):
        with pytest.raises(CommandError, match="不是平台管理员"):
            void(encode(roll.start), person)
    assert untouched(roll)


def test_it_refuses_the_code_of_a_lot(roll, lot, hainan):
    with pytest.raises(CommandError, match="只有单品码"):
        void(lot.code, hainan)
    assert untouched(CodeRange.objects.get(start=lot.serial))


def test_it_refuses_to_void_twice(roll, hainan):
    void(encode(roll.start), hainan)
    with pytest.raises(CommandError, match="已经作废"):
        void(encode(roll.start), hainan, reason="再来一次")
    assert Entry.objects.get(action=VOIDED).details["reason"] == "印错"
