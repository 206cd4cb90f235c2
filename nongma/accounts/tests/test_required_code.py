"""Administrators and reviewers sign in with a second factor: who has none may enrol it, and nothing else."""

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nongma.accounts.models import Authenticator, Role, User
from nongma.audit.models import Entry
from nongma.testing import YAZHOU, api_of, client_of, make_official, one_time_code

PASSWORD = "seven-green-hills"
CODE_PAGE = reverse("accounts:code")


@pytest.fixture
def bare(zhao: User) -> User:
    """Zhao, who reviews and has no phone enrolled."""
    Authenticator.objects.filter(user=zhao).delete()
    zhao.has_totp = False
    zhao.set_password(PASSWORD)
    zhao.save()
    return zhao


@pytest.mark.parametrize("name", ["desk:home", "accounts:account", "accounts:sessions", "origins:table"])
def test_no_other_page_opens(bare: User, name: str) -> None:
    client = client_of(bare)
    assert client.get(reverse(name)).url.startswith(f"{CODE_PAGE}?next=")
    before = Entry.objects.count()
    assert client.post(reverse(name), {}).url == f"{CODE_PAGE}?"
    assert Entry.objects.count() == before


def test_it_leads_to_enrolment_and_back(bare: User) -> None:
    client = Client()
    table = f"{reverse('origins:table')}?q=1"
    client.post(reverse("accounts:sign-in"), {"username": "zhao", "password": PASSWORD, "next": table})
    led = client.get(table)
    assert led.url == f"{CODE_PAGE}?next=%2Forigins%2F%3Fq%3D1"
    assert "平台管理员和审核员" in client.get(led.url).text
    started = client.post(reverse("accounts:start-code"), {"next": table})
    page = client.get(started.url)
    assert page.context["next"] == table
    shown = client.post(CODE_PAGE, {"code": one_time_code(Authenticator.objects.get(user=bare)), "next": table})
    assert f'href="{table}"' in shown.text
    assert client.get(table).status_code == 200


def test_password_sign_out_and_help_stay_open(bare: User) -> None:
    client = client_of(bare)
    assert client.get(reverse("accounts:password")).status_code == 200
    assert client.get(reverse("desk:help")).status_code == 200
    assert client.post(reverse("accounts:sign-out")).status_code == 302


def test_the_password_comes_first(bare: User) -> None:
    User.objects.filter(pk=bare.pk).update(must_change_password=True)
    assert client_of(bare).get(CODE_PAGE).url.startswith(reverse("accounts:password"))


def test_programs_are_told_so(bare: User) -> None:
    body = {"username": "zhao", "password": PASSWORD}
    refused = Client().post("/api/v1/token", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "totp_enrolment_required")
    for caller in (api_of(bare), client_of(bare)):
        for path in ("/api/v1/me", "/api/v1/origins", "/tiles/origins/5/25/14.mvt"):
            answer = caller.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "totp_enrolment_required")


def test_nobody_who_needs_it_switches_it_off(zhao: User) -> None:
    client = client_of(zhao)
    assert client.get(reverse("accounts:stop-code")).url == CODE_PAGE
    assert client.post(reverse("accounts:stop-code")).url == CODE_PAGE
    zhao.refresh_from_db()
    assert zhao.has_totp
    assert Authenticator.objects.filter(user=zhao, confirmed=True).exists()
    assert not Entry.objects.filter(action="account.totp_removed").exists()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OPERATOR])
def test_it_is_wanted_of_two_roles(db: None, role: Role) -> None:
    person = make_official("person", "某人", role, YAZHOU)
    User.objects.filter(pk=person.pk).update(has_totp=False)
    needs = role in {Role.ADMINISTRATOR, Role.REVIEWER}
    assert client_of(person).get(reverse("accounts:account")).status_code == (302 if needs else 200)


def test_it_is_offered_and_not_required_where_settings_say_so(bare: User, settings: LazySettings) -> None:
    settings.TOTP_REQUIRED = False
    assert client_of(bare).get(reverse("origins:table")).status_code == 200


def test_it_costs_no_query(zhao: User, settings: LazySettings) -> None:
    client = client_of(zhao)
    counts = []
    for required in (False, True):
        settings.TOTP_REQUIRED = required
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/v1/origins").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_first_administrator_enrols_too(db: None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NONGMA_ADMINISTRATOR_PASSWORD", PASSWORD)
        call_command("create_administrator", "first", name="第一位", region=0)
    first = User.objects.get(username="first")
    assert client_of(first).get(reverse("desk:home")).url.startswith(CODE_PAGE)
