import re
from datetime import date
from io import BytesIO

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from nongma.accounts.models import Agency, Membership, Role, User
from nongma.accounts.services import appoint, suspend_user
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.testing import SANYA, YAZHOU, api_of, client_of, make_official

LIST = reverse("accounts:people")


@pytest.fixture
def fang(hainan: User) -> User:
    """Fang, the administrator of 三亚市."""
    return make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)


@pytest.fixture
def gao(fang: User) -> User:
    """Gao, the administrator of 崖州区."""
    return make_official("gao", "高管理", Role.ADMINISTRATOR, YAZHOU)


def address_of(name: str, user: User) -> str:
    return reverse(f"accounts:{name}", args=[user.uid])


def names_in(text: str) -> set[str]:
    return set(re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', text))


def test_the_list_shows_whom_one_looks_after(
    gao: User, fang: User, zhao: User, wang: User, qian: User, sun: User, li: User, li_operator: Operator
) -> None:
    county = {"高管理", "赵审核", "王采集", "钱检测", "李大山"}
    assert names_in(client_of(gao).get(LIST).text) == county
    assert names_in(client_of(fang).get(LIST).text) == county | {"方管理"}
    assert "孙审核" not in names_in(client_of(fang).get(LIST, {"q": "孙审核"}).text)


def test_it_finds_and_narrows(gao: User, zhao: User, wang: User, qian: User) -> None:
    User.objects.filter(pk=wang.pk).update(phone="19900002222", phone_index=blind_index("19900002222"))
    User.objects.filter(pk=qian.pk).update(must_change_password=True)
    for query, found in [
        ({"q": "采集"}, {"王采集"}),
        ({"q": "赵"}, {"赵审核"}),
        ({"q": "wa"}, {"王采集"}),
        ({"q": "199 0000 2222"}, {"王采集"}),
        ({"role": "reviewer"}, {"赵审核"}),
        ({"state": "unclaimed"}, {"钱检测"}),
        ({"state": "closed"}, set()),
        ({"state": "nonsense"}, set()),
        ({"region": "460205198"}, {"王采集"}),
    ]:
        assert names_in(client_of(gao).get(LIST, query).text) == found, query


def test_a_suspended_person_is_out_at_the_next_request(gao: User, zhao: User) -> None:
    page, program = client_of(zhao), api_of(zhao)
    assert page.get("/origins/").status_code == 200
    client_of(gao).post(address_of("suspend-person", zhao), {"reason": "账号外借"})
    assert page.get("/origins/").status_code == 302
    assert page.get("/tiles/origins/0/0/0.mvt").status_code in {302, 401, 403}
    assert program.get("/api/v1/me").status_code == 401
    assert zhao.memberships.filter(to_on=None).exists()
    shown = client_of(gao).get(zhao.get_absolute_url()).text
    assert "账号外借" in shown
    client_of(gao).post(address_of("restore-person", zhao))
    assert page.get("/origins/").status_code == 302, "the session of before stays ended"
    assert program.get("/api/v1/me").status_code == 401, "and so does the token"
    assert client_of(User.objects.get(pk=zhao.pk)).get("/origins/").status_code == 200


def test_only_who_stands_as_high_lifts_a_suspension(gao: User, fang: User, zhao: User) -> None:
    suspend_user(user=zhao, reason="整顿", actor=fang)
    answer = client_of(gao).post(address_of("restore-person", zhao), follow=True)
    assert "由同级或上级恢复" in answer.text
    assert User.objects.get(pk=zhao.pk).suspended_at


def test_it_asks_why(gao: User, zhao: User) -> None:
    for name in ("suspend-person", "close-person"):
        answer = client_of(gao).post(address_of(name, zhao), {"reason": " "})
        assert answer.status_code == 422
        assert "请填写原因" in answer.text
    zhao.refresh_from_db()
    assert zhao.may_sign_in


def test_nobody_suspends_or_closes_himself(gao: User) -> None:
    for name in ("suspend-person", "close-person"):
        assert "自己的账号" in client_of(gao).post(address_of(name, gao), {"reason": "试试"}, follow=True).text
    gao.refresh_from_db()
    assert gao.may_sign_in
    assert "停用和注销" not in client_of(gao).get(gao.get_absolute_url()).text


def test_it_closes_an_account(gao: User, zhao: User) -> None:
    client_of(gao).post(address_of("close-person", zhao), {"reason": "退休"})
    zhao.refresh_from_db()
    assert not zhao.is_active
    assert not zhao.memberships.filter(to_on=None).exists()
    assert names_in(client_of(gao).get(LIST, {"state": "closed"}).text) == {"赵审核"}


def test_it_corrects_a_person(gao: User, zhao: User) -> None:
    address = address_of("change-person", zhao)
    good = {"name": "赵新名", "phone": "199 0000 3333", "email": "zhao@example.cn"}
    for changes, message in (({"name": ""}, "请填写姓名"), ({"phone": "1"}, "11 位"), ({"email": "x"}, "邮箱地址不对")):
        answer = client_of(gao).post(address, good | changes)
        assert answer.status_code == 422
        assert message in answer.text
    zhao.refresh_from_db()
    assert zhao.name == "赵审核"
    client_of(gao).post(address, good)
    zhao.refresh_from_db()
    assert (zhao.name, zhao.phone, zhao.email) == ("赵新名", "19900003333", "zhao@example.cn")
    assert Entry.objects.get(action="account.changed").details == {"fields": ["name", "phone", "email"]}
    assert "199****3333" in client_of(gao).get(zhao.get_absolute_url()).text
    form = client_of(gao).get(address).text
    assert "199****3333" in form
    assert "19900003333" not in form
    assert "zhao@example.cn" not in form
    client_of(gao).post(address, {"name": "赵新名", "phone": "", "email": ""})
    zhao.refresh_from_db()
    assert (zhao.phone, zhao.email) == ("19900003333", "zhao@example.cn")


def test_who_works_above_as_well_is_suspended_from_above(gao: User, fang: User, hainan: User, zhao: User) -> None:
    appoint(user=zhao, agency=fang.agency, role=Role.ANALYST, actor=fang)
    with pytest.raises(Refused) as refusal:
        suspend_user(user=zhao, reason="试试", actor=gao)
    assert refusal.value.code == "outside_area"
    assert User.objects.get(pk=zhao.pk).may_sign_in
    suspend_user(user=zhao, reason="试试", actor=fang)
    assert not User.objects.get(pk=zhao.pk).may_sign_in


def test_a_new_password_is_told_once(gao: User, zhao: User) -> None:
    browser = client_of(zhao)
    told = client_of(gao).post(address_of("reset-password", zhao))
    password = re.search(r'id="password">([^<]+)<', told.text).group(1)
    zhao.refresh_from_db()
    assert zhao.check_password(password)
    assert zhao.must_change_password
    assert browser.get("/origins/").status_code == 302
    assert not Entry.objects.filter(details__icontains=password).exists()


def test_a_post_is_handed_over_with_its_history(gao: User, zhao: User, wang: User) -> None:
    Membership.objects.filter(user=zhao).update(from_on=date(2026, 1, 1))
    post = zhao.memberships.get()
    User.objects.filter(pk=wang.pk).update(agency=gao.agency)
    address = reverse("accounts:hand-over", args=[post.uid])
    for changes, message in [
        ({"to": "nobody"}, "没有这个用户"),
        ({"to": "zhao"}, "就是现在这位"),
        ({"on": "2099-01-01"}, "最晚是今天"),
        ({"on": "2025-01-01"}, "任职日期之后"),
        ({"to": "gao"}, "不能给自己任命"),
    ]:
        answer = client_of(gao).post(address, {"to": "wang", "on": "2026-11-02", "leaver": "keep"} | changes)
        assert answer.status_code == 422
        assert message in answer.text
    post.refresh_from_db()
    assert post.to_on is None
    client_of(gao).post(address, {"to": "wang", "on": "2026-11-02", "leaver": "suspend"})
    new = Membership.objects.get(follows=post)
    assert (new.user, new.role, new.from_on) == (wang, Role.REVIEWER, date(2026, 11, 2))
    post.refresh_from_db()
    assert post.to_on == date(2026, 11, 1)
    assert User.objects.get(pk=zhao.pk).suspended_for == "职务已交接"
    assert "由赵审核交接给" in client_of(gao).get(reverse("audit:log")).text
    assert "交出职务" in client_of(gao).get(zhao.get_absolute_url()).text


def test_an_administrator_is_changed_by_the_level_above(gao: User, fang: User, zhao: User) -> None:
    post = gao.memberships.get()
    address = reverse("accounts:hand-over", args=[post.uid])
    assert "平台管理员由三亚市监管机构任命" in client_of(gao).get(address).text
    assert "任命" in client_of(gao).post(address, {"to": "zhao", "on": "2026-11-02", "leaver": "keep"}).text
    assert Agency.objects.get(pk=gao.agency.pk).administrator == gao
    client_of(fang).post(address, {"to": "zhao", "on": "2026-11-02", "leaver": "keep"})
    assert Agency.objects.get(pk=gao.agency.pk).administrator == zhao
    assert client_of(User.objects.get(pk=gao.pk)).get(LIST).status_code == 403


def test_a_post_ends(gao: User, zhao: User) -> None:
    post = zhao.memberships.get()
    client_of(gao).post(reverse("accounts:end-post", args=[post.uid]))
    post.refresh_from_db()
    assert post.to_on
    assert "以前的职务 1 个" in client_of(gao).get(zhao.get_absolute_url()).text


def test_it_exports_people_with_masked_phones(gao: User, zhao: User) -> None:
    User.objects.filter(pk=zhao.pk).update(phone="19900004444", phone_index=blind_index("19900004444"))
    answer = client_of(gao).post(reverse("accounts:export-people"), {"role": "reviewer", "reason": "核对人员"})
    rows = list(load_workbook(BytesIO(answer.getvalue())).active.iter_rows(values_only=True))
    assert [row[2] for row in rows] == ["姓名", "赵审核"]
    assert rows[1][5] == "199****4444"
    assert Entry.objects.get(action="account.exported").details["rows"] == 1


def test_nobody_sees_people_outside_the_own_care(gao: User, sun: User, zhao: User, fang: User) -> None:
    for user, target, status in ((gao, sun, 404), (gao, fang, 404), (zhao, zhao, 403)):
        for name in ("person", "change-person"):
            assert client_of(user).get(address_of(name, target)).status_code == status
    post = sun.memberships.get()
    assert client_of(gao).get(reverse("accounts:hand-over", args=[post.uid])).status_code == 404
    assert client_of(gao).post(reverse("accounts:end-post", args=[post.uid])).status_code == 404
    assert sun.memberships.filter(to_on=None).exists()
