"""Guesses from many addresses are slowed down, and the person still gets in from where they always do."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import User
from nongma.accounts.services import create_user
from nongma.audit.models import Entry

PASSWORD = "seven-green-hills"
HOME, STRANGE = "10.0.0.1", "10.8.8.8"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who signed in from home before."""
    mei = create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)
    assert try_from(HOME, PASSWORD).status_code == 302
    return mei


def try_from(address: str, password: str):
    client = Client(REMOTE_ADDR=address)
    return client.post(reverse("accounts:sign-in"), {"username": "mei", "password": password})


def guess(times: int) -> None:
    for number in range(times):
        try_from(f"10.7.{number // 200}.{number % 200 + 1}", "wrong")


def test_thirty_within_an_hour_stop_unknown_places(mei: User, settings: LazySettings) -> None:
    settings.GUESSES_AN_HOUR = 5
    guess(5)
    refused = try_from(STRANGE, PASSWORD)
    assert refused.status_code == 429
    assert "暂停从新的地方登录" in refused.text
    assert not Entry.objects.filter(action="account.signed_in", address=STRANGE).exists()
    body = {"username": "mei", "password": PASSWORD}
    token = Client(REMOTE_ADDR=STRANGE).post("/api/v1/token", body, content_type="application/json")
    assert (token.status_code, token.json()["code"], token["Retry-After"]) == (429, "guessed_at", "3600")


def test_places_known_from_before_go_on(mei: User, settings: LazySettings) -> None:
    settings.GUESSES_AN_HOUR = 5
    guess(5)
    assert try_from(HOME, PASSWORD).status_code == 302


def test_what_is_stopped_does_not_count_so_that_it_ends(mei: User, settings: LazySettings) -> None:
    settings.GUESSES_AN_HOUR = 5
    guess(9)
    assert Entry.objects.filter(action="account.failed").count() == 5
    later = timezone.now() + timedelta(minutes=61)
    with patch("nongma.accounts.signing_in.timezone.now", return_value=later):
        assert try_from(STRANGE, PASSWORD).status_code == 302


def test_others_are_not_concerned(mei: User, settings: LazySettings) -> None:
    settings.GUESSES_AN_HOUR = 5
    create_user(username="lan", name="兰", password=PASSWORD, actor=None)
    guess(5)
    client = Client(REMOTE_ADDR=STRANGE)
    client.post(reverse("accounts:sign-in"), {"username": "lan", "password": PASSWORD})
    assert "_auth_user_id" in client.session


def test_the_limit_is_thirty(settings: LazySettings) -> None:
    assert settings.GUESSES_AN_HOUR == 30
