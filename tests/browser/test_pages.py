"""Each role walks the pages that its navigation shows, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from nongma.accounts.demo import DEMO_USERS
from tests.browser.checks import Watch, assert_sound
from tests.browser.conftest import DESKTOP, PHONE, Open

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SCREENS = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])


@SCREENS
def test_the_sign_in_page_lists_the_demo_users_and_lets_them_in(screen: dict[str, int], open_browser: Open) -> None:
    page = open_browser(screen)
    page.goto("/")
    assert_sound(page)
    for person in DEMO_USERS:
        expect(page.get_by_role("button", name=re.compile(rf"\b{person.username}\b"))).to_be_visible()
    page.get_by_role("button", name=re.compile(r"\bcounty\b")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("崖州审核员，您好")


@pytest.mark.parametrize("username", ["ministry", "county", "admin", "collector", "grower", "lab", "officer", "brand"])
def test_every_page_of_a_role_is_sound_on_a_desk_and_on_a_phone(username: str, open_browser: Open) -> None:
    page = open_browser(DESKTOP, username)
    for link in navigation_of(page):
        page.set_viewport_size(DESKTOP)
        page.goto(link)
        page.wait_for_load_state("networkidle")
        assert_sound(page)
        page.set_viewport_size(PHONE)
        assert_sound(page)


@SCREENS
def test_error_pages_and_the_manual_are_sound(screen: dict[str, int], open_browser: Open, watch: Watch) -> None:
    watch.expected = {403, 404}
    page = open_browser(screen, "grower")
    for path in ("/no-such-page", "/origins/", "/audit/", "/help/", "/help/grower", "/help/api", "/help/reviewer"):
        page.goto(path)
        assert_sound(page)


def test_the_manual_finds_a_word(open_browser: Open) -> None:
    page = open_browser(DESKTOP)
    page.goto("/help/reviewer")
    page.get_by_label("在本页查找").fill("退回")
    expect(page.locator("#manual-found")).to_contain_text("处")
    page.keyboard.press("Enter")
    expect(page.locator("#manual-found")).to_contain_text("第 1 处")
    expect(page.locator("mark").first).to_be_in_viewport()


def test_the_phones_menu_opens_and_signs_out(open_browser: Open) -> None:
    page = open_browser(PHONE, "county")
    page.get_by_role("button", name="更多").click()
    menu = page.get_by_role("dialog")
    expect(menu.get_by_role("link", name="合格证")).to_be_visible()
    assert_sound(page)
    menu.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def test_the_skip_link_and_the_menu_work_by_keyboard(open_browser: Open) -> None:
    page = open_browser(DESKTOP, "county")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("button", name="崖州审核员").press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="我的账号").first).to_be_focused()


def navigation_of(page: Page) -> list[str]:
    """The addresses of the main navigation, shown or folded away."""
    links = page.locator(".sections a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    return list(dict.fromkeys(str(link) for link in links))
