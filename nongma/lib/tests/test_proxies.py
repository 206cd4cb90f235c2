"""Whose address counts behind a proxy, and whose word about it."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.lib.proxies import client_address, see_through_proxies

PROXY, CLIENT, LIAR = "10.0.0.1", "203.0.113.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def _trusted(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/24"), ip_network("2001:db8::1")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        (CLIENT, "", CLIENT),
        (CLIENT, LIAR, CLIENT),
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{LIAR}, {CLIENT}", CLIENT),
        (PROXY, f"{LIAR}, {CLIENT}, 10.0.0.2", CLIENT),
        (PROXY, f"{CLIENT}:52144", CLIENT),
        (PROXY, "[2001:db8::7]:52144", "2001:db8::7"),
        ("2001:db8::1", "2001:db8::7", "2001:db8::7"),
        (f"::ffff:{PROXY}", f"::ffff:{CLIENT}", CLIENT),
        (PROXY, "", PROXY),
        (PROXY, f"{CLIENT}, nonsense", PROXY),
        (PROXY, f"{CLIENT}, nonsense, 10.0.0.2", "10.0.0.2"),
        (PROXY, "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("", CLIENT, ""),
    ],
)
def test_it_sees_who_speaks_to_the_outermost_proxy(peer: str, forwarded: str, seen: str) -> None:
    assert client_address(peer, forwarded) == seen


@pytest.mark.parametrize(("peer", "secure"), [(PROXY, True), (CLIENT, False)])
def test_it_believes_the_scheme_of_a_trusted_proxy_only(settings: Any, peer: str, secure: bool) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    seen: list[bool] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(request.is_secure())
        return HttpResponse()

    see_through_proxies(answer)(RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https"))
    assert seen == [secure]


def fail(peer: str, forwarded: str) -> int:
    client = Client(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    return client.post(reverse("accounts:sign-in"), {"username": "zhao", "password": "wrong"}).status_code


def test_the_audit_log_names_the_client(zhao: User) -> None:
    fail(PROXY, f"{LIAR}, {CLIENT}")
    fail(LIAR, CLIENT)
    assert list(Entry.objects.order_by("id").values_list("address", flat=True)) == [CLIENT, LIAR]


def test_one_guesser_behind_the_proxy_locks_out_nobody_else(zhao: User, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    assert [fail(PROXY, f"192.0.2.{attempt}, {LIAR}") for attempt in range(3)] == [200, 429, 429]
    assert fail(PROXY, CLIENT) == 200
