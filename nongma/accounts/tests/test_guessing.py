"""Guesses from many addresses are slowed down, and the person still gets in from where they always do."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from axes.models import AccessFailureLog
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import User
from nongma.accounts.services import create_user
from nongma.accounts.tasks import forget_failures
from nongma.audit.models import Entry

PASSWORD = "seven-green-hills"
HOME, STRANGE = "10.0.0.1", "10.8.8.8"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who signed in from home before."""
    mei = create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)
    assert try_from(HOME, PASSWORD).status_code == 302
    return mei


def try_from(address: str, password: str, username: str = "mei"):
    client = Client(REMOTE_ADDR=address)
    return client.post(reverse("accounts:sign-in"), {"username": username, "password": password})


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


def test_names_of_nobody_are_answered_alike_and_as_fast(mei: User, settings: LazySettings) -> None:
    settings.GUESSES_AN_HOUR = 5
    for name in ("mei", "nobody"):
        for number in range(5):
            assert try_from(f"10.7.0.{number + 1}", "wrong", name).status_code == 200
    assert try_from("10.7.0.9", "wrong", "other").status_code == 200
    before = AccessFailureLog.objects.count()
    with patch("nongma.accounts.signing_in.auth.authenticate") as hashed:
        answers = [try_from(STRANGE, PASSWORD, name) for name in ("mei", "nobody")]
    assert not hashed.called
    assert [answer.status_code for answer in answers] == [429, 429]
    errors = [answer.context["form"].non_field_errors() for answer in answers]
    assert errors[0] == errors[1]
    assert AccessFailureLog.objects.count() == before
    assert not AccessFailureLog.objects.filter(username__in=["mei", "nobody"]).exists()


def test_one_address_that_tries_name_after_name_is_stopped(mei: User, settings: LazySettings) -> None:
    settings.GUESSES_PER_ADDRESS = 5
    for number in range(5):
        assert try_from(STRANGE, "autumn-2026", f"name{number}").status_code == 200
    refused = [try_from(STRANGE, PASSWORD, name) for name in ("mei", "nobody")]
    assert [answer.status_code for answer in refused] == [429, 429]
    assert all("从这个网络一小时内输错密码的次数太多" in answer.text for answer in refused)
    assert not Entry.objects.filter(action="account.signed_in", address=STRANGE).exists()
    body = {"username": "mei", "password": PASSWORD}
    token = Client(REMOTE_ADDR=STRANGE).post("/api/v1/token", body, content_type="application/json")
    assert (token.status_code, token.json()["code"], token["Retry-After"]) == (429, "guessed_from", "3600")
    assert try_from("10.8.8.9", PASSWORD).status_code == 302


def test_who_signs_in_there_every_day_goes_on(mei: User, settings: LazySettings) -> None:
    settings.GUESSES_PER_ADDRESS = 5
    create_user(username="lan", name="兰", password=PASSWORD, actor=None)
    for number in range(5):
        try_from(HOME, "autumn-2026", f"name{number}")
    assert try_from(HOME, PASSWORD, "lan").status_code == 429
    assert try_from(HOME, PASSWORD).status_code == 302
    later = timezone.now() + timedelta(minutes=61)
    with patch("nongma.accounts.signing_in.timezone.now", return_value=later):
        assert try_from(HOME, PASSWORD, "lan").status_code == 302


def test_failures_are_forgotten_when_they_count_no_more(mei: User) -> None:
    guess(2)
    AccessFailureLog.objects.filter(ip_address="10.7.0.1").update(attempt_time=timezone.now() - timedelta(minutes=61))
    forget_failures(0)
    assert [row.ip_address for row in AccessFailureLog.objects.all()] == ["10.7.0.2"]


def test_both_counts_are_read_by_an_index(mei: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for named in ({"username": "x"}, {"ip_address": STRANGE}):
        plan = AccessFailureLog.objects.filter(attempt_time__gt=timezone.now(), **named).order_by()[:30].explain()
        assert "Index" in plan
        assert "Seq Scan" not in plan


def test_the_limits_are_thirty_and_three_hundred(settings: LazySettings) -> None:
    assert (settings.GUESSES_AN_HOUR, settings.GUESSES_PER_ADDRESS) == (30, 300)
