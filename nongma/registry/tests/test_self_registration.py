"""A grower registers on a phone: what each type needs, the draft, sending in once."""

import json

import pytest
from django.db import connection

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.codes.models import CodeRange
from nongma.regions.models import Region
from nongma.registry.models import Draft, Operator, OperatorMember
from nongma.registry.self_registration.services import send_in
from nongma.testing import YAZHOU_VILLAGE, at_once, client_of, make_operator, make_user

PHONE = "19900001234"
ID_NUMBER = "11010519491231002X"
USCC = "91350100M000100Y43"
HOUSEHOLD = {
    "kinds": ["household"],
    "name": "李大山",
    "id_number": ID_NUMBER,
    "region": str(YAZHOU_VILLAGE),
    "phone": PHONE,
    "consent": "on",
}
COOPERATIVE = HOUSEHOLD | {
    "kinds": ["cooperative"],
    "name": "春晖合作社",
    "id_number": "",
    "uscc": USCC,
    "contact": "孙军华",
}


@pytest.fixture
def newcomer(db) -> User:
    """Somebody who has just come by phone."""
    return make_user("uabc", "手机尾号1234", is_operator=True, phone=PHONE)


def nothing_happened() -> bool:
    return not (
        Operator.objects.exists()
        or CodeRange.objects.exists()
        or OperatorMember.objects.exists()
        or Entry.objects.exists()
    )


def test_a_household_registers_and_waits(newcomer, settings):
    client = client_of(newcomer)
    answer = client.post("/join/register", HOUSEHOLD | {"longitude": "109.158151", "latitude": "18.435040"})
    assert answer.url == "/join/done"
    operator = Operator.objects.get()
    assert (operator.status, operator.name, operator.contact) == ("submitted", "李大山", "李大山")
    assert (operator.id_number, operator.phone, operator.region_id) == (ID_NUMBER, PHONE, YAZHOU_VILLAGE)
    assert operator.members.get().role == OperatorMember.Role.OWNER
    newcomer.refresh_from_db()
    assert (newcomer.name, newcomer.place, newcomer.phone) == ("李大山", YAZHOU_VILLAGE, PHONE)
    done = client.get("/join/done").text
    assert "已提交，等待县级审核" in done
    assert f"{operator.due_on:%Y-%m-%d}" in done
    consent = Entry.objects.get(action="operator.consented")
    assert (consent.target_id, consent.details) == (str(operator.uid), {"text": "2026-11"})
    assert client.get("/join/register").url == "/join/done"


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"kinds": []}, "kinds", ""),
        ({"name": ""}, "name", ""),
        ({"region": ""}, "region", "请选择"),
        ({"region": "460205000000"}, "region", "选到村"),
        ({"phone": "12345"}, "phone", "11 位"),
        ({"consent": ""}, "consent", "同意"),
        ({"longitude": "109.1"}, "latitude", "一起填"),
        ({"id_number": ""}, "id_number", "请填写身份证号"),
        ({"id_number": "110105194912310021"}, "id_number", ""),
        ({"kinds": ["broker"], "id_number": ""}, "id_number", "请填写身份证号"),
        ({"kinds": ["household", "family_farm"], "id_number": ""}, "id_number", "请填写身份证号"),
        ({"kinds": ["family_farm"], "id_number": "", "contact": "李"}, "uscc", "没有的填身份证号"),
        ({"kinds": ["family_farm"]}, "contact", "联系人"),
        *(
            ({"kinds": [kind], "contact": "李"}, "uscc", "统一社会信用代码")
            for kind in (
                "enterprise", "cooperative", "purchaser", "wholesale_market", "retailer", "processor", "logistics",
                "e_commerce", "input_dealer",
            )
        ),
        ({"kinds": ["household", "enterprise"], "contact": "李"}, "uscc", "统一社会信用代码"),
        ({"kinds": ["cooperative"], "contact": "李", "uscc": "91350100M000100Y44"}, "uscc", ""),
        ({"kinds": ["cooperative"], "uscc": USCC}, "contact", "联系人"),
    ],
)  # fmt: skip
def test_a_fault_stands_beside_its_field_and_nothing_is_saved(newcomer, changes, field, told):
    answer = client_of(newcomer).post("/join/register", HOUSEHOLD | changes)
    assert answer.status_code == 200
    assert told in "".join(answer.context["form"].errors[field])
    assert nothing_happened()


@pytest.mark.parametrize(
    "changes",
    [
        COOPERATIVE,
        {"kinds": ["family_farm"], "contact": "李大山"},
        {"kinds": ["family_farm"], "contact": "李大山", "id_number": "", "uscc": USCC},
        {"kinds": ["household", "broker"]},
        COOPERATIVE | {"kinds": ["cooperative", "processor", "household"]},
    ],
)
def test_each_type_gives_only_what_it_needs(newcomer, changes):
    assert client_of(newcomer).post("/join/register", HOUSEHOLD | changes).url == "/join/done"
    assert Operator.objects.get().kinds == changes["kinds"]


def test_what_is_on_file_is_refused_and_changes_nothing(newcomer):
    make_operator(uscc=USCC, name="老合作社")
    before = (CodeRange.objects.count(), Entry.objects.count())
    answer = client_of(newcomer).post("/join/register", COOPERATIVE)
    assert "已经登记过" in "".join(answer.context["form"].errors["uscc"])
    assert (CodeRange.objects.count(), Entry.objects.exclude(action="account.met_known").count()) == before
    assert Operator.objects.count() == 1
    assert Draft.objects.get(user=newcomer)


def test_the_village_is_found_by_its_written_name_without_script(newcomer):
    village = Region.objects.get(pk=YAZHOU_VILLAGE)
    typed = HOUSEHOLD | {"region": "", "region_text": village.full_name}
    assert client_of(newcomer).post("/join/register", typed).url == "/join/done"
    assert Operator.objects.get().region_id == YAZHOU_VILLAGE


def test_what_is_typed_is_kept_and_found_again_on_another_phone(newcomer):
    typed = {"kinds": ["household", "broker"], "name": "李大", "id_number": ID_NUMBER, "region": str(YAZHOU_VILLAGE)}
    assert client_of(newcomer).post("/join/draft", typed | {"extra": "x", "consent": "on"}).status_code == 204
    kept = json.loads(Draft.objects.get().inputs_json)
    assert set(kept) == set(typed)
    with connection.cursor() as cursor:
        cursor.execute("SELECT inputs_json FROM registry_draft")
        assert ID_NUMBER not in cursor.fetchone()[0]
    page = client_of(newcomer).get("/join/register")
    form = page.context["form"]
    assert [form[name].value() for name in ("kinds", "name", "id_number")] == [
        ["household", "broker"], "李大", ID_NUMBER,
    ]  # fmt: skip
    assert Region.objects.get(pk=YAZHOU_VILLAGE).full_name in page.text
    assert "找回来了" in page.text


def test_a_draft_is_its_persons_own(newcomer, li):
    client_of(newcomer).post("/join/draft", {"name": "无人知道"})
    assert "无人知道" not in client_of(li).get("/join/register").text


def test_it_is_done_with_when_sent_and_a_late_one_does_not_come_back(newcomer):
    client = client_of(newcomer)
    client.post("/join/draft", {"name": "李大"})
    client.post("/join/register", HOUSEHOLD)
    assert not Draft.objects.exists()
    late = client.post("/join/draft", {"name": "李大"})
    assert (late.status_code, late.json()["code"]) == (409, "member_already")
    assert not Draft.objects.exists()


@pytest.mark.parametrize("typed", [{"name": "长" * 201}, {"kinds": ["household"] * 21}])
def test_a_draft_has_its_size(newcomer, typed):
    assert client_of(newcomer).post("/join/draft", typed).status_code == 422
    assert not Draft.objects.exists()


def test_what_was_refused_is_kept_for_a_browser_without_script(newcomer):
    client_of(newcomer).post("/join/register", HOUSEHOLD | {"id_number": ""})
    assert json.loads(Draft.objects.get().inputs_json)["name"] == ["李大山"]


@pytest.mark.django_db(transaction=True)
def test_sent_twice_at_once_it_is_registered_once(newcomer):
    inputs = {
        "kinds": ["household"],
        "name": "李大山",
        "region": Region.objects.get(pk=YAZHOU_VILLAGE),
        "id_number": ID_NUMBER,
        "phone": PHONE,
        "contact": "李大山",
    }
    results = at_once(*[lambda: send_in(actor=User.objects.get(pk=newcomer.pk), **inputs)] * 3)
    assert sorted(map(str, results)) == ["member_already", "member_already", "李大山"]
    assert Operator.objects.count() == OperatorMember.objects.count() == 1
    assert Entry.objects.filter(action="operator.registered").count() == 1


def test_sent_again_it_leads_to_what_was_sent(newcomer):
    client = client_of(newcomer)
    client.post("/join/register", HOUSEHOLD)
    assert client.post("/join/register", HOUSEHOLD).url == "/join/done"
    assert Operator.objects.count() == 1


def test_a_returned_one_says_why_and_leads_to_the_change(newcomer):
    client = client_of(newcomer)
    client.post("/join/register", HOUSEHOLD)
    Operator.objects.update(status="returned", review_note="执照不清楚", review_faults={"name": "名称和证件不一致"})
    page = client.get("/join/done").text
    operator = Operator.objects.get()
    assert "执照不清楚" in page
    assert "名称和证件不一致" in page
    assert f"/operators/{operator.code}/change" in page


def test_a_place_tells_its_county(newcomer):
    client = client_of(newcomer)
    here = client.get("/join/place", {"longitude": "109.158151", "latitude": "18.435040"}).json()
    assert (here["code"], here["full_name"]) == ("460205000000", "海南省三亚市崖州区")
    assert client.get("/join/place", {"longitude": "0", "latitude": "0"}).json() == {"code": None}
    assert client.get("/join/place", {"longitude": "nan", "latitude": "0"}).status_code == 400
    assert client.get("/join/place").status_code == 400


def test_officials_are_led_to_their_own_page(zhao):
    assert client_of(zhao).get("/join/register").url == "/operators/register"
    assert client_of(zhao).get("/join/done").url == "/join/register"
    assert client_of(zhao).post("/join/draft", {"name": "x"}).status_code == 409
    assert not Draft.objects.exists()
