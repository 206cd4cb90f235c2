"""Whoever is suspended, alone or with the whole agency, is out at the very next request, everywhere."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nongma.accounts import services
from nongma.accounts.models import Agency, User
from nongma.audit.models import Entry
from nongma.testing import api_of, client_of

PASSWORD = "seven-green-hills"
TILE = "/tiles/origins/5/25/14.mvt"


def suspend_person(user: User) -> None:
    User.objects.filter(pk=user.pk).update(suspended_at=timezone.now())


def suspend_agency(user: User) -> None:
    Agency.objects.filter(pk=user.agency_id).update(suspended_at=timezone.now())


def close(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize("cut_off", [suspend_person, suspend_agency, close])
def test_open_sessions_and_tokens_end_at_the_next_request(wang: User, cut_off: Callable[[User], None]) -> None:
    browser, program = client_of(wang), api_of(wang)
    assert browser.get(reverse("origins:table")).status_code == 200
    for caller in (browser, program):
        assert [caller.get(path).status_code for path in ("/api/v1/me", TILE)] == [200, 200]
    cut_off(wang)
    for caller in (browser, program):
        assert [caller.get(path).status_code for path in ("/api/v1/me", TILE)] == [401, 401]
    assert browser.get(reverse("origins:table")).url.startswith(reverse("accounts:sign-in"))
    assert browser.post(reverse("origins:imports")).url.startswith(reverse("accounts:sign-in"))


@pytest.mark.parametrize("whole", [False, True])
def test_who_is_restored_signs_in_anew(wang: User, hainan: User, zhao: User, whole: bool) -> None:
    other = api_of(zhao)
    browser, program = client_of(wang), api_of(wang)
    if whole:
        services.suspend_agency(agency=wang.agency, reason="撤并", actor=hainan)
    else:
        services.suspend_user(user=wang, reason="离岗", actor=hainan)
    assert [caller.get("/api/v1/me").status_code for caller in (browser, program)] == [401, 401]
    if whole:
        services.restore_agency(agency=wang.agency, actor=hainan)
    else:
        services.restore_user(user=wang, actor=hainan)
    assert [caller.get("/api/v1/me").status_code for caller in (browser, program)] == [401, 401]
    wang = User.objects.get(pk=wang.pk)
    assert [caller.get("/api/v1/me").status_code for caller in (client_of(wang), api_of(wang))] == [200, 200]
    assert other.get("/api/v1/me").status_code == 200


def sign_in(password: str) -> str:
    client = Client()
    shown = client.post(reverse("accounts:sign-in"), {"username": "wang", "password": password})
    assert "_auth_user_id" not in client.session
    return shown.text


@pytest.mark.parametrize("cut_off", [suspend_person, suspend_agency])
def test_only_the_right_password_learns_of_it(wang: User, hainan: User, cut_off: Callable[[User], None]) -> None:
    wang.set_password(PASSWORD)
    wang.save()
    cut_off(wang)
    assert f"账号已停用，请联系{hainan.agency}的平台管理员" in sign_in(PASSWORD)
    assert "用户名或密码不对" in sign_in("wrong")
    body = {"username": "wang", "password": PASSWORD}
    refused = Client().post("/api/v1/token", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (401, "suspended")
    assert Entry.objects.filter(action="account.refused", target_id=str(wang.uid)).count() == 2
    assert not Entry.objects.filter(action="account.signed_in").exists()


def test_a_second_factor_in_between_does_not_help(zhao: User) -> None:
    zhao.set_password(PASSWORD)
    zhao.save()
    client = Client()
    page = client.post(reverse("accounts:sign-in"), {"username": "zhao", "password": PASSWORD}).url
    suspend_person(zhao)
    assert client.get(page).url == reverse("accounts:sign-in")
    assert "_auth_user_id" not in client.session
