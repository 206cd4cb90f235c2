from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from nongma.accounts.models import Authenticator, User
from nongma.accounts.second_factor import start_enrolling
from nongma.accounts.services import change_password, create_user
from nongma.accounts.sign_ins import end_everywhere
from nongma.audit.models import Entry
from nongma.testing import TOTP_KEY, api_of, client_of, one_time_code

PASSWORD = "seven-green-hills"
CODE_PAGE = reverse("accounts:code")


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password."""
    return create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)


@pytest.fixture
def phone(mei: User) -> Authenticator:
    """Mei's phone."""
    mei.has_totp = True
    mei.save()
    return Authenticator.objects.create(user=mei, name="手机", key=TOTP_KEY, confirmed=True)


def first_step(client: Client):
    return client.post(reverse("accounts:sign-in"), {"username": "mei", "password": PASSWORD, "next": "/me"})


def test_it_enrols_a_phone_and_ends_every_other_session(mei: User) -> None:
    here, elsewhere, program = client_of(mei), client_of(mei), api_of(mei)
    assert here.post(reverse("accounts:start-code")).url == f"{CODE_PAGE}?next=%2Fme"
    assert 'src="data:image/svg+xml' in here.get(CODE_PAGE).text
    phone = Authenticator.objects.get(user=mei)
    mei.refresh_from_db()
    assert (mei.has_totp, phone.confirmed) == (False, False)
    assert "动态口令不对" in here.post(CODE_PAGE, {"code": "000000"}).text
    mei.refresh_from_db()
    assert not mei.has_totp
    phone.refresh_from_db()
    phone.throttle_reset()
    shown = here.post(CODE_PAGE, {"code": one_time_code(phone), "next": "/origins/"})
    assert len(shown.context["codes"]) == 10
    assert 'href="/origins/"' in shown.text
    mei.refresh_from_db()
    assert mei.has_totp
    assert here.get(reverse("accounts:account")).status_code == 200
    assert elsewhere.get(reverse("accounts:account")).status_code == 302
    assert program.get("/api/v1/me").status_code == 401
    assert Entry.objects.filter(action="account.totp_enrolled").exists()


def test_its_secret_lies_encrypted(mei: User) -> None:
    phone = start_enrolling(actor=mei)
    stored = TOTPDevice.objects.values_list("key", flat=True).get(pk=phone.pk)
    assert len(phone.bin_key) == 20
    assert phone.bin_key.hex() not in stored
    assert stored != start_enrolling(actor=mei).key


def test_secrets_from_before_are_encrypted(mei: User) -> None:
    plain = TOTPDevice.objects.create(user=mei, name="手机", confirmed=True)
    migration = import_module("nongma.accounts.migrations.0009_authenticators")
    for _ in range(2):
        migration.encrypt_secrets(apps, None)
        phone = Authenticator.objects.get(pk=plain.pk)
        assert phone.bin_key.hex() == plain.key
        assert plain.key not in phone.key


def test_it_enrols_nothing_that_was_not_started(mei: User) -> None:
    client = client_of(mei)
    assert "下一步" in client.get(CODE_PAGE).text
    client.post(CODE_PAGE, {"code": "123456"})
    assert not Authenticator.objects.exists()


def test_it_changes_to_another_phone(mei: User, phone: Authenticator) -> None:
    client = client_of(mei)
    assert "换一部手机" in client.get(CODE_PAGE).text
    client.post(reverse("accounts:start-code"))
    new = Authenticator.objects.get(user=mei, confirmed=False)
    assert Authenticator.objects.get(user=mei, confirmed=True) == phone
    client.post(CODE_PAGE, {"code": one_time_code(new)})
    assert Authenticator.objects.get(user=mei) == new


def test_it_asks_for_the_code_after_the_password(client: Client, mei: User, phone: Authenticator) -> None:
    response = first_step(client)
    assert response.url == reverse("accounts:sign-in-code") + "?next=%2Fme"
    assert "_auth_user_id" not in client.session
    wrong = client.post(response.url, {"code": "000000", "next": "/me"})
    assert "口令不对" in wrong.text
    assert "_auth_user_id" not in client.session
    assert Entry.objects.filter(action="account.code_failed", target_id=str(mei.uid)).exists()
    phone.refresh_from_db()
    phone.throttle_reset()
    assert client.post(response.url, {"code": one_time_code(phone), "next": "/me"}).url == "/me"
    assert client.session["_auth_user_id"] == str(mei.pk)


def test_it_slows_who_guesses_the_code_down(client: Client, phone: Authenticator) -> None:
    page = first_step(client).url
    client.post(page, {"code": "000000"})
    client.post(page, {"code": one_time_code(phone)})
    assert "_auth_user_id" not in client.session


def test_it_takes_a_code_once(mei: User, phone: Authenticator) -> None:
    code = one_time_code(phone)
    for expected in (True, False):
        client = Client()
        client.post(first_step(client).url, {"code": code})
        assert ("_auth_user_id" in client.session) is expected


def test_it_wants_the_password_first(client: Client, phone: Authenticator) -> None:
    response = client.post(reverse("accounts:sign-in-code"), {"code": one_time_code(phone)})
    assert response.url == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session


def test_it_waits_five_minutes_for_the_code(client: Client, phone: Authenticator) -> None:
    first_step(client)
    session = client.session
    session["waits_for_code"][1] -= 301
    session.save()
    response = client.post(reverse("accounts:sign-in-code"), {"code": one_time_code(phone)})
    assert response.url == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session


def test_it_is_wanted_for_a_token_too(client: Client, phone: Authenticator) -> None:
    def ask(**more: str):
        body = {"username": "mei", "password": PASSWORD} | more
        return client.post("/api/v1/token", body, content_type="application/json")

    assert (ask().status_code, ask().json()["code"]) == (401, "totp_required")
    assert ask(code="000000").json()["code"] == "totp_wrong"
    phone.refresh_from_db()
    phone.throttle_reset()
    assert ask(code=one_time_code(phone)).status_code == 200


def test_it_stops_at_the_persons_own_wish(mei: User, phone: Authenticator) -> None:
    client, elsewhere = client_of(mei), client_of(mei)
    assert client.get(reverse("accounts:stop-code")).status_code == 200
    assert client.post(reverse("accounts:stop-code")).url == reverse("accounts:account")
    mei.refresh_from_db()
    assert (mei.has_totp, Authenticator.objects.exists()) == (False, False)
    assert client.get(reverse("accounts:account")).status_code == 200
    assert elsewhere.get(reverse("accounts:account")).status_code == 302
    assert Entry.objects.filter(action="account.totp_removed").exists()


@pytest.mark.parametrize("meanwhile", ["password", "epoch"])
def test_a_password_changed_in_between_ends_the_step(mei: User, phone: Authenticator, meanwhile: str) -> None:
    client = Client()
    page = first_step(client).url
    assert client.get(page).status_code == 200
    if meanwhile == "password":
        change_password(user=mei, old=PASSWORD, new="eight-green-hills", actor=mei)
    else:
        end_everywhere(user=mei, actor=mei)
    answer = client.post(page, {"code": one_time_code(phone), "next": "/me"})
    assert answer.url == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session
    assert not Entry.objects.filter(action="account.signed_in").exists()
