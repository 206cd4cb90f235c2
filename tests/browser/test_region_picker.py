"""The region picker on the list of operators: by sound, by going down, by keyboard and by thumb."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.checks import assert_sound
from tests.browser.conftest import DESKTOP, PHONE, Open

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def picker(page: Page) -> tuple[Locator, Locator]:
    """The text box, and the hidden input that carries the code."""
    page.goto("/operators/")
    root = page.locator("[data-region-picker]")
    return root.get_by_role("combobox"), root.locator('input[type="hidden"]')


def test_it_is_filled_by_keyboard_alone(open_browser: Open) -> None:
    page = open_browser(DESKTOP, "province")
    text, code = picker(page)
    text.press_sequentially("yazhou")
    expect(page.get_by_role("option", name="崖州区")).to_have_attribute("aria-selected", "true")
    text.press("Enter")
    expect(text).to_have_value("海南省三亚市崖州区")
    expect(code).to_have_value("460205000000")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_it_goes_down_and_back_with_the_arrows(open_browser: Open) -> None:
    page = open_browser(DESKTOP, "province")
    text, code = picker(page)
    text.fill("三亚市")
    expect(page.get_by_role("option", name="三亚市")).to_be_visible()
    text.press("ArrowRight")
    expect(page.get_by_role("option", name="崖州区")).to_be_visible()
    text.press("ArrowLeft")
    expect(page.get_by_role("option", name="崖州区")).to_be_hidden()
    text.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(code).to_have_value("")


def test_it_is_filled_with_one_thumb(open_browser: Open) -> None:
    page = open_browser(PHONE, "province")
    text, code = picker(page)
    text.tap()
    page.get_by_role("option", name="三亚市").get_by_text("下级").tap()
    assert_sound(page)
    page.get_by_role("option", name="崖州区").locator(".region-picker-name").tap()
    expect(code).to_have_value("460205000000")


def test_a_text_that_is_no_division_is_not_sent(open_browser: Open) -> None:
    page = open_browser(DESKTOP, "ministry")
    text, code = picker(page)
    text.fill("无此地方")
    expect(page.locator("[data-region-picker] .field-help")).to_have_text("没有找到，换个写法试试")
    text.press("Enter")
    assert page.url.endswith("/operators/")
    assert text.evaluate("box => box.validationMessage") == "请从列表里选一个区划"
    expect(code).to_have_value("")
    text.fill("")
    assert text.evaluate("box => box.validationMessage") == ""


def test_a_place_outside_the_own_area_is_said_to_be_outside(open_browser: Open) -> None:
    page = open_browser(DESKTOP, "province")
    text, _ = picker(page)
    text.fill("莲都区")
    expect(page.locator("[data-region-picker] .field-help")).to_have_text("您管辖的范围内没有找到，请检查写法")
