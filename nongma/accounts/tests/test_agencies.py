import pytest

from nongma.accounts.granting import grantors_of, parent_for, roles_grantable, roles_held_by
from nongma.accounts.models import Agency, Department, Role, User
from nongma.accounts.services import change_agency, create_agency, restore_agency, suspend_agency
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.testing import HAINAN, LIANDU, SANYA, YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE, api_of, client_of, make_official

SUPERVISION, MONITORING, ENFORCEMENT = Agency.Kind.SUPERVISION, Agency.Kind.MONITORING, Agency.Kind.ENFORCEMENT


def region(code: int) -> Region:
    return Region.objects.get(pk=code)


def fresh(user: User) -> User:
    """The person as the next request reads it."""
    return User.objects.get(pk=user.pk)


@pytest.fixture
def fang(hainan: User) -> User:
    """Fang, the administrator of 三亚市."""
    return make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)


@pytest.fixture
def gao(fang: User) -> User:
    """Gao, the administrator of 崖州区."""
    return make_official("gao", "高管理", Role.ADMINISTRATOR, YAZHOU)


def test_it_finds_who_hands_out_an_agencys_account(hainan: User, fang: User, gao: User) -> None:
    assert parent_for(region(YAZHOU), SUPERVISION) == fang.agency
    assert parent_for(region(YAZHOU), MONITORING) == gao.agency
    assert parent_for(region(YAZHOU_TOWN), SUPERVISION) == gao.agency
    assert parent_for(region(LIANDU), ENFORCEMENT) is None


def test_a_new_agency_takes_over_those_below(hainan: User) -> None:
    station = create_agency(name="崖州站", region=region(YAZHOU), kind=SUPERVISION, actor=hainan)
    laboratory = create_agency(name="三亚检测站", region=region(SANYA), kind=MONITORING, actor=hainan)
    elsewhere = create_agency(name="海南检测站", region=region(HAINAN), kind=MONITORING, actor=hainan)
    assert {station.parent, laboratory.parent, elsewhere.parent} == {hainan.agency}
    sanya = create_agency(name="三亚市监管机构", region=region(SANYA), kind=SUPERVISION, actor=hainan)
    for agency, parent in ((station, sanya), (laboratory, sanya), (elsewhere, hainan.agency), (sanya, hainan.agency)):
        agency.refresh_from_db()
        assert agency.parent == parent
    assert Entry.objects.filter(action="agency.created", region_code=SANYA).count() == 2


def test_a_station_that_stands_alone_has_its_own_account(gao: User) -> None:
    """乡镇畜牧、水产站单独设立的，有自己的账号."""
    livestock = create_agency(
        name="崖州畜牧兽医站",
        region=region(YAZHOU_TOWN),
        kind=SUPERVISION,
        department=Department.LIVESTOCK,
        actor=gao,
    )
    create_agency(name="崖州监管站", region=region(YAZHOU_TOWN), kind=SUPERVISION, actor=gao)
    livestock.refresh_from_db()
    assert livestock.parent == gao.agency
    assert roles_grantable(gao, livestock) == [Role.ADMINISTRATOR, Role.COLLECTOR, Role.ANALYST]


def test_it_refuses_an_agency(hainan: User, gao: User, zhao: User) -> None:
    before = Agency.objects.count()
    for code, actor, name, where, kind in [
        ("outside_area", hainan, "莲都站", LIANDU, SUPERVISION),
        ("outside_area", zhao, "崖州站", YAZHOU, SUPERVISION),
        ("outside_area", gao, "崖州区第二监管机构", YAZHOU, SUPERVISION),
        ("outside_area", gao, "三亚检测站", SANYA, MONITORING),
        ("agency_exists", hainan, gao.agency.name, YAZHOU, SUPERVISION),
        ("name_length", hainan, "站", YAZHOU, SUPERVISION),
    ]:
        with pytest.raises(Refused) as refusal:
            create_agency(name=name, region=region(where), kind=kind, actor=actor)
        assert refusal.value.code == code
    assert Agency.objects.count() == before


def test_each_kind_and_level_has_its_roles(gao: User, qian: User, wang: User) -> None:
    assert Role.REVIEWER in roles_held_by(gao.agency)
    assert Role.REVIEWER not in roles_held_by(wang.agency)
    assert roles_held_by(qian.agency) == (Role.ADMINISTRATOR, Role.LABORATORY, Role.ANALYST)


def test_who_hands_out_what(
    ministry: User, hainan: User, fang: User, gao: User, qian: User, wang: User, officer: User
) -> None:
    everything = list(roles_held_by(gao.agency))
    people = everything[1:]
    laboratory, station = qian.agency, wang.agency
    for actor, agency, expected in [
        (fang, gao.agency, [Role.ADMINISTRATOR]),
        (gao, gao.agency, people),
        (hainan, gao.agency, []),
        (ministry, gao.agency, []),
        (gao, laboratory, [Role.ADMINISTRATOR]),
        (fang, laboratory, []),
        (gao, station, [Role.ADMINISTRATOR, Role.COLLECTOR, Role.ANALYST]),
        (fang, station, []),
        (ministry, ministry.agency, list(roles_held_by(ministry.agency))),
        (qian, laboratory, []),
    ]:
        assert roles_grantable(actor, agency) == expected, (actor, agency)


def test_a_village_is_in_the_hands_of_township_and_county(gao: User) -> None:
    township = make_official("town", "镇管理", Role.ADMINISTRATOR, YAZHOU_TOWN)
    village = create_agency(name="大蛋村", region=region(YAZHOU_VILLAGE), kind=SUPERVISION, actor=gao)
    assert grantors_of(village) == [township.agency, gao.agency]
    assert Role.COLLECTOR in roles_grantable(gao, village)
    assert Role.COLLECTOR in roles_grantable(township, village)


def test_where_nobody_is_at_work_the_next_above_acts(hainan: User, fang: User, gao: User) -> None:
    assert grantors_of(gao.agency) == [fang.agency]
    User.objects.filter(pk=fang.pk).update(suspended_at="2026-01-01T00:00Z")
    assert grantors_of(gao.agency) == [hainan.agency]
    assert roles_grantable(hainan, gao.agency) == [Role.ADMINISTRATOR]


def test_a_name_is_corrected_from_above(fang: User, gao: User) -> None:
    changed = change_agency(agency=gao.agency, name="崖州区农业农村局", department=Department.PLANTING, actor=fang)
    assert (changed.name, changed.department) == ("崖州区农业农村局", Department.PLANTING)
    for actor, name, code in ((gao, "换个名字", "outside_area"), (fang, "", "name_length")):
        with pytest.raises(Refused) as refusal:
            change_agency(agency=gao.agency, name=name, department=Department.PLANTING, actor=actor)
        assert refusal.value.code == code
    assert Agency.objects.get(pk=gao.agency.pk).name == "崖州区农业农村局"


def test_a_suspended_agencys_people_are_out_at_their_next_request(fang: User, gao: User, zhao: User) -> None:
    page, program = client_of(zhao), api_of(zhao)
    assert page.get("/origins/").status_code == 200
    assert program.get("/api/v1/me").status_code == 200
    suspend_agency(agency=zhao.agency, reason="账号外借", actor=fang)
    assert page.get("/origins/").status_code == 302
    assert program.get("/api/v1/me").status_code == 401
    assert fresh(gao).administers == []
    restore_agency(agency=zhao.agency, actor=fang)
    assert client_of(fresh(zhao)).get("/origins/").status_code == 200


def test_it_refuses_to_suspend_an_agency(hainan: User, fang: User, gao: User) -> None:
    for actor, agency, reason, code in [
        (gao, gao.agency, "试试", "outside_area"),
        (gao, fang.agency, "试试", "outside_area"),
        (fang, gao.agency, " ", "reason_missing"),
    ]:
        with pytest.raises(Refused) as refusal:
            suspend_agency(agency=agency, reason=reason, actor=actor)
        assert refusal.value.code == code
    assert not Agency.objects.exclude(suspended_at=None).exists()
    suspend_agency(agency=gao.agency, reason="整顿", actor=hainan)
    with pytest.raises(Refused) as refusal:
        restore_agency(agency=gao.agency, actor=fang)
    assert refusal.value.code == "suspended_above"
    assert Agency.objects.get(pk=gao.agency.pk).suspended_at
