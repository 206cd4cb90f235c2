"""A real site for the browser: granian and a worker of their own, on a database copied from the tests' template."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from nongma.accounts.demo import DEMO_PASSWORD
from tests.browser.checks import Watch

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


def chromium() -> str | None:
    """Debian's Chromium or another one on the path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for found in map(shutil.which, names) if found), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        reason = "没有 Chromium，浏览器测试没有运行：apt install chromium fonts-noto-cjk"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        print(f"\n{'#' * 80}\n#  {reason}\n{'#' * 80}", file=sys.__stderr__)
        pytest.skip(reason)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


PRODUCE = (
    "certificates_certificate, tracing_traceevent, tracing_transfer, tracing_lotentry, tracing_lotlink, tracing_lot,"
    " origins_importrow, origins_importjob, origins_origin, origins_origincell, origins_dirtycell"
)


@dataclass(frozen=True)
class Site:
    """A running platform with the demo's people and no produce yet."""

    url: str
    environment: dict[str, str]
    database: str
    log: Path

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def empty(self) -> None:
        """Take away what an earlier test brought in."""
        from nongma.run.database import connection_options

        with psycopg.connect(**{**connection_options(), "dbname": self.database}) as connection:
            connection.execute(f"TRUNCATE {PRODUCE} CASCADE")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _database_url(name: str) -> str:
    from django.conf import settings

    given = settings.DATABASES["default"]
    user = quote(given["USER"] or "", safe="")
    password = f":{quote(given['PASSWORD'], safe='')}" if given.get("PASSWORD") else ""
    port = f":{given['PORT']}" if given.get("PORT") and not given["HOST"].startswith("/") else ""
    host = quote(given["HOST"], safe="")
    return f"postgresql://{user}{password}@{port}/{name}?host={host}"


@pytest.fixture(scope="session")
def site(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Web and worker as `nongma run` starts them, until the last browser test is done."""
    from django.conf import settings
    from django.db import connection

    from conftest import _admin, _template_name

    port = _free_port()
    name = f"site_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "DATABASE_URL": _database_url(name),
        "NONGMA_DATA": str(settings.DATA),
        "NONGMA_HOST": "127.0.0.1",
        "NONGMA_PORT": str(port),
        "NONGMA_PUBLIC_URL": url,
        "NONGMA_DEMO": "1",
        "NONGMA_WORKERS": "1",
    }
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    processes = []
    with _admin() as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_template_name()}" STRATEGY FILE_COPY')
        try:
            with _database(name), django_db_blocker.unblock():
                _people()
                connection.close()
            log = (tmp_path_factory.mktemp("site") / "log").open("w+")
            for module in ("nongma.run.web", "nongma.run.worker"):
                command = [sys.executable, "-m", module]
                processes.append(subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log))
            _wait(f"{url}/readyz", log.name)
            yield Site(url, environment, name, Path(log.name))
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGTERM)
            for process in processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                process.kill()
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _people() -> None:
    """The demo's people; the grower has a field of cowpeas."""
    from nongma.accounts.demo import ensure_demo_users
    from nongma.testing import YAZHOU_VILLAGE, make_base, make_operator

    people = ensure_demo_users()
    make_base(make_operator(people["grower"], name="李大山"), name="李大山豇豆地", region=YAZHOU_VILLAGE)


@contextlib.contextmanager
def _database(name: str) -> Iterator[None]:
    """Point this process's connection at another database for a while."""
    from django.db import connection

    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _wait(url: str, log: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return
        if time.monotonic() > deadline:
            pytest.fail(f"{url} 没有就绪：\n{Path(log).read_text()[-3000:]}")
        time.sleep(0.2)


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """No page of the test may complain or ask another host for anything."""
    watch = Watch(site.host)
    yield watch
    assert not watch.complaints, "\n".join(watch.complaints)


Open = Callable[..., Page]


_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture
def open_browser(site: Site, browser: Browser, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Open]:
    """A fresh browser, `open_browser(PHONE, "grower")`: signed in when a demo user is named.

    A test that fails leaves a picture of each of its pages in the test data folder.
    """
    contexts: list[BrowserContext] = []

    def open_it(viewport: dict[str, int], username: str = "") -> Page:
        phone = viewport["width"] < 768
        context = browser.new_context(
            base_url=site.url, viewport=viewport, locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=phone
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        watch.over(page)
        if username:
            page.goto("/")
            page.get_by_label("用户名").fill(username)
            page.get_by_label("密码").fill(DEMO_PASSWORD)
            page.get_by_role("button", name="登录").click()
            page.wait_for_url("**/")
        return page

    yield open_it
    for number, context in enumerate(contexts):
        if request.node.stash.get(_failed, False):
            folder = Path(os.environ["NONGMA_DATA"]) / "browser"
            picture = folder / f"{re.sub(r'[^a-z0-9]+', '-', request.node.name)}{number}.png"
            context.pages[0].screenshot(path=picture, full_page=True)
            print(f"{context.pages[0].url}: {picture}")
        context.close()
    if request.node.stash.get(_failed, False):
        print(site.log.read_text(encoding="utf-8", errors="replace")[-3000:])
