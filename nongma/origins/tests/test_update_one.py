"""更新一条、新一茬沿用：两个人同时改，一个成，另一个知道变了什么。"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from nongma.accounts.models import Role, User
from nongma.audit.queries import history_of
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.origins.collecting.entries import entry_of
from nongma.origins.collecting.services import (
    ChangedMeanwhile,
    carry_over,
    is_open,
    update_origin,
    version_of,
    year_on,
)
from nongma.origins.models import AnswerCount, Origin
from nongma.origins.reviewing.changes import changes_between
from nongma.origins.services.placing import Fix
from nongma.origins.services.review import approve_origin
from nongma.registry.models import Base, Operator
from nongma.testing import LI_POINT, YAZHOU, YAZHOU_VILLAGE, at_once, make_base, make_official, make_origin

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(li_base: Base, cowpea: Product, wang: User, zhao: User) -> Origin:
    origin = make_origin(li_base, cowpea, collected_by=wang, located_with="device", accuracy_m=Decimal("3.1"))
    return approve_origin(origin=origin, actor=zhao)


def test_an_update_supersedes_the_old_record_at_once(wang: User, approved: Origin) -> None:
    fresh = update_origin(origin=approved, entry=replace(entry_of(approved), scale="12"), actor=wang)
    approved.refresh_from_db()
    assert (approved.state, fresh.state) == ("superseded", "submitted")
    assert fresh.supersedes == approved
    assert (fresh.scale, fresh.base, fresh.point) == (Decimal("12.00"), approved.base, approved.point)
    assert (fresh.located_with, fresh.accuracy_m) == ("device", Decimal("3.1"))
    assert [one[:3] for one in changes_between(approved, fresh)] == [("种养规模", "10.8 亩", "12 亩")]
    assert history_of(fresh)[0].details["fields"] == ["scale"]
    assert history_of(approved)[0].action == "origin.superseded"


def test_an_update_of_what_came_back_counts_as_its_correction(wang: User, approved: Origin) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    Origin.objects.update(state="returned", return_reason="规模不对", due_on=yesterday)
    update_origin(origin=approved, entry=replace(entry_of(approved), scale="12"), actor=wang)
    (count,) = AnswerCount.objects.filter(kind="correct")
    assert (count.user, count.on_time, count.late) == (wang, 0, 1)


def test_a_new_point_says_how_it_was_found_and_keeps_the_base(wang: User, approved: Origin) -> None:
    moved = replace(entry_of(approved), longitude="109.158951")
    fresh = update_origin(origin=approved, entry=moved, fix=Fix("map"), actor=wang)
    assert (fresh.located_with, fresh.accuracy_m, fresh.base) == ("map", None, approved.base)


def test_nothing_new_is_no_update(wang: User, approved: Origin) -> None:
    with pytest.raises(Refused) as refusal:
        update_origin(origin=approved, entry=entry_of(approved), actor=wang)
    assert refusal.value.code == "nothing_changed"
    assert Origin.objects.get().state == "approved"


def test_the_second_of_two_is_told_what_the_first_changed(wang: User, zhao: User, approved: Origin) -> None:
    seen = version_of(approved)
    first = update_origin(origin=approved, entry=replace(entry_of(approved), scale="12"), seen=seen, actor=wang)
    with pytest.raises(ChangedMeanwhile) as refusal:
        update_origin(origin=approved, entry=replace(entry_of(approved), scale="13"), seen=seen, actor=zhao)
    assert refusal.value.latest == first
    assert "王采集" in refusal.value.message
    assert "种养规模 10.8 亩 → 12 亩" in refusal.value.message
    assert Origin.objects.count() == 2


def test_what_was_corrected_meanwhile_is_not_written_over(wang: User, approved: Origin) -> None:
    Origin.objects.update(fingerprint=b"0" * 16)
    with pytest.raises(ChangedMeanwhile):
        update_origin(
            origin=approved, entry=replace(entry_of(approved), scale="13"), seen=version_of(approved), actor=wang
        )
    assert Origin.objects.get().state == "approved"


def test_a_decision_on_it_is_no_change(wang: User, zhao: User, li_base: Base, cowpea: Product) -> None:
    origin = make_origin(li_base, cowpea, collected_by=wang)
    seen = version_of(origin)
    approve_origin(origin=origin, actor=zhao)
    assert update_origin(origin=origin, entry=replace(entry_of(origin), scale="12"), seen=seen, actor=wang)


@pytest.mark.django_db(transaction=True)
def test_of_two_updates_at_once_one_wins(li_base: Base, cowpea: Product) -> None:
    people = [make_official(name, name, Role.COLLECTOR, YAZHOU) for name in ("wang", "wu")]
    origin = make_origin(li_base, cowpea, collected_by=people[0])
    entry = entry_of(origin)
    got = at_once(
        *(
            lambda who=who, scale=scale: update_origin(origin=origin, entry=replace(entry, scale=scale), actor=who)
            for who, scale in zip(people, ("12", "13"), strict=True)
        )
    )
    assert [one for one in got if isinstance(one, str)] == ["changed_meanwhile"]
    assert Origin.objects.current().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_decision_and_an_update_at_once_leave_one_current_record(li_base: Base, cowpea: Product) -> None:
    collector = make_official("wang", "王采集", Role.COLLECTOR, YAZHOU)
    reviewer = make_official("zhao", "赵审核", Role.REVIEWER, YAZHOU)
    origin = make_origin(li_base, cowpea, collected_by=collector)
    entry = replace(entry_of(origin), scale="12")
    at_once(
        lambda: update_origin(origin=origin, entry=entry, actor=collector),
        lambda: approve_origin(origin=origin, actor=reviewer),
    )
    assert Origin.objects.current().get().scale == Decimal("12.00")


def test_only_who_collects_there_updates(sun: User, chen: User, li: User, approved: Origin) -> None:
    entry = replace(entry_of(approved), scale="12")
    for actor, code in ((sun, "outside_area"), (chen, "not_own_operator")):
        with pytest.raises(Refused) as refusal:
            update_origin(origin=approved, entry=entry, actor=actor)
        assert refusal.value.code == code
    assert Origin.objects.get().state == "approved"
    assert update_origin(origin=approved, entry=entry, actor=li).collected_by == li


def test_an_update_may_not_take_the_place_of_another_record(
    wang: User, approved: Origin, li_operator: Operator, cowpea: Product
) -> None:
    there = make_base(li_operator, region=YAZHOU_VILLAGE, point=(Decimal("109.158951"), LI_POINT[1]))
    other = make_origin(there, cowpea, collected_by=wang)
    update_origin(origin=other, entry=replace(entry_of(other), scale="9"), actor=wang)
    with pytest.raises(Refused) as refusal:
        update_origin(origin=approved, entry=replace(entry_of(approved), longitude="109.158951"), actor=wang)
    assert refusal.value.code == "same_place"
    approved.refresh_from_db()
    assert approved.state == "approved"


# A new season


def test_a_new_season_has_last_times_values_a_year_on(wang: User, approved: Origin) -> None:
    off = timezone.localdate() - timedelta(days=1)
    on = off - timedelta(days=60)
    Origin.objects.update(planted_on=date(2024, 2, 29), on_sale_on=on, off_sale_on=off)
    fresh = carry_over(origin=approved, actor=wang)
    approved.refresh_from_db()
    assert (approved.state, fresh.state, fresh.supersedes) == ("superseded", "submitted", approved)
    assert (fresh.planted_on, fresh.on_sale_on, fresh.off_sale_on) == (date(2025, 2, 28), year_on(on), year_on(off))
    assert (fresh.scale, fresh.phone, fresh.located_with) == (approved.scale, approved.phone, "device")
    assert history_of(fresh)[0].action == "origin.carried_over"


def test_a_season_that_was_left_out_is_not_made_up(wang: User, approved: Origin) -> None:
    off = timezone.localdate() - timedelta(days=500)
    Origin.objects.update(planted_on=None, on_sale_on=off - timedelta(days=60), off_sale_on=off)
    fresh = carry_over(origin=approved, actor=wang)
    assert fresh.off_sale_on == year_on(off, 2)
    assert fresh.off_sale_on >= timezone.localdate()


def test_a_second_tap_makes_no_season_after_next(wang: User, approved: Origin) -> None:
    fresh = carry_over(origin=approved, actor=wang)
    assert not is_open(fresh)
    with pytest.raises(Refused) as refusal:
        carry_over(origin=fresh, actor=wang)
    assert refusal.value.code == "not_open_yet"
    assert Origin.objects.count() == 2


def test_a_season_that_began_otherwise_keeps_its_distances(wang: User, approved: Origin) -> None:
    Origin.objects.update(planted_on=date(2026, 2, 1))
    fresh = carry_over(origin=approved, season_from=date(2026, 9, 1), actor=wang)
    assert (fresh.planted_on, fresh.on_sale_on) == (date(2026, 9, 1), date(2026, 10, 30))


def test_the_same_day_a_year_on() -> None:
    assert year_on(date(2024, 2, 29)) == date(2025, 2, 28)
    assert year_on(date(2023, 2, 28)) == date(2024, 2, 28)


@pytest.mark.parametrize("state", ["returned", "to_locate"])
def test_what_is_not_settled_is_not_carried_over(wang: User, approved: Origin, state: str) -> None:
    place = {"longitude": None, "latitude": None, "quadkey": None} if state == "to_locate" else {}
    Origin.objects.update(state=state, return_reason="点位不对", **place)
    with pytest.raises(Refused) as refusal:
        carry_over(origin=approved, actor=wang)
    assert refusal.value.code == "not_settled"
    assert Origin.objects.get().state == state


def test_livestock_has_no_seasons(wang: User, li_base: Base) -> None:
    pigs = make_origin(
        li_base, Product.objects.get(name="生猪"), collected_by=wang, on_sale_on=None, off_sale_on=None, methods=[]
    )
    with pytest.raises(Refused) as refusal:
        carry_over(origin=pigs, actor=wang)
    assert refusal.value.code == "not_a_crop"
    assert Origin.objects.count() == 1


def test_a_season_is_carried_over_once(wang: User, zhao: User, sun: User, approved: Origin) -> None:
    with pytest.raises(Refused) as outside:
        carry_over(origin=approved, actor=sun)
    assert outside.value.code == "outside_area"
    carry_over(origin=approved, actor=wang)
    with pytest.raises(Refused) as refusal:
        carry_over(origin=approved, actor=zhao)
    assert refusal.value.code == "changed_meanwhile"
    assert Origin.objects.count() == 2


def test_programs_update_what_they_saw(wang: User, approved: Origin, api_post: Callable[..., Any]) -> None:
    body = {
        "base": approved.base.code, "longitude": "109.158151", "latitude": "18.435040", "scale": "12", "unit": "mu",
        "on_sale": "2026-04-01", "off_sale": "2026-08-31", "methods": ["protected"], "trace_methods": ["certificate"],
        "collector_phone": "19900008499", "seen": version_of(approved),
    }  # fmt: skip
    path = f"/api/v1/origins/{approved.uid}"
    done = api_post(wang, path, body, method="put")
    assert done.status_code == 200
    assert (done.json()["scale"], done.json()["state"]) == ("12.00", "submitted")
    late = api_post(wang, path, body | {"scale": "13"}, method="put")
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    assert Origin.objects.count() == 2
