"""Asking the real server for pages as one signed-in browser does."""

import http.client
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.figures import figure, percentile

ROUNDS = 20
BUDGET_MS = 150.0
"""Of any page, at p95."""


def ask_pages(
    things: str, watchers: Mapping[str, Any], pages: Mapping[str, str], of_own: Callable[[Any], Mapping[str, str]]
) -> list[dict[str, Any]]:
    """p50 and p95 of pages of the real server: those that everybody asks for and each watcher's own, by watcher."""
    from bench.scan import serving

    figures = []
    with serving("config.asgi:application") as port:
        for who, watcher in watchers.items():
            cookie = signed_in(watcher)
            for name, path in {**pages, **of_own(watcher)}.items():
                taken = ask(port, path, cookie)
                for part in (50, 95):
                    named = f"{things}, {who}: {name}, p{part}"
                    figures.append(figure(named, percentile(taken, part), "ms", "the budget", BUDGET_MS))
    return figures


def signed_in(user: Any) -> str:
    """The cookie of a browser in which the person has just signed in."""
    from django.conf import settings
    from django.test import Client

    from nongma.accounts.backends import PASSWORD
    from nongma.accounts.sessions import PROVED, PROVED_FULLY

    client = Client()
    client.force_login(user, backend=PASSWORD)
    session = client.session
    session.update(dict.fromkeys((PROVED, PROVED_FULLY), int(time.time())))
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def ask(port: int, path: str, cookie: str) -> list[float]:
    """Milliseconds of each request over one connection, the first left out."""
    from urllib.parse import quote

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        connection.request("GET", quote(path, safe="/?=&-"), headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        taken.append((time.perf_counter() - started) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    connection.close()
    return taken[1:]
