from datetime import date, timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from nongma.accounts.models import Agency, Role, Target, Training, User
from nongma.accounts.rollout.figures import recount_all
from nongma.accounts.rollout.queries import Due, areas_of, progress_of
from nongma.accounts.rollout.services import record_training, set_target
from nongma.audit.models import Entry
from nongma.regions.models import Region
from nongma.testing import (
    COUNTRY,
    HAINAN,
    LIANDU,
    SANYA,
    YAZHOU,
    YAZHOU_VILLAGE,
    ZHEJIANG,
    api_of,
    client_of,
    file_in,
    make_official,
)

pytestmark = pytest.mark.django_db
DONGGUAN, DONGGUAN_TOWN = 441900000000, 441900003000
WUZHISHAN = 469001000000
LIANDU_TOWN = 331102001000


def region(code: int) -> Region:
    return Region.objects.get(pk=code)


@pytest.fixture
def country() -> dict[str, User]:
    """Administrators up and down two provinces, and a collector who has signed in and is trained."""
    people = {
        name: make_official(name, name, Role.ADMINISTRATOR, place)
        for name, place in {
            "ministry": COUNTRY,
            "hainan": HAINAN,
            "sanya": SANYA,
            "yazhou": YAZHOU,
            "wuzhishan": WUZHISHAN,
            "liandu": LIANDU,
            "liandu_town": LIANDU_TOWN,
            "dongguan_town": DONGGUAN_TOWN,
        }.items()
    }
    collector = make_official("c", "采集员", Role.COLLECTOR, YAZHOU_VILLAGE)
    User.objects.filter(pk=collector.pk).update(last_login=timezone.now(), trained_on=date(2026, 5, 1))
    recount_all()
    return people


def test_it_adds_up_from_the_counties(country: dict[str, User]) -> None:
    whole = progress_of(region(COUNTRY))
    assert (whole.total.agencies, whole.total.agencies_with_account) == (9, 8)
    assert (whole.total.people, whole.total.people_in_use, whole.total.people_trained) == (9, 1, 1)
    lines = {line.label: line for line in whole.lines}
    assert lines["本级"].agencies == 1
    assert lines["海南省"].agencies == 5
    assert lines["浙江省"].agencies == 2
    assert sum(line.agencies for line in whole.lines) == whole.total.agencies


def test_it_puts_a_county_without_a_city_beside_the_cities(country: dict[str, User]) -> None:
    lines = {line.label: line for line in progress_of(region(HAINAN)).lines}
    assert (lines["三亚市"].agencies, lines["五指山市"].agencies, lines["本级"].agencies) == (3, 1, 1)


def test_it_counts_a_county_by_its_towns_or_villages(country: dict[str, User]) -> None:
    villages = {line.region.code: line for line in progress_of(region(YAZHOU)).lines}
    assert villages[YAZHOU_VILLAGE].people_trained == 1
    assert villages[YAZHOU].agencies == 1
    towns = progress_of(region(LIANDU))
    assert next(line for line in towns.lines if line.region.code == LIANDU_TOWN).agencies == 1
    assert towns.total.agencies == 2
    dongguan = progress_of(region(DONGGUAN))
    assert dongguan.total.agencies == 1
    assert dongguan.total.towns_missing == len(dongguan.lines) - 1


def test_it_names_what_has_no_agency(country: dict[str, User]) -> None:
    sanya = progress_of(region(SANYA))
    assert all("崖州区" not in name for name in sanya.missing)
    assert sanya.missing_count == sanya.total.counties_missing == 3
    liandu = progress_of(region(LIANDU))
    assert liandu.missing_count == len(liandu.lines) - 2
    zhejiang = progress_of(region(ZHEJIANG))
    counties = Region.objects.current().filter(level=Region.Level.COUNTY).within(zhejiang.region.span)
    there = [one for one in counties if one.name not in {"市辖区", "县"} and "直辖" not in one.name]
    assert zhejiang.total.counties_missing == len(there) - 1


def test_it_takes_the_nearest_date_above(country: dict[str, User]) -> None:
    soon, sooner = (timezone.localdate() + timedelta(days=days) for days in (60, 20))
    for name, day in (("ministry", soon), ("sanya", sooner)):
        actor = country[name]
        set_target(agency=actor.administers[0], accounts_due_on=day, training_due_on=day, actor=actor)
    hainan = progress_of(region(HAINAN))
    dates = {line.label: line.accounts_due_on for line in hainan.lines}
    assert (dates["三亚市"], dates["五指山市"]) == (sooner, soon)
    assert hainan.target
    assert hainan.target.agency == Agency.objects.get(region=COUNTRY)
    assert progress_of(region(YAZHOU)).total.accounts_due_on == sooner


@pytest.mark.parametrize(
    ("days", "is_done", "label", "tone"),
    [
        (5, False, "还有 5 天", "amber"),
        (50, False, "还有 50 天", "blue"),
        (0, False, "今天到期", "amber"),
        (-3, False, "超期 3 天", "red"),
        (-3, True, "已完成", "green"),
        (None, False, "没有定日期", "grey"),
    ],
)
def test_it_says_how_a_date_stands(days: int | None, is_done: bool, label: str, tone: str) -> None:
    due = Due(timezone.localdate() + timedelta(days=days) if days is not None else None, is_done)
    assert (due.label, due.tone) == (label, tone)


def test_it_shows_the_own_area_and_nothing_else(country: dict[str, User]) -> None:
    client = client_of(country["hainan"])
    page = client.get(reverse("accounts:rollout"))
    assert "海南省推广进度" in page.content.decode()
    assert client.get(reverse("accounts:rollout"), {"region": YAZHOU}).status_code == 200
    for outside in (ZHEJIANG, "000000000000", "330000", "abc", "469999"):
        assert client.get(reverse("accounts:rollout"), {"region": outside}).status_code == 404
        assert client.post(reverse("accounts:export-rollout"), {"region": outside}).status_code == 404
    assert not Entry.objects.filter(action="rollout.exported").exists()


@pytest.mark.parametrize("kind", [Agency.Kind.MONITORING, Agency.Kind.ENFORCEMENT])
def test_it_tells_agencies_of_another_kind_nothing(country: dict[str, User], kind: Agency.Kind) -> None:
    lab = make_official("lab", "检测管理员", Role.ADMINISTRATOR, YAZHOU, kind=kind)
    client = client_of(lab)
    assert areas_of(lab) == []
    assert client.get(reverse("accounts:rollout"))["Location"] == reverse("accounts:trainings")
    assert client.get(reverse("accounts:trainings")).status_code == 200
    for asked in ({}, {"region": f"{YAZHOU:012}"}, {"region": f"{YAZHOU_VILLAGE:012}"}):
        if asked:
            assert client.get(reverse("accounts:rollout"), asked).status_code == 404
        assert client.post(reverse("accounts:export-rollout"), asked).status_code == 404
        assert api_of(lab).get("/api/v1/rollout", asked).status_code == 404
    due = {"accounts_due_on": timezone.localdate(), "training_due_on": timezone.localdate()}
    assert client.get(reverse("accounts:rollout-target")).status_code == 404
    assert client.post(reverse("accounts:rollout-target"), due).status_code == 404
    assert not Target.objects.exists()
    training = record_training(
        agency=country["yazhou"].administers[0],
        title="培训",
        held_on=timezone.localdate(),
        mode=Training.Mode.REMOTE,
        actor=country["yazhou"],
    )
    assert client.get(reverse("accounts:training", args=[training.uid])).status_code == 404
    assert not Entry.objects.filter(action="rollout.exported").exists()


def test_who_runs_agencies_of_two_kinds_follows_the_area_of_one(country: dict[str, User]) -> None:
    town = country["liandu_town"]
    lab = make_official("lab", "检测员", Role.LABORATORY, YAZHOU, kind=Agency.Kind.MONITORING).agency
    town.memberships.create(agency=lab, role=Role.ADMINISTRATOR, from_on=timezone.localdate())
    assert areas_of(User.objects.get(pk=town.pk)) == [region(LIANDU_TOWN)]
    assert client_of(town).get(reverse("accounts:rollout"), {"region": f"{YAZHOU:012}"}).status_code == 404


def test_it_exports_the_page_on_record(country: dict[str, User]) -> None:
    client = client_of(country["hainan"])
    assert client.get(reverse("accounts:export-rollout")).status_code == 405
    response = client.post(reverse("accounts:export-rollout"), {"reason": "月度通报"})
    content = file_in(response)
    rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == "海南省推广进度"
    assert rows[3][0] == "本级"
    assert rows[-1][:3] == ["合计", 5, 4]
    entry = Entry.objects.get(action="rollout.exported")
    assert (entry.actor_id, entry.region_code) == (country["hainan"].pk, HAINAN)
    assert (entry.details["purpose"], entry.details["filter"]) == ("月度通报", "地区：海南省")


def test_it_reads_few_rows_by_index(country: dict[str, User]) -> None:
    progress_of(region(COUNTRY))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        progress_of(region(HAINAN))
    assert len(queries) <= 6
