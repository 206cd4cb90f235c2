"""A password that somebody else knows opens one page: the one where it is changed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import Role, User
from nongma.accounts.second_factor import renew_recovery_codes
from nongma.accounts.services import appoint, change_password, create_user, reset_password
from nongma.audit.models import Entry
from nongma.testing import TOTP_KEY, YAZHOU, api_of, client_of, make_official

GIVEN, OWN = "seven-green-hills", "eight-green-hills"
PASSWORD_PAGE = reverse("accounts:password")


@pytest.fixture
def mei(hainan: User) -> User:
    """Mei, whom an administrator has entered, and who reads."""
    gao = make_official("gao", "高管理", Role.ADMINISTRATOR, YAZHOU)
    mei = create_user(username="mei", name="梅新人", password=GIVEN, actor=gao, agency=gao.agency)
    appoint(user=mei, agency=gao.agency, role=Role.ANALYST, actor=gao)
    return User.objects.get(pk=mei.pk)


def change(client: Client, new: str = OWN, **further: str):
    return client.post(PASSWORD_PAGE, {"old": GIVEN, "new": new, "again": new, **further})


def test_it_leads_to_the_password_page_and_back(mei: User) -> None:
    client = Client()
    table = f"{reverse('origins:table')}?q=1"
    client.post(reverse("accounts:sign-in"), {"username": "mei", "password": GIVEN, "next": table})
    led = client.get(table)
    assert led.url == f"{PASSWORD_PAGE}?next=%2Forigins%2F%3Fq%3D1"
    page = client.get(led.url)
    assert "管理员给的" in page.text
    assert f'name="next" value="{table}"' in page.text
    assert change(client, next=table).url == table
    assert client.get(table).status_code == 200
    mei.refresh_from_db()
    assert not mei.must_change_password


@pytest.mark.parametrize("name", ["desk:home", "accounts:account", "origins:imports", "registry:register"])
def test_no_other_page_opens(mei: User, name: str) -> None:
    client = client_of(mei)
    assert client.get(reverse(name)).url.startswith(PASSWORD_PAGE)
    before = Entry.objects.count()
    assert client.post(reverse(name), {}).url == f"{PASSWORD_PAGE}?"
    assert Entry.objects.count() == before


def test_help_and_signing_out_stay_open(mei: User) -> None:
    client = client_of(mei)
    assert client.get(reverse("desk:help")).status_code == 200
    assert client.post(reverse("accounts:sign-out")).url == reverse("accounts:sign-in")


def test_programs_are_told_so(mei: User) -> None:
    body = {"username": "mei", "password": GIVEN}
    refused = Client().post("/api/v1/token", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_change_required")
    assert not Entry.objects.filter(action="account.signed_in").exists()
    for client in (api_of(mei), client_of(mei)):
        for path in ("/api/v1/me", "/tiles/origins/5/25/14.mvt"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "password_change_required")


def test_the_same_password_is_no_change(mei: User) -> None:
    assert "和原密码不一样" in change(client_of(mei), new=GIVEN).text
    mei.refresh_from_db()
    assert mei.must_change_password
    assert not Entry.objects.filter(action="account.password_changed").exists()


def test_a_reset_asks_for_it_again_but_not_of_the_demos_people(mei: User, hainan: User) -> None:
    change(client_of(mei))
    assert change_password(user=mei, new="nine-green-hills", actor=hainan).must_change_password
    User.objects.filter(pk=mei.pk).update(is_demo=True)
    assert not change_password(user=mei, new="nine-green-hills", actor=hainan).must_change_password


def test_it_is_over_after_a_month(mei: User) -> None:
    month = timezone.now() - timedelta(days=31)
    User.objects.filter(pk=mei.pk).update(created_at=month)
    fields = {"username": "mei", "password": GIVEN}
    client = Client()
    assert "已经失效" in client.post(reverse("accounts:sign-in"), fields).text
    assert "_auth_user_id" not in client.session
    refused = Client().post("/api/v1/token", fields, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (401, "password_over")
    assert "用户名或密码不对" in client.post(reverse("accounts:sign-in"), fields | {"password": "wrong"}).text


def test_a_reset_begins_the_month_anew(mei: User) -> None:
    User.objects.filter(pk=mei.pk).update(created_at=timezone.now() - timedelta(days=31))
    given = reset_password(user=mei, actor=User.objects.get(username="gao"))
    client = Client()
    client.post(reverse("accounts:sign-in"), {"username": "mei", "password": given})
    assert "_auth_user_id" in client.session


def test_an_own_password_never_ends(mei: User) -> None:
    change(client_of(mei))
    User.objects.filter(pk=mei.pk).update(created_at=timezone.now() - timedelta(days=3000))
    client = Client()
    client.post(reverse("accounts:sign-in"), {"username": "mei", "password": OWN})
    assert "_auth_user_id" in client.session


def test_a_reset_leaves_the_phone(mei: User) -> None:
    gao = User.objects.get(username="gao")
    mei.totpdevice_set.create(name="手机", key=TOTP_KEY, confirmed=True)
    User.objects.filter(pk=mei.pk).update(has_totp=True)
    given = reset_password(user=mei, actor=gao)
    client = Client()
    answer = client.post(reverse("accounts:sign-in"), {"username": "mei", "password": given})
    assert answer.url.startswith(reverse("accounts:sign-in-code"))
    assert "_auth_user_id" not in client.session


def remove_totp(username: str, *, by: str) -> str:
    out = StringIO()
    call_command("remove_totp", username, f"--as={by}", stdout=out)
    return out.getvalue()


def test_a_lost_phone_is_taken_off_the_account(mei: User, hainan: User) -> None:
    mei.totpdevice_set.create(name="手机", key=TOTP_KEY, confirmed=True)
    User.objects.filter(pk=mei.pk).update(has_totp=True, must_change_password=False)
    mei.refresh_from_db()
    renew_recovery_codes(actor=mei)
    open_session, token = client_of(mei), api_of(mei)
    assert "已停用" in remove_totp("mei", by="hainan")
    mei.refresh_from_db()
    assert (mei.has_totp, mei.totpdevice_set.exists(), mei.recovery_codes.exists()) == (False, False, False)
    assert open_session.get(reverse("accounts:account")).status_code == 302
    assert token.get("/api/v1/me").status_code == 401
    entry = Entry.objects.get(action="account.totp_removed")
    assert (entry.actor_id, entry.target_id, entry.region_code) == (hainan.pk, str(mei.uid), YAZHOU)


@pytest.mark.parametrize(
    ("username", "by", "reason"),
    [
        ("mei", "zhao", "不是平台管理员"),
        ("sun", "hainan", "不归您管理"),
        ("hainan", "hainan", "另一位管理员"),
        ("mei", "hainan", "没有启用"),
    ],
)
def test_nobody_elses_phone_is(
    mei: User, zhao: User, sun: User, hainan: User, username: str, by: str, reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        remove_totp(username, by=by)
    assert (sun.totpdevice_set.count(), hainan.totpdevice_set.count()) == (1, 1)
    assert not Entry.objects.filter(action="account.totp_removed").exists()
