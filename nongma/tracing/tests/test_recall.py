from datetime import date
from decimal import Decimal

import pytest

from nongma.accounts.models import Membership, Role, User
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.testing import api_of, client_of
from nongma.tracing.models import Lot, TraceEvent
from nongma.tracing.recalls import freeze_lot, recall_lot, unfreeze_lot
from nongma.tracing.services import mix_lots, split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


@pytest.fixture
def both(sun, zhao):
    """Sun, who also reads figures for 崖州区, where the lots are, and may stop none there."""
    agency = zhao.memberships.get().agency
    Membership.objects.create(user=sun, agency=agency, role=Role.ANALYST, from_on=date(2020, 1, 1))
    return User.objects.get(pk=sun.pk)


def recalled():
    return set(Lot.objects.exclude(recalled_at=None))


def written():
    """Everything that stopping a lot or letting it go writes."""
    lots = Lot.objects.order_by("pk").values_list("frozen_at", "freeze_reason", "recalled_at", "recall_reason")
    return list(lots), TraceEvent.objects.count(), Entry.objects.count()


def refused(stop, **options):
    """The refusal's code; nothing may have been written."""
    before = written()
    with pytest.raises(Refused) as refusal:
        stop(**options)
    assert written() == before
    return refusal.value.code


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
    ):
        with pytest.raises(Refused) as refusal:
            handle()
        assert refusal.value.code == "lot_recalled"
    assert Lot.objects.count() == 1


def test_a_recalled_lot_is_not_frozen_nor_recalled_again(zhao, lot):
    recall_lot(lot=lot, reason="抽检不合格", actor=zhao)
    for stop in (recall_lot, freeze_lot):
        assert refused(stop, lot=lot, reason="再次", actor=zhao) == "lot_recalled"


def test_the_authority_of_the_place_may_recall_and_another_may_not(zhao, sun, lot):
    assert refused(recall_lot, lot=lot, reason="抽检不合格", actor=sun) == "outside_area"

    recall_lot(lot=lot, reason="抽检不合格", actor=zhao)
    assert recalled() == {lot}


def test_a_post_that_only_looks_stops_nothing(both, lot):
    assert Lot.objects.visible_to(both).filter(pk=lot.pk).exists()
    for stop in (recall_lot, freeze_lot):
        assert refused(stop, lot=lot, reason="抽检不合格", actor=both) == "outside_area"


def test_a_post_that_only_looks_lets_nothing_go(both, zhao, lot):
    freeze_lot(lot=lot, reason="待检", actor=zhao)
    assert refused(unfreeze_lot, lot=lot, reason="合格", actor=both) == "outside_area"


def test_a_post_that_only_looks_finds_no_page_to_stop_a_lot(both, lot):
    browser, program = client_of(both), api_of(both)
    before = written()[:2]
    shown = browser.get(lot.get_absolute_url())
    assert shown.status_code == 200
    assert not shown.context["can_recall"]
    assert not shown.context["can_freeze"]
    for name in ("recall", "freeze", "unfreeze"):
        assert browser.post(f"/lots/{lot.code}/{name}", {"reason": "试试"}).status_code == 404
        answer = program.post(f"/api/v1/lots/{lot.code}/{name}", {"reason": "试试"}, content_type="application/json")
        assert answer.status_code == 404
    assert written()[:2] == before


def test_a_grower_recalls_but_does_not_freeze(li, zhao, lot):
    assert refused(freeze_lot, lot=lot, reason="待检", actor=li) == "outside_area"
    freeze_lot(lot=lot, reason="待检", actor=zhao)
    assert refused(unfreeze_lot, lot=lot, reason="合格", actor=li) == "outside_area"
    recall_lot(lot=lot, reason="自查不合格", actor=li)
    assert recalled() == {lot}


@pytest.mark.parametrize(
    ("reason", "code"), [("", "reason_missing"), (" \n", "reason_missing"), ("长" * 201, "text_too_long")]
)
@pytest.mark.parametrize("stop", [recall_lot, freeze_lot, unfreeze_lot])
def test_it_wants_a_reason(zhao, lot, stop, reason, code):
    if stop is unfreeze_lot:
        freeze_lot(lot=lot, reason="待检", actor=zhao)
    assert refused(stop, lot=lot, reason=reason, actor=zhao) == code


def test_a_frozen_lot_waits_until_it_is_cleared(li, zhao, lot):
    freeze_lot(lot=lot, reason="待检测结果", actor=zhao)
    with pytest.raises(Refused) as refusal:
        split_lot(lot=lot, quantities=[Decimal(1)], actor=li)
    assert refusal.value.code == "lot_frozen"
    assert Lot.objects.count() == 1
    assert refused(freeze_lot, lot=lot, reason="再次", actor=zhao) == "lot_frozen"

    unfreeze_lot(lot=lot, reason="复检合格", actor=zhao)
    assert len(split_lot(lot=lot, quantities=[Decimal(1)], actor=li)) == 1
    assert refused(unfreeze_lot, lot=lot, reason="再次", actor=zhao) == "not_frozen"
    assert [event.step for event in TraceEvent.objects.filter(lot_serial=lot.serial).order_by("id")][:3] == [
        "harvested",
        "frozen",
        "unfrozen",
    ]
