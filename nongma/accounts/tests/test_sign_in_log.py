"""Everybody sees the own sign-ins, good and bad (登录记录), and is told of failed tries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nongma.accounts.models import User
from nongma.accounts.services import create_user
from nongma.accounts.sign_ins import sign_ins_of
from nongma.audit.services import record
from nongma.testing import client_of

PASSWORD = "seven-green-hills"
PAGE = reverse("accounts:sign-ins")


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password."""
    return create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)


def try_in(password: str = PASSWORD, address: str = "10.0.0.1") -> Client:
    client = Client(REMOTE_ADDR=address)
    client.post(reverse("accounts:sign-in"), {"username": "mei", "password": password})
    return client


def test_it_lists_successes_and_failures_with_their_place(mei: User) -> None:
    try_in(address="10.0.0.7")
    try_in("wrong", "10.6.6.6")
    page = try_in().get(PAGE)
    assert [entry.action for entry in page.context["slice"].entries] == [
        "account.signed_in",
        "account.failed",
        "account.signed_in",
    ]
    assert "10.6.6.6" in page.text
    assert "密码不对" in page.text


def test_it_lists_nobody_elses(mei: User, hainan: User) -> None:
    try_in("wrong")
    assert list(client_of(hainan).get(PAGE).context["slice"].entries) == []


def test_it_goes_back_page_by_page(mei: User) -> None:
    for _ in range(60):
        record("account.failed", actor=None, target=mei)
    client = client_of(mei)
    first = client.get(PAGE).context["slice"]
    assert len(first.entries) == 50
    second = client.get(PAGE, {"before": first.before}).context["slice"]
    assert len(second.entries) == 10
    assert second.before is None
    assert client.get(PAGE, {"before": "x"}).status_code == 404


def test_it_is_read_by_index(mei: User, hainan: User) -> None:
    record("account.failed", actor=None, target=mei)
    for _ in range(100):
        record("account.failed", actor=None, target=hainan)
    with connection.cursor() as cursor, CaptureQueriesContext(connection):
        cursor.execute("ANALYZE audit_entry")
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = sign_ins_of(mei)[:51].explain()
    assert "audit_entry_target" in plan


def test_the_account_page_tells_of_the_last_sign_in_and_failures_since(mei: User) -> None:
    assert "上次登录" not in try_in().get(reverse("accounts:account")).text
    for _ in range(3):
        try_in("wrong", "10.6.6.6")
    page = try_in().get(reverse("accounts:account"))
    assert "上次登录" in page.text
    assert "有 3 次没有成功的登录" in page.text
    assert "没有成功的登录" not in try_in().get(reverse("accounts:account")).text
