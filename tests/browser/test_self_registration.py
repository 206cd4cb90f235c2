"""A grower registers on a phone, from the sign-in page to 已提交, and comes back on another one."""

import base64
import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.checks import assert_sound
from tests.browser.conftest import DESKTOP, PHONE, Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SCREENS = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
ID_NUMBERS = {1280: "11010519491231002X", 360: "460200197003051232"}


def text_to(site: Site, phone: str) -> str:
    """The code of the newest message to a phone, as the demo writes it down."""
    folder = Path(site.environment["NONGMA_DATA"]) / "outbox"
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for file in sorted(folder.glob("*.jsonl"), reverse=True):
            lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            if texts := [line["text"] for line in lines if line["to"] == phone]:
                found = re.search(r"\d{6}", texts[-1])
                assert found
                return found[0]
        time.sleep(0.2)
    raise AssertionError(f"no message to {phone}")


def come_by_phone(page: Page, site: Site, phone: str) -> None:
    page.goto("/signin")
    page.get_by_role("link", name="种植户、企业自己登记").click()
    assert_sound(page)
    page.get_by_label("手机号").fill(phone)
    page.get_by_role("button", name="发验证码").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("输入验证码")
    expect(page.get_by_role("button", name=re.compile("重新发送.*秒"))).to_be_disabled()
    assert_sound(page)
    page.get_by_label("验证码").fill(text_to(site, phone))
    page.get_by_role("button", name="继续").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登记我的主体")


@SCREENS
def test_a_grower_registers_and_goes_on_elsewhere(open_browser: Open, site: Site, screen: dict[str, int]) -> None:
    width = screen["width"]
    # A number of its own for each run: texts of earlier runs lie in the same folder.
    phone = f"199{time.time_ns() // 1000 % 10**8:08}"
    page = open_browser(screen)
    come_by_phone(page, site, phone)
    expect(page.get_by_label("统一社会信用代码")).to_be_hidden()
    assert_sound(page)

    page.get_by_label("农户").check()
    expect(page.get_by_label("身份证号")).to_be_visible()
    expect(page.get_by_label("联系人")).to_be_hidden()
    page.get_by_label("姓名", exact=True).fill(f"李大山{width}")
    page.get_by_label("身份证号").fill(ID_NUMBERS[width])
    expect(page.get_by_label("手机", exact=True)).to_have_value(phone)
    expect(page.get_by_text("已保存")).to_be_visible()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("请选择所在的村")).to_be_visible()
    assert_sound(page)

    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 109.158151, "latitude": 18.435040})
    page.get_by_role("button", name="用手机现在的位置").click()
    expect(page.get_by_text("您在海南省三亚市崖州区")).to_be_visible()
    page.get_by_role("option").nth(1).locator(".region-picker-name").click()
    expect(page.get_by_role("combobox", name="所在的村")).to_have_value(re.compile("崖州区.+"))
    page.get_by_label("产品一").select_option(label="豇豆（亩）")
    page.get_by_label("规模 （可不填）").first.fill("10.5")
    assert_sound(page)
    with page.expect_response("**/join/draft") as kept:
        page.get_by_label("详细地址").fill("三组 8 号")
    assert kept.value.status == 204

    other = open_browser(screen)
    other.context.add_cookies(page.context.cookies())
    other.goto("/join/register")
    expect(other.get_by_text("上次填的已经找回来了")).to_be_visible()
    expect(other.get_by_label("详细地址")).to_have_value("三组 8 号")
    expect(other.get_by_label("农户")).to_be_checked()
    other.get_by_label("我同意").check()
    other.get_by_role("button", name="提交").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("已提交，等待县级审核")
    assert_sound(other)
    other.goto("/join/privacy")
    assert_sound(other)


def test_it_works_without_script(browser: Browser, site: Site) -> None:
    context = browser.new_context(
        base_url=site.url, viewport=PHONE, locale="zh-CN", java_script_enabled=False, has_touch=True
    )
    page = context.new_page()
    phone = f"198{time.time_ns() // 1000 % 10**8:08}"
    page.goto("/join/")
    page.get_by_label("手机号").fill(phone)
    page.get_by_role("button", name="发验证码").click()
    page.get_by_label("验证码").fill(text_to(site, phone))
    page.get_by_role("button", name="继续").click()
    page.get_by_label("家庭农场").check()
    page.get_by_label("名称", exact=True).fill("大山家庭农场")
    page.get_by_role("combobox", name="所在的村").fill("海南省三亚市崖州区雀信社区居委会")
    page.get_by_label("我同意").check()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("没有的填身份证号").last).to_be_visible()
    page.get_by_label("统一社会信用代码").fill("91350100M000100Y43")
    page.get_by_label("营业执照照片").set_input_files({"name": "执照.png", "mimeType": "image/png", "buffer": PICTURE})
    page.get_by_label("联系人").fill("李大山")
    page.get_by_label("我同意").check()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已提交，等待县级审核")
    page.get_by_role("link", name="看我的登记").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="执照照片").click()
    assert download.value.suggested_filename.endswith(".jpg")
    context.close()
