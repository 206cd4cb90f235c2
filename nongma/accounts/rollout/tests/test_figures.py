from datetime import date
from importlib import import_module

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nongma.accounts.granting import _is_manned
from nongma.accounts.models import Agency, Figures, Membership, Role, User
from nongma.accounts.rollout.figures import figures_code, recount, recount_all
from nongma.accounts.rollout.queries import progress_of
from nongma.regions.models import Region
from nongma.testing import COUNTRY, HAINAN, LIANDU, SANYA, YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE, make_official, make_user

pytestmark = pytest.mark.django_db
DONGGUAN, DONGGUAN_TOWN = 441900000000, 441900003000
PLACES = (COUNTRY, HAINAN, SANYA, YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE, LIANDU, DONGGUAN, DONGGUAN_TOWN)


def plain_count(code: int) -> dict[str, int]:
    """The same figures, counted one record at a time."""
    inside = [one for one in Agency.objects.all() if figures_code(one.region_id) == code and not one.suspended_at]
    people = [
        one
        for one in User.objects.all()
        if one.agency_id and one.is_active and one.place is not None and figures_code(one.place) == code
    ]
    return {
        "agencies": len(inside),
        "agencies_with_account": sum(1 for one in inside if _is_manned(one)),
        "towns_with_agency": len({one.region_id // 1000 for one in inside if one.level >= Region.Level.TOWN}),
        "people": len(people),
        "people_in_use": sum(1 for one in people if one.last_login),
        "people_trained": sum(1 for one in people if one.trained_on),
    }


def kept(code: int) -> dict[str, int]:
    row = Figures.objects.get(pk=code)
    return {field: getattr(row, field) for field in plain_count(code)}


def test_it_counts_a_county_with_its_towns_and_villages() -> None:
    for number, place in enumerate((YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE)):
        make_official(f"a{number}", "管理员", Role.ADMINISTRATOR, place)
    make_official("c1", "采集员", Role.COLLECTOR, YAZHOU_TOWN)
    User.objects.filter(username="c1").update(last_login=timezone.now(), trained_on=date(2026, 5, 1))
    recount(YAZHOU_VILLAGE, YAZHOU, None)
    assert kept(YAZHOU) == {
        "agencies": 3,
        "agencies_with_account": 3,
        "towns_with_agency": 1,
        "people": 4,
        "people_in_use": 1,
        "people_trained": 1,
    }
    assert Figures.objects.count() == 1


def test_it_keeps_a_city_apart_from_its_counties() -> None:
    make_official("city", "市管理员", Role.ADMINISTRATOR, SANYA)
    make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)
    recount(SANYA, YAZHOU)
    assert (kept(SANYA)["agencies"], kept(YAZHOU)["agencies"]) == (1, 1)


def test_it_leaves_operators_people_and_closed_accounts_out() -> None:
    make_user("li", "李", is_operator=True, place=YAZHOU)
    make_official("gone", "走了", Role.COLLECTOR, YAZHOU)
    User.objects.filter(username="gone").update(is_active=False)
    recount(YAZHOU)
    assert kept(YAZHOU)["people"] == 0


def test_an_agency_whose_administrator_is_suspended_is_not_manned() -> None:
    administrator = make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)
    recount(YAZHOU)
    assert kept(YAZHOU)["agencies_with_account"] == 1
    User.objects.filter(pk=administrator.pk).update(suspended_at=timezone.now())
    recount(YAZHOU)
    assert kept(YAZHOU)["agencies_with_account"] == 0
    total = progress_of(Region.objects.get(pk=YAZHOU)).total
    assert (total.agencies, total.agencies_with_account) == (1, 0)


changes = st.lists(
    st.tuples(
        st.sampled_from(["agency", "person", "sign_in", "train", "close", "suspend", "lock_out", "move"]),
        st.sampled_from(PLACES),
        st.integers(0, 30),
    ),
    max_size=25,
)


@given(changes=changes)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_what_a_plain_count_says_after_any_changes(changes: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        for what, place, pick in changes:
            recount(*_change(what, place, pick))
        codes = list(Figures.objects.values_list("pk", flat=True))
        assert {code: kept(code) for code in codes} == {code: plain_count(code) for code in codes}
        everywhere = {figures_code(place) for place in Agency.objects.values_list("region_id", flat=True)}
        assert everywhere <= set(codes)
        assert recount_all() == len(codes)
        assert {code: kept(code) for code in codes} == {code: plain_count(code) for code in codes}
        transaction.set_rollback(True)


def _change(what: str, place: int, pick: int) -> tuple[int | None, ...]:
    """One change, and the divisions that it touched."""
    people = list(User.objects.filter(is_active=True, agency__isnull=False).order_by("pk"))
    agencies = list(Agency.objects.filter(suspended_at=None).order_by("pk"))
    number = User.objects.count() + 1
    if what == "agency":
        is_manned = Membership.objects.filter(agency__region=place, role=Role.ADMINISTRATOR).exists()
        role = Role.COLLECTOR if is_manned or pick % 2 else Role.ADMINISTRATOR
        make_official(f"p{number}", "新", role, place)
        return (place,)
    if what == "suspend" and agencies:
        agency = agencies[pick % len(agencies)]
        Agency.objects.filter(pk=agency.pk).update(suspended_at=timezone.now())
        return (agency.region_id,)
    if not people or not agencies:
        return ()
    person = people[pick % len(people)]
    if what == "person":
        agency = agencies[pick % len(agencies)]
        make_user(f"p{number}", "新", agency=agency, place=agency.region_id)
        return (agency.region_id,)
    if what == "move":
        agency, before = agencies[pick % len(agencies)], person.place
        User.objects.filter(pk=person.pk).update(agency=agency, place=agency.region_id)
        return (before, agency.region_id)
    fields = {
        "sign_in": {"last_login": timezone.now()},
        "train": {"trained_on": date(2026, 5, 1)},
        "close": {"is_active": False},
        "lock_out": {"suspended_at": timezone.now()},
    }
    User.objects.filter(pk=person.pk).update(**fields.get(what, {}))
    administered = Agency.objects.filter(administrator=person).values_list("region_id", flat=True)
    return (person.place, *administered)


def test_an_older_platform_gets_its_figures_by_migration() -> None:
    make_official("a1", "管理员", Role.ADMINISTRATOR, YAZHOU)
    make_official("a2", "采集员", Role.COLLECTOR, YAZHOU_VILLAGE)
    make_official("a3", "省", Role.ADMINISTRATOR, HAINAN)
    make_user("li", "李", is_operator=True, place=LIANDU)
    Figures.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("nongma.accounts.migrations.0012_count_rollout").COUNT)
    assert {code: kept(code) for code in (YAZHOU, HAINAN)} == {code: plain_count(code) for code in (YAZHOU, HAINAN)}
    assert Figures.objects.count() == 2
