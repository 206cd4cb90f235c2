import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nongma.accounts.handouts import saving, services, sheet
from nongma.accounts.handouts.tests.conftest import YAZHOU_PLACE, HandOut, counts, faults, station, workbook
from nongma.accounts.models import Agency, Department, Figures, Handout, HandoutRow, Membership, Role, User
from nongma.accounts.services import appoint, change_password, suspend_agency
from nongma.audit.models import Entry
from nongma.regions.models import Region
from nongma.regions.wording import is_filler
from nongma.testing import LIANDU, SANYA, YAZHOU, YAZHOU_TOWN, client_of, make_official


def test_it_makes_agencies_people_and_posts(gao: User, hand_out: HandOut) -> None:
    laboratory = YAZHOU_PLACE | {"agency": "崖州区检测站", "kind": "监测", "department": "水产品"}
    handout = hand_out(
        gao,
        [
            station(1, roles="平台管理员、信息采集员"),
            station(2, username="dadan.wu", email="wu@example.cn"),
            laboratory | {"name": "郑管理", "phone": "13900000009", "roles": "平台管理员"},
            YAZHOU_PLACE | {"agency": "崖州区执法大队", "kind": "执法"},
        ],
    )
    assert (handout.status, handout.total, handout.agencies) == ("done", 4, 3)
    assert counts(handout) == (3, 1, 0, 0)
    assert not faults(handout)
    village = Agency.objects.get(name="大蛋村监管站")
    assert (village.region_id, village.level, village.parent) == (460205198205, 5, gao.agency)
    first, second, third = (
        User.objects.filter(agency__isnull=False).exclude(username__in=("gao", "hainan")).order_by("pk")
    )
    assert (village.administrator, first.name, first.username, first.place) == (
        first,
        "周0001",
        "yzq0001",
        village.region_id,
    )
    assert (second.username, second.email, third.username) == ("dadan.wu", "wu@example.cn", "yzq0002")
    assert sorted(first.memberships.values_list("role", flat=True)) == ["administrator", "collector"]
    assert Agency.objects.get(name="崖州区检测站").department == Department.FISHERY
    for user in (first, second, third):
        password = HandoutRow.objects.get(user=user).first_password
        assert user.check_password(password)
        assert user.must_change_password
        assert user.password.startswith("argon2$")
    assert Figures.objects.get(pk=YAZHOU).people == 4
    told = Entry.objects.filter(actor_id=gao.pk).order_by("at").values_list("action", flat=True)
    assert sorted(told) == sorted(
        ["handout.queued", "handout.finished", *["agency.created"] * 3, *["account.created"] * 3]
        + ["account.appointed"] * 4
    )
    assert not any(person.name in str(entry.details) for entry in Entry.objects.all() for person in (first, second))


def test_the_same_again_changes_nothing(gao: User, hand_out: HandOut) -> None:
    rows = [
        station(1),
        station(2, username="dadan.wu", roles="平台管理员"),
        YAZHOU_PLACE | {"agency": "队", "kind": "执法"},
    ]
    rows[2]["agency"] = "崖州区执法大队"
    hand_out(gao, rows)
    people = list(User.objects.order_by("pk").values_list("pk", "password"))
    again = hand_out(gao, rows)
    assert counts(again) == (0, 0, 3, 0)
    assert again.rows.count() == 0
    assert list(User.objects.order_by("pk").values_list("pk", "password")) == people
    assert Agency.objects.filter(region_id__gte=YAZHOU, region_id__lt=YAZHOU + 1_000_000).count() == 3


def test_a_further_role_is_a_post_of_the_same_person(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1), station(1, roles="信息采集员、查询员"), station(1, roles="查询员")])
    assert counts(handout) == (1, 1, 1, 0)
    user = User.objects.get(name="周0001")
    assert set(user.memberships.values_list("role", flat=True)) == {"collector", "analyst"}
    assert counts(hand_out(gao, [station(1, roles="平台管理员")])) == (0, 1, 0, 0)
    assert Agency.objects.get(name="大蛋村监管站").administrator == user


def test_a_place_may_be_written_as_a_code(gao: User, hand_out: HandOut) -> None:
    row = {"code": "460205", "agency": "崖州区检测站", "kind": "监测"}
    assert counts(hand_out(gao, [row])) == (0, 1, 0, 0)
    assert Agency.objects.get(name="崖州区检测站").region_id == YAZHOU


def test_lines_see_what_the_lines_before_made(hainan: User, hand_out: HandOut) -> None:
    """海南 names the city's administrator; the county's is named by the city from then on."""
    city = {"province": "海南省", "city": "三亚市", "agency": "三亚市监管机构", "kind": "监管"}
    county = YAZHOU_PLACE | {"agency": "崖州区监管机构", "kind": "监管"}
    person = {"name": "钱一", "phone": "13900000001", "roles": "平台管理员"}
    other = {"name": "钱二", "phone": "13900000002", "roles": "平台管理员"}
    handout = hand_out(hainan, [county | person, city | other, county | {**other, "name": "钱三"}])
    assert counts(handout) == (2, 0, 0, 1)
    assert faults(handout) == [(4, "roles", "not_grantor"), (4, "roles", "administrator_exists")]
    assert Agency.objects.get(region_id=YAZHOU).parent == Agency.objects.get(region_id=SANYA)


FAULTY: list[tuple[dict[str, str], list[tuple[str, str]]]] = [
    ({"province": ""}, [("province", "missing")]),
    ({"province": "无此省"}, [("province", "unknown-division")]),
    ({"city": "无此市"}, [("city", "unknown-division")]),
    ({"county": "无此县"}, [("county", "unknown-division")]),
    ({"town": "无此镇"}, [("town", "unknown-division")]),
    ({"village": "无此村"}, [("village", "unknown-division")]),
    ({"code": "46020"}, [("code", "not-a-code")]),
    ({"code": "460299"}, [("code", "unknown-division")]),
    ({"agency": ""}, [("agency", "missing")]),
    ({"agency": "站"}, [("agency", "name_length")]),
    ({"kind": ""}, [("kind", "missing")]),
    ({"kind": "监督"}, [("kind", "not-a-choice")]),
    ({"department": "无此部门"}, [("department", "not-a-choice")]),
    ({"name": ""}, [("name", "missing")]),
    ({"username": "a b"}, [("username", "username_form")]),
    ({"username": "GAO"}, [("username", "username_taken")]),
    ({"phone": "12345"}, [("phone", "not-a-mobile")]),
    ({"phone": ""}, [("phone", "missing")]),
    ({"email": "wu"}, [("email", "email_invalid")]),
    ({"roles": ""}, [("roles", "missing")]),
    ({"roles": "主体人员"}, [("roles", "not-a-choice")]),
    ({"roles": "审核员"}, [("roles", "role_not_held")]),
    ({"kind": "监测"}, [("roles", "role_not_held")]),
    (
        {"name": "", "phone": "1", "email": "x", "kind": "?"},
        [("kind", "not-a-choice"), ("name", "missing"), ("phone", "not-a-mobile"), ("email", "email_invalid")],
    ),
]


def test_every_fault_of_a_line_is_told(gao: User, hand_out: HandOut) -> None:
    before = (Agency.objects.count(), User.objects.count(), Membership.objects.count())
    handout = hand_out(gao, [station(number, **cells) for number, (cells, _) in enumerate(FAULTY, start=1)])
    assert counts(handout) == (0, 0, 0, len(FAULTY))
    expected = [(row, *told) for row, (_, all_told) in enumerate(FAULTY, start=2) for told in all_told]
    assert faults(handout) == expected
    assert (Agency.objects.count(), User.objects.count(), Membership.objects.count()) == before
    assert all(fault["message"] for row in handout.rows.all() for fault in row.faults)


def test_faults_keep_no_number_or_address(gao: User, hand_out: HandOut) -> None:
    """Whatever column it was put in by mistake."""
    rows = [
        station(1, phone="1390000001"),
        station(2, phone="0898-88381234"),
        station(3, phone="88381234"),
        station(4, email="wu.da.dan@example"),
        station(5, kind="13912345678"),
        station(6, code="13912345678", username="wu dan@example.cn"),
    ]
    handout = hand_out(gao, rows)
    assert counts(handout) == (0, 0, 0, 6)
    kept = str(list(handout.rows.values_list("faults", flat=True)))
    for written in ("1390000001", "88381234", "wu.da.dan", "13912345678", "dan@example.cn"):
        assert written not in kept
    assert "139****0001" in kept
    assert "w***@example" in kept
    assert "139****5678" in kept


def test_what_differs_from_the_account_is_told_and_left(gao: User, hand_out: HandOut) -> None:
    known = station(1, username="dadan.wu", email="wu@example.cn", department="质量安全")
    hand_out(gao, [known])
    before = User.objects.values().get(username="dadan.wu")
    other = known | {"phone": "13987654321", "email": "da@example.cn", "department": "水产品"}
    handout = hand_out(gao, [known | {"email": "WU@example.cn"}, other, known | {"phone": "", "email": ""}])
    assert counts(handout) == (0, 0, 3, 0)
    assert faults(handout) == [(3, "department", "differs"), (3, "phone", "differs"), (3, "email", "differs")]
    told = handout.rows.get().faults
    assert [fault["value"] for fault in told] == ["水产品", "139****4321", "d***@example.cn"]
    assert "到机构页面修改" in told[0]["message"]
    assert "表里的手机和这个人现在的不一样" in told[1]["message"]
    assert User.objects.values().get(username="dadan.wu") == before
    assert Agency.objects.get(name="大蛋村监管站").department == Department.QUALITY_SAFETY
    page = client_of(gao).get(handout.get_absolute_url()).content.decode()
    assert page.count("请核对") == 3


def test_it_hands_out_nothing_outside_the_area(gao: User, hainan: User, hand_out: HandOut) -> None:
    liandu = {"province": "浙江省", "city": "丽水市", "county": "莲都区", "agency": "莲都区监管站", "kind": "监管"}
    sanya = {"province": "海南省", "city": "三亚市", "agency": "三亚市检测站", "kind": "监测"}
    elsewhere = make_official("sun", "孙管理", Role.ADMINISTRATOR, LIANDU).agency
    assert elsewhere
    known = liandu | {"agency": elsewhere.name, "name": "孙管理", "username": "sun", "roles": "平台管理员"}
    own = YAZHOU_PLACE | {"agency": "崖州区监管机构", "kind": "监管", "name": "李二", "phone": "13900000002"}
    handout = hand_out(gao, [liandu, sanya, known, own | {"roles": "平台管理员"}, station(1)])
    assert counts(handout) == (1, 0, 0, 4)
    assert faults(handout) == [
        (2, "county", "outside_area"),
        (3, "city", "outside_area"),
        (4, "county", "outside_area"),
        (5, "roles", "not_grantor"),
        (5, "roles", "administrator_exists"),
    ]


def test_nobody_raises_the_own_rights(gao: User, hand_out: HandOut) -> None:
    agency = gao.agency
    assert agency
    row = YAZHOU_PLACE | {"agency": agency.name, "kind": "监管", "name": gao.name, "username": "gao", "roles": "审核员"}
    assert faults(hand_out(gao, [row])) == [(2, "roles", "self")]
    assert list(gao.memberships.values_list("role", flat=True)) == ["administrator"]


def test_a_suspended_agency_gets_nobody(gao: User, hainan: User, hand_out: HandOut) -> None:
    hand_out(gao, [station(1)])
    suspend_agency(agency=Agency.objects.get(name="大蛋村监管站"), reason="撤并", actor=gao)
    assert faults(hand_out(gao, [station(2)])) == [(2, "agency", "agency_suspended")]


def test_who_loses_the_right_hands_out_no_more(
    gao: User, hainan: User, hand_out: HandOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "CHUNK", 2)
    handout = hand_out(gao, [station(1)])

    content = workbook([station(number) for number in range(2, 8)])
    handout = services.submit_handout(file=ContentFile(content), filename="账号.xlsx", actor=gao)

    def suspend(running: Handout) -> None:
        User.objects.filter(pk=gao.pk).update(is_active=False)

    services.run_handout(handout.uid, progress=suspend)
    handout.refresh_from_db()
    assert (handout.status, handout.created) == ("failed", 2)
    assert "您的角色不能分配账号" in handout.message


def test_usernames_skip_what_is_taken(gao: User, hand_out: HandOut) -> None:
    hand_out(gao, [station(1, username="YZQ0002")])
    hand_out(gao, [station(2), station(3)])
    assert User.objects.get(name="周0002").username == "yzq0001"
    assert User.objects.get(name="周0003").username == "yzq0003"


def test_queries_grow_with_chunks_and_not_with_lines(
    gao: User, hand_out: HandOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "make_password", str.upper)
    hand_out(gao, [station(1)])
    with CaptureQueriesContext(
        connection,
    ) as few:
        hand_out(gao, [station(number) for number in range(100, 102)])
    with CaptureQueriesContext(connection) as many:
        hand_out(gao, [station(number) for number in range(200, 250)])
    assert len(many) <= len(few) + 3


def test_words_of_the_sheet_are_those_of_the_models() -> None:
    assert {code: word for word, code in sheet.KINDS.items()} == dict(Agency.Kind.choices)
    assert {code: word for word, code in sheet.DEPARTMENTS.items()} == dict(Department.choices)
    roles = {code: word for code, word in Role.choices if code != Role.OPERATOR}
    assert {code: word for word, code in sheet.ROLES.items()} == roles


def test_the_password_is_gone_once_it_is_changed(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1), station(2)])
    first, second = handout.rows.order_by("row")
    assert first.user
    change_password(user=first.user, new="Zhong-hua-2026-x", old=first.first_password, actor=first.user)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.first_password, bool(second.first_password)) == ("", True)
    assert first.user
    assert first.agency
    appoint(user=first.user, agency=first.agency, role=Role.ANALYST, actor=gao)


def test_a_village_that_is_not_there_is_told_where_there_are_no_towns(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1, town="", village="没有这个村")])
    assert counts(handout) == (0, 0, 0, 1)
    assert faults(handout) == [(2, "village", "unknown-division")]
    assert "没有“没有这个村”这个村（社区）" in str(handout.rows.get().faults)
    assert not Agency.objects.filter(name="大蛋村监管站").exists()


def test_the_station_of_a_town_that_nobody_writes_goes_by_its_county(gao: User, wang: User, hand_out: HandOut) -> None:
    town = wang.agency
    assert (town.region_id, town.level) == (YAZHOU_TOWN, Region.Level.TOWN)
    assert is_filler(town.region.name)
    row = YAZHOU_PLACE | {"agency": town.name, "kind": "监管", "name": "林新来", "phone": "13900000007"}
    handout = hand_out(gao, [row | {"roles": "查询员"}])
    assert counts(handout) == (1, 0, 0, 0)
    assert not faults(handout)
    lin = User.objects.get(name="林新来")
    assert (lin.agency, lin.place) == (town, YAZHOU_TOWN)
    assert counts(hand_out(gao, [row | {"roles": "查询员"}])) == (0, 0, 1, 0)
    assert Agency.objects.filter(name=town.name).count() == 1
