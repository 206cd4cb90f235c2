import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from nongma.accounts.demo import DEMO_PASSWORD, DEMO_USERS, ensure_demo_users
from nongma.accounts.models import User
from nongma.accounts.services import create_user
from nongma.audit.models import Entry
from nongma.testing import api_of, client_of

PASSWORD = "seven-green-hills"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password."""
    return create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)


def sign_in(client: Client, username: str, password: str, **more: str):
    return client.post(reverse("accounts:sign-in"), {"username": username, "password": password} | more)


def test_it_signs_in_under_a_new_session_key(client: Client, mei: User) -> None:
    session = client.session
    session["before"] = 1
    session.save()
    old = session.session_key
    response = sign_in(client, "mei", PASSWORD)
    assert (response.status_code, response.url) == (302, reverse("desk:home"))
    assert client.session["_auth_user_id"] == str(mei.pk)
    assert client.session.session_key != old
    entry = Entry.objects.get(action="account.signed_in")
    assert (entry.actor_id, entry.address, entry.details) == (
        mei.pk,
        "127.0.0.1",
        {"by": "session", "device": "其他设备"},
    )


@pytest.mark.parametrize(
    ("wanted", "given"), [("/me?x=1", "/me?x=1"), ("//evil.example/", "/"), ("https://evil.example", "/")]
)
def test_it_goes_on_to_a_page_of_this_site_only(client: Client, mei: User, wanted: str, given: str) -> None:
    assert sign_in(client, "mei", PASSWORD, next=wanted).url == given


@pytest.mark.parametrize(("username", "password"), [("mei", "wrong"), ("nobody", PASSWORD), ("mei", PASSWORD.upper())])
def test_it_refuses_a_wrong_password(client: Client, mei: User, username: str, password: str) -> None:
    response = sign_in(client, username, password)
    assert "用户名或密码不对" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert not Entry.objects.filter(action="account.signed_in").exists()


def test_it_says_what_is_missing(client: Client, mei: User) -> None:
    response = sign_in(client, "", "")
    assert response.context["form"].errors.keys() == {"username", "password"}


def test_it_locks_after_ten_failures_and_says_for_how_long(client: Client, mei: User) -> None:
    for _ in range(9):
        assert sign_in(client, "mei", "wrong").status_code == 200
    assert sign_in(client, "mei", "wrong").status_code == 429
    response = sign_in(client, "mei", PASSWORD)
    assert response.status_code == 429
    assert "请 15 分钟后再试" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert Entry.objects.filter(action="account.locked", target_id=str(mei.uid)).exists()
    other = Client(REMOTE_ADDR="10.9.9.9")
    assert sign_in(other, "mei", PASSWORD).status_code == 302


def test_it_refuses_a_closed_account(client: Client, mei: User) -> None:
    User.objects.filter(pk=mei.pk).update(is_active=False)
    assert "用户名或密码不对" in sign_in(client, "mei", PASSWORD).content.decode()
    assert "_auth_user_id" not in client.session


def test_it_sends_who_is_signed_in_on(mei: User) -> None:
    assert client_of(mei).get(reverse("accounts:sign-in") + "?next=/me").url == "/me"


def test_it_signs_out_by_post_only(mei: User) -> None:
    client = client_of(mei)
    assert client.get(reverse("accounts:sign-out")).status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post(reverse("accounts:sign-out")).url == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session


def test_it_wants_the_form_to_be_ours(mei: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client, "mei", PASSWORD).status_code == 403
    assert "_auth_user_id" not in client.session


def test_it_lists_the_demo_people_in_the_demo_only(client: Client, settings: LazySettings, db: None) -> None:
    ensure_demo_users()
    page = reverse("accounts:sign-in")
    settings.DEMO = False
    assert DEMO_PASSWORD not in client.get(page).content.decode()
    settings.DEMO = True
    shown = client.get(page).content.decode()
    assert all(f'value="{one.username}"' in shown and one.what in shown for one in DEMO_USERS)


def test_it_signs_demo_people_in_in_the_demo_only(client: Client, settings: LazySettings, db: None) -> None:
    ensure_demo_users()
    settings.DEMO = False
    assert "用户名或密码不对" in sign_in(client, "county", DEMO_PASSWORD).content.decode()
    assert "_auth_user_id" not in client.session
    settings.DEMO = True
    assert sign_in(client, "county", DEMO_PASSWORD).status_code == 302


def test_demo_people_are_out_as_soon_as_the_demo_is_over(settings: LazySettings, db: None) -> None:
    county = ensure_demo_users()["county"]
    settings.DEMO, settings.TOTP_REQUIRED = True, False
    callers = (client_of(county), api_of(county))
    assert all(caller.get("/api/v1/me").status_code == 200 for caller in callers)
    settings.DEMO = False
    assert all(caller.get("/api/v1/me").status_code == 401 for caller in callers)
    assert callers[0].get(reverse("accounts:account")).status_code == 302
