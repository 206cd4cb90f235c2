import pytest

from nongma.accounts.models import Agency, Role, User
from nongma.testing import LIANDU, SANYA, YAZHOU, YAZHOU_TOWN, api_of, make_official

LIST = "/api/v1/agencies"


@pytest.fixture
def gao(hainan: User) -> User:
    """Gao, the administrator of 崖州区."""
    return make_official("gao", "高管理", Role.ADMINISTRATOR, YAZHOU)


def new_lab(**fields: str) -> dict[str, str]:
    return {"name": "崖州区农产品检测站", "region": "460205000000", "kind": "monitoring"} | fields


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"崖州区监管机构", "崖州区监测机构"}),
        ("?kind=monitoring", {"崖州区监测机构"}),
        ("?level=3&q=监测", {"崖州区监测机构"}),
        ("?level=0", set()),
        ("?state=vacant", {"崖州区监测机构"}),
        ("?state=suspended", set()),
        ("?department=livestock", set()),
        ("?region=33", set()),
        ("?region=123", set()),
    ],
)
def test_it_lists_what_is_in_ones_care(gao: User, qian: User, sun: User, query: str, found: set[str]) -> None:
    answer = api_of(gao).get(LIST + query).json()
    assert {item["name"] for item in answer["items"]} == found
    assert answer["total"] == len(answer["items"])


def test_it_gives_an_agency_with_its_administrator_and_parent(gao: User, hainan: User) -> None:
    answer = api_of(hainan).get(f"{LIST}/{gao.agency.uid}").json()
    assert answer["administrator"] == {"uid": str(gao.uid), "username": "gao", "name": "高管理"}
    assert answer["parent"] == str(hainan.agency.uid)
    assert (answer["region"], answer["level"], answer["suspended_at"]) == ("460205000000", 3, None)


def test_it_enters_an_agency_once_for_one_key(gao: User) -> None:
    program = api_of(gao)
    answers = [
        program.post(LIST, new_lab(), content_type="application/json", headers={"Idempotency-Key": "lab"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    agency = Agency.objects.get(uid=answers[0].json()["uid"])
    assert (agency.parent, agency.kind, agency.region_id) == (gao.agency, "monitoring", YAZHOU)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"region": "331102000000"}, 409, "outside_area"),
        ({"kind": "supervision"}, 409, "outside_area"),
        ({"region": "999999000000"}, 422, "region_unknown"),
        ({"name": "站"}, 422, "name_length"),
        ({"kind": "other"}, 422, "invalid"),
    ],
)
def test_it_enters_no_agency_against_the_rules(gao: User, fields: dict[str, str], status: int, code: str) -> None:
    before = Agency.objects.count()
    answer = api_of(gao).post(LIST, new_lab(**fields), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Agency.objects.count() == before


def test_it_suspends_and_restores_from_above(gao: User, hainan: User) -> None:
    where = f"{LIST}/{gao.agency.uid}"
    suspended = api_of(hainan).post(f"{where}/suspend", {"reason": "机构撤销"}, content_type="application/json")
    assert suspended.status_code == 200
    assert suspended.json()["suspended_at"]
    assert api_of(gao).get("/api/v1/me").status_code == 401
    restored = api_of(hainan).post(f"{where}/restore")
    assert (restored.status_code, restored.json()["suspended_at"]) == (200, None)
    assert api_of(hainan).post(f"{where}/restore").json()["code"] == "not_suspended"


def test_nobody_suspends_the_own_agency_or_one_elsewhere(gao: User, sun: User) -> None:
    reason = {"reason": "试一试"}
    own = api_of(gao).post(f"{LIST}/{gao.agency.uid}/suspend", reason, content_type="application/json")
    assert (own.status_code, own.json()["code"]) == (409, "outside_area")
    elsewhere = api_of(gao).post(f"{LIST}/{sun.agency.uid}/suspend", reason, content_type="application/json")
    assert elsewhere.status_code == 404
    assert not Agency.objects.filter(suspended_at__isnull=False).exists()


def test_it_gives_nothing_of_elsewhere_or_without_the_role(gao: User, sun: User, zhao: User) -> None:
    assert sun.agency.region_id == LIANDU
    assert api_of(gao).get(f"{LIST}/{sun.agency.uid}").status_code == 404
    assert api_of(zhao).get(LIST).status_code == 403


def test_a_township_sees_its_own_station_only(gao: User) -> None:
    town = make_official("town", "镇管理", Role.ADMINISTRATOR, YAZHOU_TOWN)
    make_official("city", "市管理", Role.ADMINISTRATOR, SANYA)
    answer = api_of(town).get(LIST).json()
    assert [item["uid"] for item in answer["items"]] == [str(town.agency.uid)]
