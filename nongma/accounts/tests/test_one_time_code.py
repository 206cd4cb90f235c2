from time import time

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from nongma.accounts.models import User
from nongma.accounts.services import create_user
from nongma.accounts.signing_in import device_of
from nongma.audit.models import Entry
from nongma.testing import client_of

PASSWORD = "seven-green-hills"


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time() + steps * device.step
    return f"{totp.token():06}"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password."""
    return create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)


@pytest.fixture
def device(mei: User) -> TOTPDevice:
    """Mei's phone."""
    return TOTPDevice.objects.create(user=mei, name="手机", confirmed=True)


def first_step(client: Client):
    return client.post(reverse("accounts:sign-in"), {"username": "mei", "password": PASSWORD, "next": "/me"})


def test_it_enrols_a_phone(mei: User) -> None:
    client = client_of(mei)
    assert client.post(reverse("accounts:start-code")).url == reverse("accounts:code")
    page = client.get(reverse("accounts:code"))
    assert 'src="data:image/svg+xml' in page.content.decode()
    assert device_of(mei) is None
    device = TOTPDevice.objects.get(user=mei)
    assert "动态口令不对" in client.post(reverse("accounts:code"), {"code": "000000"}).content.decode()
    assert device_of(mei) is None
    device.throttle_reset()
    assert client.post(reverse("accounts:code"), {"code": code_of(device)}).url == reverse("accounts:account")
    assert device_of(mei) == device
    assert Entry.objects.filter(action="account.totp_enrolled").exists()


def test_it_enrols_nothing_that_was_not_started(mei: User) -> None:
    assert client_of(mei).get(reverse("accounts:code")).url == reverse("accounts:account")
    assert not TOTPDevice.objects.exists()


def test_it_asks_for_the_code_after_the_password(client: Client, mei: User, device: TOTPDevice) -> None:
    response = first_step(client)
    assert response.url == reverse("accounts:sign-in-code") + "?next=%2Fme"
    assert "_auth_user_id" not in client.session
    wrong = client.post(response.url, {"code": "000000", "next": "/me"})
    assert "动态口令不对" in wrong.content.decode()
    assert "_auth_user_id" not in client.session
    device.refresh_from_db()
    device.throttle_reset()
    assert client.post(response.url, {"code": code_of(device), "next": "/me"}).url == "/me"
    assert client.session["_auth_user_id"] == str(mei.pk)


def test_it_takes_a_code_once(mei: User, device: TOTPDevice) -> None:
    code = code_of(device)
    for expected in (True, False):
        client = Client()
        client.post(first_step(client).url, {"code": code})
        assert ("_auth_user_id" in client.session) is expected


def test_it_wants_the_password_first(client: Client, device: TOTPDevice) -> None:
    response = client.post(reverse("accounts:sign-in-code"), {"code": code_of(device)})
    assert response.url == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session


def test_it_waits_five_minutes_for_the_code(client: Client, device: TOTPDevice) -> None:
    first_step(client)
    session = client.session
    session["waits_for_code"] = [device.user_id, int(time()) - 301]
    session.save()
    response = client.post(reverse("accounts:sign-in-code"), {"code": code_of(device)})
    assert response.url == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session


def test_it_is_wanted_for_a_token_too(client: Client, device: TOTPDevice) -> None:
    def ask(**more: str):
        body = {"username": "mei", "password": PASSWORD} | more
        return client.post("/api/v1/token", body, content_type="application/json")

    assert (ask().status_code, ask().json()["code"]) == (401, "totp_required")
    assert ask(code="000000").json()["code"] == "totp_wrong"
    device.refresh_from_db()
    device.throttle_reset()
    assert ask(code=code_of(device)).status_code == 200


def test_it_stops_with_the_password_only(mei: User, device: TOTPDevice) -> None:
    client = client_of(mei)
    assert "密码不对" in client.post(reverse("accounts:code"), {"password": "wrong"}).content.decode()
    assert device_of(mei) == device
    client.post(reverse("accounts:code"), {"password": PASSWORD})
    assert device_of(mei) is None
    assert Entry.objects.filter(action="account.totp_removed").exists()
