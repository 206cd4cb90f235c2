import re
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from nongma.accounts.agencies.queries import CHANGES_SHOWN
from nongma.accounts.models import Agency, Membership, Role, User
from nongma.audit.models import Entry
from nongma.testing import LIANDU, SANYA, YAZHOU, YAZHOU_TOWN, client_of, make_official

LIST, CREATE = reverse("accounts:agencies"), reverse("accounts:create-agency")


@pytest.fixture
def fang(hainan: User) -> User:
    """Fang, the administrator of 三亚市."""
    return make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)


@pytest.fixture
def gao(fang: User) -> User:
    """Gao, the administrator of 崖州区."""
    return make_official("gao", "高管理", Role.ADMINISTRATOR, YAZHOU)


def page_of(name: str, agency: Agency) -> str:
    return reverse(f"accounts:{name}", args=[agency.uid])


def names_in(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', text)


def test_the_list_shows_what_is_in_ones_care(gao: User, fang: User, qian: User, wang: User, sun: User) -> None:
    own = {gao.agency.name, qian.agency.name, wang.agency.name}
    assert set(names_in(client_of(gao).get(LIST).text)) == own
    assert set(names_in(client_of(fang).get(LIST).text)) == own | {fang.agency.name}
    lab = make_official("labadmin", "检测管理", Role.ADMINISTRATOR, YAZHOU, kind=Agency.Kind.MONITORING)
    assert names_in(client_of(lab).get(LIST).text) == [qian.agency.name]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "monitoring"}, {"崖州区监测机构"}),
        ({"level": "2"}, {"三亚市监管机构"}),
        ({"state": "vacant"}, {"崖州区监测机构"}),
        ({"state": "suspended"}, set()),
        ({"q": "监测"}, {"崖州区监测机构"}),
        ({"q": "崖"}, {"崖州区监管机构", "崖州区监测机构"}),
        ({"department": "livestock"}, set()),
        ({"region": str(LIANDU)}, set()),
        ({"level": "nonsense"}, set()),
    ],
)
def test_it_narrows_the_list(gao: User, fang: User, qian: User, query: dict[str, str], found: set[str]) -> None:
    assert set(names_in(client_of(fang).get(LIST, query).text)) == found


def test_it_enters_an_agency_and_hands_out_its_account(gao: User) -> None:
    browser = client_of(gao)
    form = {"name": "崖州检测站", "region": YAZHOU, "kind": "monitoring", "department": "quality_safety"}
    made = browser.post(CREATE, form, follow=True)
    agency = Agency.objects.get(name="崖州检测站")
    assert made.redirect_chain[-1][0] == agency.get_absolute_url()
    assert "还没有平台管理员" in made.text
    assert agency.parent == gao.agency
    values = {"name": "钱主任", "username": "qianzr", "roles": ["administrator"], "phone": "19900001111", "email": ""}
    told = browser.post(page_of("enter-person", agency), values)
    password = re.search(r'id="password">([^<]+)<', told.text).group(1)
    person = User.objects.get(username="qianzr")
    assert person.check_password(password)
    assert person.must_change_password
    assert (person.agency, person.place) == (agency, YAZHOU)
    agency.refresh_from_db()
    assert agency.administrator == person
    assert "no-store" in told["Cache-Control"]
    assert password not in browser.get(person.get_absolute_url()).text
    assert not Entry.objects.filter(details__icontains=password).exists()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": ""}, "name", "请填写"),
        ({"name": "站"}, "name", "2 到 100 字"),
        ({"region": str(LIANDU)}, "region", "不归您建立"),
        ({"region": "99"}, "region", "没有这个行政区划"),
        ({"kind": "other"}, "kind", "other"),
    ],
)
def test_it_says_beside_the_field_what_is_wrong(gao: User, changes: dict[str, str], field: str, message: str) -> None:
    before = Agency.objects.count()
    form = {"name": "崖州检测站", "region": str(YAZHOU), "kind": "monitoring", "department": "quality_safety"} | changes
    answer = client_of(gao).post(CREATE, form)
    assert answer.status_code == 422
    assert message in answer.text
    assert Agency.objects.count() == before


def test_an_account_that_is_refused_leaves_nothing(gao: User, zhao: User) -> None:
    agency = gao.agency
    before = (User.objects.count(), Membership.objects.count(), Entry.objects.count())
    good = {"name": "梅", "username": "mei", "roles": ["analyst"], "phone": "", "email": ""}
    for changes, message in [
        ({"username": "zhao"}, "已经有人用了"),
        ({"username": "a b"}, "用户名要用"),
        ({"phone": "123"}, "11 位"),
        ({"email": "mei@"}, "邮箱"),
        ({"roles": []}, "请选择角色"),
        ({"roles": ["administrator"]}, "administrator"),
        ({"roles": ["officer"]}, "officer"),
    ]:
        answer = client_of(gao).post(page_of("enter-person", agency), good | changes)
        assert answer.status_code == 422
        assert message in answer.text
    assert (User.objects.count(), Membership.objects.count(), Entry.objects.count()) == before


def test_every_fault_of_an_account_stands_beside_its_field_at_once(gao: User) -> None:
    wrong = {"name": "", "username": "a b", "roles": [], "phone": "12", "email": "x"}
    answer = client_of(gao).post(page_of("enter-person", gao.agency), wrong)
    assert set(answer.context["form"].errors) == set(wrong)
    assert not User.objects.filter(username="a b").exists()


def test_who_does_not_hand_it_out_is_told_who_does(gao: User, fang: User, qian: User) -> None:
    laboratory = qian.agency
    assert "不由您分配" in client_of(fang).get(page_of("enter-person", laboratory)).text
    record = client_of(fang).get(laboratory.get_absolute_url()).text
    assert gao.agency.name in record
    assert "分配账号</a>" not in record


def test_it_appoints_somebody_who_has_an_account(gao: User, zhao: User, sun: User, wang: User) -> None:
    browser = client_of(gao)
    address = page_of("appoint-person", gao.agency)
    assert browser.post(address, {"username": "zhao", "role": "analyst"}).status_code == 302
    assert zhao.memberships.filter(role=Role.ANALYST, to_on=None).exists()
    before = Membership.objects.count()
    for username, message in (("sun", "不归您管理"), ("nobody", "没有这个用户"), ("gao", "不能给自己任命")):
        answer = browser.post(address, {"username": username, "role": "analyst"})
        assert answer.status_code == 422
        assert message in answer.text
    assert Membership.objects.count() == before


def test_it_suspends_and_restores_an_agency(gao: User, wang: User) -> None:
    browser, collector = client_of(gao), client_of(wang)
    station = wang.agency
    assert "请填写原因" in browser.post(page_of("suspend-agency", station), {"reason": ""}).text
    assert collector.get("/origins/").status_code == 200
    browser.post(page_of("suspend-agency", station), {"reason": "账号外借"})
    assert collector.get("/origins/").status_code == 302
    shown = browser.get(station.get_absolute_url()).text
    assert "账号外借" in shown
    browser.post(page_of("restore-agency", station))
    assert client_of(User.objects.get(pk=wang.pk)).get("/origins/").status_code == 200


def test_the_posts_show_who_held_them_before(gao: User, zhao: User, wang: User) -> None:
    browser = client_of(gao)
    post = zhao.memberships.get()
    User.objects.filter(pk=wang.pk).update(agency=gao.agency)
    browser.post(reverse("accounts:hand-over", args=[post.uid]), {"to": "wang", "on": "", "leaver": "keep"})
    assert Membership.objects.get(pk=post.pk).to_on is None
    answer = browser.post(
        reverse("accounts:hand-over", args=[post.uid]), {"to": "wang", "on": "2026-11-01", "leaver": "keep"}
    )
    assert answer.status_code == 302
    shown = browser.get(gao.agency.get_absolute_url()).text
    assert "接赵审核" in shown
    assert "至 2026-10-31" in shown


def test_it_exports_what_the_list_shows(gao: User, qian: User, wang: User) -> None:
    answer = client_of(gao).post(reverse("accounts:export-agencies"), {"kind": "monitoring", "reason": "核对机构"})
    sheet = load_workbook(BytesIO(answer.getvalue())).active
    assert [row[5] for row in sheet.iter_rows(values_only=True)] == ["机构名称", qian.agency.name]
    assert Entry.objects.get(action="agency.exported").details["rows"] == 1


def test_nobody_sees_an_agency_outside_the_own_care(gao: User, zhao: User, sun: User, fang: User) -> None:
    for user, status in ((gao, 404), (zhao, 403)):
        for name in ("agency", "change-agency", "enter-person", "appoint-person"):
            assert client_of(user).get(page_of(name, sun.agency)).status_code == status
    assert client_of(gao).get(page_of("agency", fang.agency)).status_code == 404
    assert Client().get(LIST).status_code == 302


def test_a_township_station_has_all_its_people_from_the_county(gao: User, wang: User) -> None:
    page = client_of(gao).get(page_of("enter-person", wang.agency)).text
    assert 'value="collector"' in page
    assert 'value="administrator"' in page
    assert wang.agency.region_id == YAZHOU_TOWN


def test_the_record_tells_who_came_and_went(
    gao: User, zhao: User, wang: User, django_assert_max_num_queries: Any
) -> None:
    browser = client_of(gao)
    post = zhao.memberships.get()
    User.objects.filter(pk=wang.pk).update(agency=gao.agency)
    browser.post(reverse("accounts:hand-over", args=[post.uid]), {"to": "wang", "on": "2026-11-01", "leaver": "keep"})
    changes = browser.get(gao.agency.get_absolute_url()).context["changes"]
    told = [(one.user.username, one.role, one.to_on is None) for one in changes]
    assert told[0] == ("wang", "reviewer", True)
    assert ("zhao", "reviewer", False) in told
    assert ("gao", "administrator", True) in told
    many = [
        Membership(user=zhao, agency=gao.agency, role=Role.ANALYST, from_on=day, to_on=day)
        for day in (date(2025, 1, 1) + timedelta(days=n) for n in range(30))
    ]
    Membership.objects.bulk_create(many)
    with django_assert_max_num_queries(40):
        page = browser.get(gao.agency.get_absolute_url())
    assert len(page.context["changes"]) == CHANGES_SHOWN
    assert "最近 20 条" in page.text


def test_a_vacant_post_leads_to_an_account_with_that_role(gao: User, fang: User, wang: User) -> None:
    browser = client_of(gao)
    wanted = f"{page_of('enter-person', gao.agency)}?role=analyst"
    assert wanted in browser.get(gao.agency.get_absolute_url()).text
    assert re.search(r'value="analyst"[^>]*checked', browser.get(wanted).text)
    assert not re.search(r'value="collector"[^>]*checked', browser.get(wanted).text)
    theirs = client_of(fang).get(gao.agency.get_absolute_url()).text
    assert "?role=" not in theirs


def test_the_slip_of_one_account_is_printed_while_its_password_stands(gao: User, fang: User, zhao: User) -> None:
    browser = client_of(gao)
    values = {"name": "梅", "username": "mei", "roles": ["analyst"], "phone": "", "email": ""}
    told = browser.post(page_of("enter-person", gao.agency), values).text
    password = re.search(r'name="password" value="([^"]+)"', told).group(1)
    mei = User.objects.get(username="mei")
    where = reverse("accounts:print-slip", args=[mei.uid])
    answer = browser.post(where, {"password": password})
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert "no-store" in answer["Cache-Control"]
    assert not Entry.objects.filter(details__icontains=password).exists()
    for changes in ({"password": "wrong"}, {}):
        assert browser.post(where, changes).url == mei.get_absolute_url()
    assert client_of(zhao).post(where, {"password": password}).status_code == 403
    other = make_official("other", "莲都管理员", Role.ADMINISTRATOR, LIANDU)
    assert client_of(other).post(where, {"password": password}).status_code == 404
    User.objects.filter(pk=mei.pk).update(must_change_password=False)
    assert browser.post(where, {"password": password}).status_code == 302
    assert Entry.objects.filter(action="account.slip_printed").count() == 1
