"""The collection calendar: when the next record is due, whatever happens in between."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.origins.due.calendar import bring_up_to_date
from nongma.origins.due.services import (
    confirm_unchanged,
    end_collecting,
    origins_saved,
    resume_collecting,
)
from nongma.origins.due.standing import settle_standing
from nongma.origins.due.sweeping import run_sweeps, sweep, sweep_for_rules
from nongma.origins.due.tally import tallies
from nongma.origins.due.terms import Terms, set_terms, terms_of
from nongma.origins.models import Due, DueSweep, Origin
from nongma.origins.services.review import approve_origin
from nongma.regions.models import Region
from nongma.registry.models import Base, Operator, ScaleRule
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE, Refused, make_base, make_origin

SHANGHAI = ZoneInfo("Asia/Shanghai")
EASY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
days = st.dates(date(2023, 1, 1), date(2029, 12, 31))


def put(base: Base, product: Product, by: User, on: date, **fields: Any) -> Origin:
    """A record made on a day, with the place of the one before taken."""
    before = fields.pop("supersedes", None)
    if before is not None:
        Origin.objects.filter(pk=before.pk).update(state=Origin.State.SUPERSEDED)
    values = {"scale": Decimal(2000), "on_sale_on": None, "off_sale_on": None, "supersedes": before} | fields
    origin = make_origin(base, product, collected_by=by, **values)
    Origin.objects.filter(pk=origin.pk).update(created_at=datetime(on.year, on.month, on.day, 12, tzinfo=SHANGHAI))
    bring_up_to_date([origin.pk], today=on)
    return origin


def open_due(origin: Origin) -> Due:
    return Due.objects.get(origin=origin, outcome="")


# The plain model: walks from day to day


def next_month(after: date) -> tuple[date, date]:
    day = after
    while day.month == after.month:
        day += timedelta(days=1)
    return day, date(day.year, day.month, monthrange(day.year, day.month)[1])


def a_year_on(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 2, 28)


def next_season(season: date, today: date, window: int = 30) -> tuple[date, date]:
    years = 1
    while a_year_on(season, years) + timedelta(days=window) < today:
        years += 1
    opens = a_year_on(season, years)
    return opens, opens + timedelta(days=window)


@EASY
@given(on=days)
def test_it_is_due_in_the_month_after_the_last_record(
    on: date, li_base: Base, pigs: Product, wang: User, django_db_blocker: Any
) -> None:
    with transaction.atomic():
        due = open_due(put(li_base, pigs, wang, on))
        assert (due.rhythm, due.opens_on, due.due_on) == ("monthly", *next_month(on))
        transaction.set_rollback(True)


@EASY
@given(planted=days, later=st.integers(0, 900))
def test_it_is_due_a_year_after_planting_and_never_in_the_past(
    planted: date, later: int, li_base: Base, cowpea: Product, wang: User
) -> None:
    on = planted + timedelta(days=later)
    with transaction.atomic():
        due = open_due(put(li_base, cowpea, wang, on, planted_on=planted))
        assert (due.rhythm, due.opens_on, due.due_on) == ("season", *next_season(planted, on))
        transaction.set_rollback(True)


def test_what_was_planted_on_29_february_is_due_on_the_28th(li_base: Base, cowpea: Product, wang: User) -> None:
    due = open_due(put(li_base, cowpea, wang, date(2024, 3, 5), planted_on=date(2024, 2, 29)))
    assert (due.opens_on, due.due_on) == (date(2025, 2, 28), date(2025, 3, 30))


def test_without_a_planting_date_it_goes_by_the_growing_days(li_base: Base, cowpea: Product, wang: User) -> None:
    assert cowpea.growing_days == 60
    due = open_due(put(li_base, cowpea, wang, date(2026, 3, 1), on_sale_on=date(2026, 4, 1)))
    assert due.opens_on == date(2027, 1, 31)
    assert due.due_on == date(2027, 3, 2)


def test_a_product_without_growing_days_goes_by_the_day_on_sale(li_base: Base, wang: User) -> None:
    beans = Product.objects.get(name="菜豆")
    assert beans.growing_days is None
    due = open_due(put(li_base, beans, wang, date(2026, 3, 1), on_sale_on=date(2026, 4, 1)))
    assert due.opens_on == date(2027, 4, 1)


def test_each_season_of_a_base_is_due_by_itself(li_base: Base, cowpea: Product, wang: User) -> None:
    spring = put(li_base, cowpea, wang, date(2026, 3, 1), planted_on=date(2026, 2, 20))
    autumn = put(li_base, cowpea, wang, date(2026, 9, 1), planted_on=date(2026, 8, 20))
    assert open_due(spring).opens_on == date(2027, 2, 20)
    assert open_due(autumn).opens_on == date(2027, 8, 20)


@EASY
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["record", "confirm", "touch"]), st.integers(0, 100)), min_size=1, max_size=8
    ),
    start=days,
    idle=st.integers(0, 130),
)
def test_months_agree_with_the_plain_model(
    steps: list[tuple[str, int]], start: date, idle: int, li_base: Base, pigs: Product, wang: User
) -> None:
    """Whatever is recorded when: each month from the second on is in time or missed, and only the next one is open."""
    with transaction.atomic():
        origin = put(li_base, pigs, wang, start)
        on, done = start, {(start.year, start.month)}
        for step, wait in steps:
            on += timedelta(days=wait)
            if step == "record":
                origin = put(li_base, pigs, wang, on, supersedes=origin)
                done.add((on.year, on.month))
            elif step == "touch":
                bring_up_to_date([origin.pk], today=on)
            elif on >= open_due(origin).opens_on:
                confirm_on(origin, wang, on)
                done.add((on.year, on.month))
        today = on + timedelta(days=idle)
        (due,) = Due.objects.open()
        assert due.origin_id == origin.pk
        last = max(done)
        assert (due.opens_on, due.due_on) == next_month(date(*last, 1))
        missed = [month for month in months(start, today) if month not in done and ended(month, today)]
        in_time = [month for month in months(start, today) if month in done]
        reckoned = tallies(Due.objects.all(), by="collector", first=start, last=date(2040, 1, 1), today=today)
        counts = [(one.key, one.on_time, one.late, one.missed) for one in reckoned]
        assert counts == ([(wang.pk, len(in_time), 0, len(missed))] if missed or in_time else [])
        transaction.set_rollback(True)


def confirm_on(origin: Origin, by: User, on: date) -> None:
    """What `confirm_unchanged` does, on a day of the past."""
    due = open_due(origin)
    Due.objects.filter(pk=due.pk).update(outcome="unchanged", met_on=on, met_by=by)
    Origin.objects.filter(pk=origin.pk).update(confirmed_on=on)
    bring_up_to_date([origin.pk], today=on)


def months(after: date, until: date) -> list[tuple[int, int]]:
    """The months behind the one of a day, up to that of another."""
    found, day = [], next_month(after)[0]
    while day <= until:
        found.append((day.year, day.month))
        day = next_month(day)[0]
    return found


def ended(month: tuple[int, int], today: date) -> bool:
    return date(month[0], month[1], monthrange(*month)[1]) < today


@EASY
@given(
    planted=st.dates(date(2023, 1, 1), date(2025, 12, 31)),
    moved=st.integers(-100, 100),
    after=st.integers(0, 60),
)
def test_a_season_that_moves_is_judged_by_its_own_planting(
    planted: date, moved: int, after: int, li_base: Base, cowpea: Product, wang: User
) -> None:
    """Also across new year; who records late after the real planting is late, nobody else."""
    with transaction.atomic():
        first = put(li_base, cowpea, wang, planted, planted_on=planted)
        again = a_year_on(planted, 1) + timedelta(days=moved)
        on = again + timedelta(days=after)
        second = put(li_base, cowpea, wang, on, planted_on=again, supersedes=first)
        met = Due.objects.get(origin=first)
        assert (met.outcome, met.met_on, met.met_by) == ("collected", on, wang)
        deadline = max(a_year_on(planted, 1), again) + timedelta(days=30)
        assert met.due_on == deadline
        (one,) = tallies(Due.objects.filter(origin=first), by="town", first=planted, last=date(2040, 1, 1), today=on)
        assert (one.on_time, one.late, one.missed) == ((1, 0, 0) if on <= deadline else (0, 1, 0))
        assert open_due(second).opens_on == next_season(again, on)[0]
        transaction.set_rollback(True)


@EASY
@given(planted=st.dates(date(2023, 1, 1), date(2024, 12, 31)), idle=st.integers(0, 1500))
def test_a_crop_left_alone_misses_each_year(
    planted: date, idle: int, li_base: Base, cowpea: Product, wang: User
) -> None:
    with transaction.atomic():
        put(li_base, cowpea, wang, planted, planted_on=planted)
        today = planted + timedelta(days=idle)
        missed = sum(a_year_on(a_year_on(planted, 1) + timedelta(days=30), n) < today for n in range(6))
        reckoned = tallies(Due.objects.all(), by="collector", first=planted, last=date(2040, 1, 1), today=today)
        assert [(one.on_time, one.late, one.missed) for one in reckoned] == ([(0, 0, missed)] if missed else [])
        transaction.set_rollback(True)


def test_livestock_left_alone_for_three_months_is_three_missed_months(li_base: Base, pigs: Product, wang: User) -> None:
    put(li_base, pigs, wang, date(2026, 1, 10))
    (one,) = tallies(
        Due.objects.all(), by="collector", first=date(2026, 1, 1), last=date(2026, 12, 31), today=date(2026, 5, 20)
    )
    assert (one.on_time, one.late, one.missed) == (0, 0, 3)


def test_an_update_within_the_month_takes_the_due_over(li_base: Base, pigs: Product, wang: User, zhao: User) -> None:
    first = put(li_base, pigs, wang, date(2026, 1, 10))
    second = put(li_base, pigs, zhao, date(2026, 1, 25), supersedes=first)
    (due,) = Due.objects.all()
    assert (due.origin, due.collector, due.opens_on, due.outcome) == (second, zhao, date(2026, 2, 1), "")


def test_an_update_of_last_season_does_not_meet_what_is_overdue(li_base: Base, cowpea: Product, wang: User) -> None:
    first = put(li_base, cowpea, wang, date(2025, 3, 1), planted_on=date(2025, 3, 1))
    second = put(
        li_base, cowpea, wang, date(2026, 5, 1), planted_on=date(2025, 3, 1), scale=Decimal(3), supersedes=first
    )
    (due,) = Due.objects.all()
    assert (due.origin, due.due_on, due.outcome) == (second, date(2026, 3, 31), "")


def test_how_late_it_was_approved_makes_no_difference(li_base: Base, pigs: Product, wang: User, zhao: User) -> None:
    origin = put(li_base, pigs, wang, date(2026, 1, 10))
    before = Due.objects.values().get()
    approve_origin(origin=origin, actor=zhao)
    origins_saved([origin.pk])
    assert Due.objects.values().get() == before


def test_records_that_replace_each_other_in_one_go_are_one_chain(li_base: Base, pigs: Product, wang: User) -> None:
    first = put(li_base, pigs, wang, date(2026, 1, 10))
    chain = [first]
    for _ in range(2):
        Origin.objects.filter(pk=chain[-1].pk).update(state="superseded")
        chain.append(make_origin(li_base, pigs, collected_by=wang, scale=Decimal(90), supersedes=chain[-1]))
    origins_saved([origin.pk for origin in chain[1:]])
    met = Due.objects.get(origin=first)
    assert (met.outcome, met.met_on) == ("collected", timezone.localdate())
    assert open_due(chain[-1]).opens_on > timezone.localdate()
    assert Due.objects.count() == 2


# Not collected any more


def test_a_closed_base_is_due_no_more_from_the_day_it_closed(li_base: Base, pigs: Product, wang: User) -> None:
    origin = put(li_base, pigs, wang, date(2026, 1, 10))
    Base.objects.filter(pk=li_base.pk).update(closed_on=date(2026, 4, 15), closed_for="退养")
    assert settle_standing(date(2026, 6, 1)) == 1
    due = Due.objects.get()
    assert (due.outcome, due.cause, due.met_on) == ("lapsed", "base_closed", date(2026, 4, 15))
    (one,) = tallies(
        Due.objects.all(), by="town", first=date(2026, 1, 1), last=date(2026, 12, 31), today=date(2026, 9, 1)
    )
    assert one.missed == 2
    assert settle_standing(date(2026, 6, 2)) == 0
    Base.objects.filter(pk=li_base.pk).update(closed_on=None, closed_for="")
    settle_standing(date(2026, 6, 3))
    assert open_due(origin).opens_on == date(2026, 6, 1)
    assert settle_standing(date(2026, 6, 4)) == 0


def test_a_stopped_operator_is_due_no_more_until_restored(
    li_base: Base, li_operator: Operator, pigs: Product, wang: User
) -> None:
    origin = put(li_base, pigs, wang, date(2026, 1, 10))
    Operator.objects.filter(pk=li_operator.pk).update(status="suspended")
    settle_standing(date(2026, 2, 10))
    due = Due.objects.get()
    assert (due.outcome, due.cause, due.met_on) == ("lapsed", "operator_stopped", date(2026, 2, 10))
    Operator.objects.filter(pk=li_operator.pk).update(status="approved")
    settle_standing(date(2026, 3, 10))
    assert open_due(origin).due_on == date(2026, 3, 31)


def rule(place: int, subject: str, threshold: int | None, **fields: Any) -> ScaleRule:
    values: dict[str, Any] = {"valid_from": timezone.localdate(), "source": "县文件", "unit": "head"} | fields
    if threshold is None:
        values |= {"counts": False, "unit": ""}
    return ScaleRule.objects.create(region_id=place, basis="product", subject=subject, threshold=threshold, **values)


def test_below_the_countys_scale_nothing_is_due(li_base: Base, pigs: Product, wang: User) -> None:
    origin = put(li_base, pigs, wang, timezone.localdate(), scale=Decimal(40))
    assert open_due(origin)
    rule(YAZHOU, pigs.code, 50)
    assert sweep_for_rules() == 1
    assert run_sweeps() == 1
    due = Due.objects.get()
    assert (due.outcome, due.cause) == ("lapsed", "below_scale")
    ScaleRule.objects.filter(region_id=YAZHOU).update(threshold=35)
    sweep(YAZHOU)
    run_sweeps()
    assert open_due(origin).due_on > timezone.localdate()


def test_another_countys_scale_changes_nothing(li_base: Base, pigs: Product, wang: User) -> None:
    origin = put(li_base, pigs, wang, timezone.localdate(), scale=Decimal(40))
    rule(LIANDU, pigs.code, 50)
    sweep_for_rules()
    run_sweeps()
    assert open_due(origin)


def test_a_product_that_the_county_counts_out_is_not_due(li_base: Base, pigs: Product, wang: User) -> None:
    rule(YAZHOU, pigs.code, None)
    put(li_base, pigs, wang, timezone.localdate(), scale=Decimal(4000))
    assert not Due.objects.exists()


@EASY
@given(
    scales=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    threshold=st.integers(1, 100),
)
def test_the_sum_of_an_operators_records_decides(
    scales: list[int], threshold: int, li_operator: Operator, pigs: Product, wang: User
) -> None:
    with transaction.atomic():
        rule(YAZHOU, pigs.code, threshold)
        origins = [
            put(
                make_base(li_operator, region=YAZHOU_VILLAGE, point=None),
                pigs,
                wang,
                timezone.localdate(),
                scale=Decimal(scale),
                state="to_locate",
            )
            for scale in scales
        ]
        due = set(Due.objects.open().values_list("origin", flat=True))
        assert due == ({origin.pk for origin in origins} if sum(scales) >= threshold else set())
        transaction.set_rollback(True)


# What people do


def test_one_tap_confirms_that_nothing_changed(li_base: Base, pigs: Product, wang: User, zhao: User) -> None:
    today = timezone.localdate()
    origin = put(li_base, pigs, wang, today.replace(day=1) - timedelta(days=1))
    due = open_due(origin)
    following = confirm_unchanged(due=due, actor=zhao)
    due.refresh_from_db()
    origin.refresh_from_db()
    assert (due.outcome, due.met_on, due.met_by) == ("unchanged", today, zhao)
    assert (origin.confirmed_on, Origin.objects.count()) == (today, 1)
    assert (following.opens_on, following.due_on) == next_month(today)


def test_it_confirms_where_nothing_is_due_any_more(li_base: Base, pigs: Product, wang: User) -> None:
    due = open_due(put(li_base, pigs, wang, timezone.localdate().replace(day=1) - timedelta(days=1)))
    Base.objects.filter(pk=li_base.pk).update(closed_on=timezone.localdate(), closed_for="退养")
    met = confirm_unchanged(due=due, actor=wang)
    assert (met.pk, met.outcome, Due.objects.open().count()) == (due.pk, "unchanged", 0)


def refused(code: str, deed: Any, **given_: Any) -> None:
    before = list(Due.objects.order_by("pk").values())
    with pytest.raises(Refused) as refusal:
        deed(**given_)
    assert refusal.value.code == code
    assert list(Due.objects.order_by("pk").values()) == before


def test_it_refuses_to_confirm_what_cannot_be(
    li_base: Base, cowpea: Product, pigs: Product, wang: User, sun: User, li: User
) -> None:
    today = timezone.localdate()
    crop = open_due(put(li_base, cowpea, wang, today, planted_on=today))
    refused("crop_anew", confirm_unchanged, due=crop, actor=wang)
    early = open_due(put(li_base, pigs, wang, today))
    refused("not_open_yet", confirm_unchanged, due=early, actor=wang)
    refused("outside_area", confirm_unchanged, due=early, actor=sun)
    refused("not_collector", confirm_unchanged, due=early, actor=li)
    Origin.objects.filter(pk=early.origin_id).update(state="returned", return_reason="不对")
    refused("not_settled", confirm_unchanged, due=early, actor=wang)
    refused("reason_missing", end_collecting, due=early, reason=" ", actor=wang)
    refused("not_ended", resume_collecting, due=early, actor=wang)


def test_it_ends_with_a_reason_and_can_be_taken_back(li_base: Base, pigs: Product, wang: User) -> None:
    origin = put(li_base, pigs, wang, timezone.localdate())
    due = open_due(origin)
    window = (due.opens_on, due.due_on)
    end_collecting(due=due, reason="改种甘蔗", actor=wang)
    origins_saved([origin.pk])
    settle_standing()
    due.refresh_from_db()
    assert (due.outcome, due.reason, due.met_by, Due.objects.count()) == ("ended", "改种甘蔗", wang, 1)
    refused("already_met", end_collecting, due=due, reason="又一次", actor=wang)
    resume_collecting(due=due, actor=wang)
    due.refresh_from_db()
    assert (due.outcome, due.reason, due.met_on, due.opens_on, due.due_on) == ("", "", None, *window)


def test_what_ended_is_due_again_once_it_is_recorded_anew(li_base: Base, pigs: Product, wang: User) -> None:
    origin = put(li_base, pigs, wang, date(2026, 1, 10))
    end_collecting(due=open_due(origin), reason="空栏", actor=wang)
    anew = put(li_base, pigs, wang, date(2026, 8, 10), supersedes=origin)
    assert open_due(anew).opens_on == date(2026, 9, 1)
    refused("superseded", resume_collecting, due=Due.objects.get(outcome="ended"), actor=wang)


# Terms


def test_new_terms_hold_for_what_is_due_later_and_never_for_what_was_late(
    li_base: Base, cowpea: Product, wang: User, zhao: User
) -> None:
    today = timezone.localdate()
    late = open_due(put(li_base, cowpea, wang, today - timedelta(days=400), planted_on=today - timedelta(days=400)))
    later = open_due(put(li_base, cowpea, wang, today, planted_on=today))
    now = open_due(put(li_base, cowpea, wang, today, planted_on=a_year_on(today, -1) - timedelta(days=5)))
    before = [(due.opens_on, due.due_on) for due in (late, now)]
    set_terms(region=Region.objects.get(pk=YAZHOU), terms=Terms(planting_days=10), actor=zhao)
    run_sweeps()
    for due in (late, later, now):
        due.refresh_from_db()
    assert later.due_on == later.opens_on + timedelta(days=10)
    assert [(due.opens_on, due.due_on) for due in (late, now)] == before
    assert terms_of([YAZHOU_VILLAGE, LIANDU]) == {YAZHOU_VILLAGE: Terms(planting_days=10), LIANDU: Terms()}


def test_it_refuses_terms_that_make_no_sense(zhao: User, sun: User, wang: User) -> None:
    county, village = Region.objects.get(pk=YAZHOU), Region.objects.get(pk=YAZHOU_VILLAGE)
    for code, where, terms, actor in (
        ("outside_area", county, Terms(), sun),
        ("outside_area", county, Terms(), wang),
        ("region_too_narrow", village, Terms(), zhao),
        ("days_invalid", county, Terms(review_days=0), zhao),
        ("county_first", county, Terms(town_after=9, county_after=3), zhao),
    ):
        with pytest.raises(Refused) as refusal:
            set_terms(region=where, terms=terms, actor=actor)
        assert refusal.value.code == code
    assert terms_of([YAZHOU]) == {YAZHOU: Terms()}
    assert not DueSweep.objects.exists()


# What was on file before
