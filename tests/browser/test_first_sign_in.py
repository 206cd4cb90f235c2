"""A newcomer's first day: the given password, an own one, a phone, the paper with recovery codes, and then the work."""

import base64
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, Page, expect

from tests.browser.checks import Watch, assert_sound
from tests.browser.conftest import DESKTOP, PHONE, ROOT, Site, _database, _free_port, _wait

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SCREENS = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])
GIVEN, OWN = "seven-green-hills", "eight-green-hills"


@pytest.fixture(scope="module")
def strict_site(site: Site, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the platform as it is outside the demo: who administers or reviews needs a second factor."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = site.environment | {
        "NONGMA_PORT": str(port),
        "NONGMA_PUBLIC_URL": url,
        "NONGMA_TOTP_REQUIRED": "1",
    }
    log: Path = tmp_path_factory.mktemp("strict") / "log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "nongma.run.web"]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
        try:
            _wait(f"{url}/healthz", str(log))
            with _database(site.database), django_db_blocker.unblock():
                yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


@pytest.fixture
def page(strict_site: str, browser: Browser, screen: dict[str, int]) -> Iterator[Page]:
    watch = Watch(strict_site.removeprefix("http://"))
    context = browser.new_context(
        base_url=strict_site,
        viewport=screen,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        has_touch=screen["width"] < 768,
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    watch.over(page)
    yield page
    context.close()
    assert not watch.complaints, "\n".join(watch.complaints)


def newcomer(username: str) -> None:
    """A reviewer of 崖州区 who has just been given a password."""
    from nongma.accounts.models import Authenticator, Role
    from nongma.testing import YAZHOU, make_official

    user = make_official(username, "钱新来", Role.REVIEWER, YAZHOU)
    Authenticator.objects.filter(user=user).delete()
    user.set_password(GIVEN)
    user.has_totp, user.must_change_password = False, True
    user.save()


def sign_in(page: Page, username: str, password: str, *, to: str = "/") -> None:
    page.goto(to)
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录", exact=True).click()


def code_for(secret: str) -> str:
    return f"{totp(base64.b32decode(secret.replace(' ', ''))):06}"


def enrol(page: Page) -> list[str]:
    """From the page that wants a phone to the one with the recovery codes, which are the answer."""
    expect(page.get_by_role("heading", level=1)).to_have_text("启用动态口令")
    expect(page.get_by_role("note")).to_contain_text("平台管理员和审核员")
    assert_sound(page)
    page.get_by_role("button", name="下一步").click()
    secret = page.locator("#secret").inner_text()
    assert_sound(page)
    page.get_by_label("六位动态口令").fill(code_for(secret))
    page.get_by_role("button", name="确认启用").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("恢复码，只显示这一次")
    assert_sound(page)
    return page.locator("#codes li").all_inner_texts()


@SCREENS
def test_a_newcomer_gets_from_the_given_password_to_the_work(page: Page, screen: dict[str, int]) -> None:
    username = f"newcomer{screen['width']}"
    newcomer(username)
    sign_in(page, username, GIVEN, to="/origins/?q=1")

    expect(page.get_by_role("heading", level=1)).to_have_text("修改密码")
    page.get_by_label("原密码").fill(GIVEN)
    page.get_by_label("新密码", exact=True).fill(OWN)
    new = page.get_by_label("新密码", exact=True)
    page.locator(".input-group", has=new).get_by_role("button", name="显示").click()
    expect(new).to_have_attribute("type", "text")
    assert_sound(page)
    page.get_by_label("再输一遍新密码").fill(OWN)
    page.get_by_role("button", name="修改密码").click()

    codes = enrol(page)
    assert len(set(codes)) == 10
    page.get_by_role("link", name="我收好了，继续").click()
    page.wait_for_url("**/origins/?q=1")

    page.context.clear_cookies()
    sign_in(page, username, OWN)
    expect(page.get_by_role("heading", level=1)).to_have_text("输入动态口令")
    assert_sound(page)
    page.get_by_role("link", name="手机不在身边").click()
    page.get_by_label("恢复码").fill(codes[0].upper())
    assert_sound(page)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("钱新来，您好")
    expect(page.locator("main")).to_contain_text("还剩 9 个")
    assert_sound(page)

    for path in ("/me", "/me/code", "/me/recovery", "/me/sessions", "/me/signins"):
        page.goto(path)
        assert_sound(page)


@SCREENS
def test_a_file_asked_for_later_wants_the_password_again(page: Page, screen: dict[str, int]) -> None:
    from nongma.accounts.sessions import PROVED, PROVED_FULLY, SessionStore

    username = f"exporter{screen['width']}"
    newcomer(username)
    sign_in(page, username, GIVEN)
    page.get_by_label("原密码").fill(GIVEN)
    page.get_by_label("新密码", exact=True).fill(OWN)
    page.get_by_label("再输一遍新密码").fill(OWN)
    page.get_by_role("button", name="修改密码").click()
    enrol(page)

    key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid")
    store = SessionStore(key)
    store.update({PROVED: 0, PROVED_FULLY: 0})
    store.save()

    page.goto("/me/recovery")
    expect(page.get_by_label("六位动态口令")).to_be_visible()
    assert_sound(page)

    page.goto("/operators/")
    page.get_by_text("导出表格").click()
    assert_sound(page)
    page.get_by_label("导出用途").fill("季度抽查")
    page.get_by_role("button", name="导出", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("再输一次密码")
    assert_sound(page)
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_text("密码不对", exact=False).first).to_be_visible()
    page.get_by_label("密码").fill(OWN)
    with page.expect_download() as download:
        page.get_by_role("button", name="确认").click()
    assert download.value.suggested_filename.endswith((".xlsx", ".csv"))
    expect(page.get_by_text("文件正在下载")).to_be_visible()
    assert_sound(page)
    page.get_by_role("link", name="返回").click()
    page.wait_for_url("**/operators/")
