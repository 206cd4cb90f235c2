import pytest

from nongma.audit.models import Entry
from nongma.registry.models import Base, Operator
from nongma.testing import YAZHOU_VILLAGE, client_of, make_official, make_operator, make_user

FORM = {
    "kinds": ["cooperative"],
    "name": "崖州区春晖豇豆专业合作社",
    "region": str(YAZHOU_VILLAGE),
    "contact": "孙军华",
    "phone": "199 0000 2449",
    "industries": ["planting"],
    "longitude": "109.158151",
    "latitude": "18.435040",
}


@pytest.fixture
def submitted(li):
    return make_operator(li, name="李大山", status="submitted", reviewed_at=None)


def test_a_collector_registers_an_operator(wang):
    client = client_of(wang)
    assert client.get("/operators/register").status_code == 200
    answer = client.post("/operators/register", FORM)
    operator = Operator.objects.get()
    assert answer.url == operator.get_absolute_url()
    assert (operator.status, operator.phone, operator.region_id) == ("submitted", "19900002449", YAZHOU_VILLAGE)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"phone": "12345"}, "手机号要 11 位数字"),
        ({"region": "999999999999"}, "没有这个行政区划"),
        ({"region": "x"}, "没有这个行政区划"),
        ({"region": "331102"}, "不在您的管辖范围内"),
        ({"uscc": "123"}, "要 18 位"),
        ({"kinds": []}, "必填"),
        ({"longitude": ""}, "一起填"),
        ({"longitude": "18.4", "latitude": "53.2"}, "有没有填反"),
        ({"name": "长" * 101}, "100"),
    ],
)
def test_a_fault_stands_beside_its_field_and_nothing_is_saved(wang, changes, text):
    answer = client_of(wang).post("/operators/register", FORM | changes)
    assert answer.status_code == 200
    assert text in answer.content.decode() or changes == {"kinds": []}
    assert answer.context["form"].errors
    assert not Operator.objects.exists()


def test_a_new_grower_registers_and_waits(db):
    new = make_user("new", "新户", is_operator=True)
    client = client_of(new)
    assert "登记主体" in client.get("/operators/").content.decode()
    client.post("/operators/register", FORM | {"kinds": ["household"]})
    text = client.get("/operators/", follow=True).content.decode()
    assert "等待县级管理部门审核" in text


def test_a_reviewer_approves_on_the_record(zhao, submitted):
    client = client_of(zhao)
    record = client.get(submitted.get_absolute_url()).content.decode()
    assert "通过" in record
    assert "<svg" in record
    answer = client.post(f"{submitted.get_absolute_url()}approve", follow=True)
    assert "已通过审核" in answer.content.decode()
    again = client.post(f"{submitted.get_absolute_url()}approve", follow=True)
    assert "赵审核" in again.content.decode()
    assert Entry.objects.filter(action="operator.approved").count() == 1


def test_a_reviewer_returns_with_a_reason_and_the_grower_sends_it_again(zhao, li, submitted):
    url = submitted.get_absolute_url()
    assert client_of(zhao).post(f"{url}return", {"reason": ""}).status_code == 200
    submitted.refresh_from_db()
    assert submitted.status == "submitted"
    client_of(zhao).post(f"{url}return", {"reason": "地址不全"})
    grower = client_of(li)
    assert "地址不全" in grower.get(url).content.decode()
    grower.post(f"{url}change", FORM | {"kinds": ["household"], "name": "李大山", "address": "中和村 8 号"})
    submitted.refresh_from_db()
    assert (submitted.status, submitted.address) == ("submitted", "中和村 8 号")
    history = client_of(zhao).get(url).context["history"]
    assert [entry.action for entry in history] == ["operator.changed", "operator.returned"]


def test_the_full_phone_is_shown_once_to_who_may_see_it_and_on_record(zhao, hainan, li_operator):
    url = li_operator.get_absolute_url()
    assert li_operator.phone not in client_of(zhao).get(url).content.decode()
    answer = client_of(zhao).post(f"{url}contact")
    assert li_operator.phone in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert client_of(hainan).post(f"{url}contact").status_code == 403
    assert [entry.actor_id for entry in Entry.objects.filter(action="operator.revealed")] == [zhao.pk]


def test_the_owner_adds_a_base(li, li_operator):
    url = f"{li_operator.get_absolute_url()}bases"
    client = client_of(li)
    assert client.get(url).status_code == 200
    base = {"name": "东头地", "region": str(YAZHOU_VILLAGE), "longitude": "109.158151", "latitude": "18.435040"}
    assert client.post(url, base).url == Base.objects.get().get_absolute_url()
    assert "已经登记了基地" in client.post(url, base).content.decode()
    elsewhere = client.post(url, base | {"name": "远处", "longitude": "116.391234", "latitude": "39.907321"})
    assert "不在所选的县" in elsewhere.content.decode()
    assert Base.objects.count() == 1
    assert "东头地" in client.get(li_operator.get_absolute_url()).content.decode()


def test_others_see_nothing_and_change_nothing(sun, chen, li_operator):
    url = li_operator.get_absolute_url()
    for user in (sun, chen):
        client = client_of(user)
        assert client.get(url).status_code == 404
        assert client.get(f"{url}change").status_code == 404
        assert client.post(f"{url}bases", {}).status_code == 404
    assert client_of(sun).post(f"{url}approve").status_code == 404
    assert client_of(chen).post(f"{url}approve").status_code == 403
    assert not Entry.objects.exists()


def test_a_false_code_is_not_found(zhao, li_operator):
    client = client_of(zhao)
    for code in ("12345678901234567890", "x", "1" * 200):
        assert client.get(f"/operators/{code}/").status_code == 404


def test_a_laboratory_reads_and_does_not_write(qian, li_operator):
    client = client_of(qian)
    assert client.get(li_operator.get_absolute_url()).status_code == 200
    assert client.get("/operators/register").status_code == 403
    assert client.post(f"{li_operator.get_absolute_url()}contact").status_code == 403
    assert client.post("/operators/export").status_code == 403


def test_changes_need_post(zhao, li_operator):
    client = client_of(zhao)
    for path in ("approve", "return", "contact"):
        assert client.get(f"{li_operator.get_absolute_url()}{path}").status_code == 405
    assert client.get("/operators/export").status_code == 405


def test_staff_without_ownership_only_read(li_operator):
    from nongma.registry.services import add_member

    helper = make_user("helper", "李小山")
    add_member(operator=li_operator, user=helper, actor=None)
    client = client_of(helper)
    assert client.get(li_operator.get_absolute_url()).status_code == 200
    assert client.get(f"{li_operator.get_absolute_url()}change").status_code == 404


def test_a_reviewer_of_one_county_only_collects_in_the_other(db):
    from datetime import date

    from nongma.accounts.models import Agency, Membership, Role
    from nongma.regions.models import Region
    from nongma.testing import LIANDU, YAZHOU

    both = make_official("both", "两地", Role.REVIEWER, YAZHOU)
    place = Region.objects.get(pk=LIANDU)
    agency = Agency.objects.create(name="莲都", region=place, level=place.level, kind="supervision")
    Membership.objects.create(user=both, agency=agency, role=Role.COLLECTOR, from_on=date(2020, 1, 1))
    there = make_operator(region=LIANDU, status="submitted")
    client_of(both).post(f"{there.get_absolute_url()}approve")
    there.refresh_from_db()
    assert there.status == "submitted"
