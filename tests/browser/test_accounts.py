"""An account is handed out, used for the first time, and its post handed over, on a desk and on a phone."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.checks import Watch, assert_sound
from tests.browser.conftest import DESKTOP, PHONE, Open

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SCREENS = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])
OWN_PASSWORD = "eleven-quiet-terraces"


def look(page: Page, name: str) -> None:
    """The page is sound; a picture stays when NONGMA_PICTURES names a folder."""
    assert_sound(page)
    if folder := os.environ.get("NONGMA_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def make_agency(page: Page, name: str, kind: str) -> None:
    """崖州区 gets another agency."""
    page.goto("/accounts/agencies")
    page.get_by_role("link", name="建立机构").first.click()
    page.get_by_role("combobox", name="行政区划").fill("崖州区")
    page.get_by_role("option", name=re.compile("三亚市崖州区")).first.click()
    page.get_by_role("radio", name=kind).check()
    page.get_by_label("机构名称").fill(name)
    look(page, f"create-{page.viewport_size['width']}")
    page.get_by_role("button", name="建立").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def hand_out(page: Page, name: str, username: str, role: str) -> str:
    """An account at the agency on the page; its first password."""
    page.get_by_role("link", name="分配账号").first.click()
    page.get_by_label("姓名").fill(name)
    page.get_by_label("用户名").fill(username)
    page.get_by_role("checkbox", name=role).check()
    look(page, f"enter-{page.viewport_size['width']}")
    page.get_by_role("button", name="分配账号").click()
    password = page.locator("#password").inner_text()
    look(page, f"told-{page.viewport_size['width']}")
    return password


@SCREENS
def test_an_account_is_handed_out_and_used(screen: dict[str, int], open_browser: Open) -> None:
    width = screen["width"]
    page = open_browser(screen, "admin")
    station = f"崖州区第{width}检测站"
    make_agency(page, station, "监测")
    look(page, f"agency-{width}")
    password = hand_out(page, "钱主任", f"head{width}", "平台管理员")
    page.get_by_role("link", name="交给本人了").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("钱主任")
    look(page, f"person-{width}")

    theirs = open_browser(screen)
    theirs.goto("/")
    theirs.get_by_label("用户名").fill(f"head{width}")
    theirs.get_by_label("密码").fill(password)
    theirs.get_by_role("button", name="登录", exact=True).click()
    expect(theirs.get_by_text("管理员给的").first).to_be_visible()
    theirs.get_by_label("原密码").fill(password)
    theirs.get_by_label("新密码", exact=True).fill(OWN_PASSWORD)
    theirs.get_by_label("再输一遍新密码").fill(OWN_PASSWORD)
    theirs.get_by_role("button", name="修改密码").click()
    theirs.goto("/accounts/agencies")
    expect(theirs.get_by_role("link", name=station)).to_be_visible()
    assert theirs.get_by_role("link", name="建立机构").count() == 0
    look(theirs, f"agencies-{width}")


@SCREENS
def test_a_post_is_handed_over(screen: dict[str, int], open_browser: Open, watch: Watch) -> None:
    watch.expected = {422}
    width = screen["width"]
    page = open_browser(screen, "admin")
    station = f"崖州区第{width}执法中队"
    make_agency(page, station, "执法")
    agency = page.url
    hand_out(page, "前任队长", f"before{width}", "平台管理员")
    page.goto(agency)
    page.get_by_role("link", name=re.compile("交接前任队长")).click()
    page.get_by_label("接任人的用户名").fill(f"after{width}")
    page.get_by_role("button", name="交接").click()
    expect(page.get_by_text("没有账号的请填姓名")).to_be_visible()
    look(page, f"hand-over-{width}")
    page.get_by_label("接任人没有账号：姓名").fill("新任队长")
    page.get_by_role("radio", name="注销").check()
    page.get_by_role("button", name="交接").click()
    password = page.locator("#password").inner_text()
    page.goto(agency)
    expect(page.get_by_text("接前任队长").first).to_be_visible()
    page.locator("summary", has_text="1 任").click()
    expect(page.locator("details[open]").get_by_text("前任队长")).to_be_visible()
    look(page, f"handed-over-{width}")

    theirs = open_browser(screen)
    theirs.goto("/")
    theirs.get_by_label("用户名").fill(f"after{width}")
    theirs.get_by_label("密码").fill(password)
    theirs.get_by_role("button", name="登录", exact=True).click()
    expect(theirs.get_by_text("管理员给的").first).to_be_visible()


@SCREENS
def test_a_suspended_persons_open_page_ends(screen: dict[str, int], open_browser: Open) -> None:
    width = screen["width"]
    page = open_browser(screen, "admin")
    make_agency(page, f"崖州区第{width}抽样队", "监测")
    password = hand_out(page, "抽样队长", f"sampler{width}", "平台管理员")
    page.get_by_role("link", name="交给本人了").click()
    person = page.url

    theirs = open_browser(screen)
    theirs.goto("/")
    theirs.get_by_label("用户名").fill(f"sampler{width}")
    theirs.get_by_label("密码").fill(password)
    theirs.get_by_role("button", name="登录", exact=True).click()
    expect(theirs.get_by_text("管理员给的").first).to_be_visible()

    page.goto(person)
    page.locator("summary", has_text="停用").click()
    page.get_by_label("原因").first.fill("账号外借")
    page.get_by_role("button", name="停用账号").click()
    expect(page.get_by_text("账号外借").first).to_be_visible()
    look(page, f"suspended-{width}")

    theirs.reload()
    expect(theirs.get_by_role("button", name="登录", exact=True)).to_be_visible()
    expect(theirs.get_by_text("登录已结束")).to_be_visible()
    look(theirs, f"ended-{width}")


@SCREENS
def test_what_lies_elsewhere_is_not_found_in_the_own_area(screen: dict[str, int], open_browser: Open) -> None:
    page = open_browser(screen, "admin")
    page.goto("/accounts/agencies/new")
    page.get_by_role("combobox", name="行政区划").fill("海口")
    expect(page.locator("[data-region-picker] .field-help")).to_have_text("您管辖的范围内没有找到，请检查写法")


def test_further_conditions_open_behind_a_button_on_a_phone(open_browser: Open) -> None:
    page = open_browser(PHONE, "admin")
    page.goto("/accounts/agencies")
    expect(page.get_by_label("类别")).to_be_hidden()
    page.get_by_role("button", name="更多条件").tap()
    page.get_by_label("类别").select_option("monitoring")
    page.get_by_role("button", name="查找", exact=True).tap()
    expect(page.get_by_label("类别")).to_be_visible()
    expect(page.get_by_label("类别")).to_have_value("monitoring")
    look(page, "agencies-narrowed")
    desk = open_browser(DESKTOP, "admin")
    desk.goto("/accounts/agencies")
    expect(desk.get_by_role("button", name="更多条件")).to_be_hidden()
    expect(desk.get_by_label("类别")).to_be_visible()
