"""Accounts handed out by a sheet, and the first sign-in with a slip."""

import re
from pathlib import Path

import pypdfium2
import pytest
import xlsxwriter
from playwright.sync_api import Page, expect

from tests.browser.checks import assert_sound
from tests.browser.conftest import DESKTOP, PHONE, Open

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MINUTE = 60_000
HEAD = ("省", "市", "县", "乡镇", "村", "机构名称", "类别", "姓名", "手机", "角色")
PLACE = ("海南省", "三亚市", "崖州区", "", "城西村")
SLIP = r"姓名(\S+?)用户名(\S+?)初始密码([a-z2-9]{4}(?:-[a-z2-9]{4}){3})"


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_from_the_sheet_to_the_first_sign_in(screen: dict[str, int], open_browser: Open, tmp_path: Path) -> None:
    stamp = str(screen["width"])
    admin = open_browser(screen, "admin")
    upload(admin, sheet(tmp_path / "accounts.xlsx", stamp))
    see_the_result(admin)
    slips = download_slips(admin, tmp_path / "slips.pdf")
    assert [name for name, _, _ in slips] == [f"周甲{stamp}", f"周乙{stamp}"]
    _, username, password = slips[0]
    sign_in_first(open_browser(screen), username, password)
    admin.reload()
    expect(admin.locator("main")).to_contain_text("1 张")
    admin.get_by_role("button", name="清除密码条").click()
    expect(admin.locator("#messages")).to_contain_text("密码条已清除")
    assert_sound(admin)


def sheet(path: Path, stamp: str) -> Path:
    """Two people of a village station, and one with a role that a station does not have."""
    with xlsxwriter.Workbook(str(path)) as book:
        paper = book.add_worksheet()
        paper.write_row(0, 0, HEAD)
        for row, (name, role) in enumerate((("周甲", "信息采集员"), ("周乙", "查询员"), ("周丙", "审核员")), start=1):
            phone = f"139{row}{stamp:0>7}"
            paper.write_row(row, 0, [*PLACE, "城西村监管站", "监管", f"{name}{stamp}", phone, role])
    return path


def upload(page: Page, path: Path) -> None:
    page.goto("/accounts/handouts")
    assert_sound(page)
    page.get_by_role("link", name="上传分配表").first.click()
    assert_sound(page)
    page.set_input_files("input[type=file]", path)
    page.get_by_role("button", name="上传并分配").click()
    page.wait_for_url(re.compile(r"/accounts/handouts/[0-9a-f-]{36}$"))


def see_the_result(page: Page) -> None:
    results = page.get_by_label("结果")
    expect(results).to_be_visible(timeout=MINUTE)
    expect(results).to_contain_text(re.compile(r"新账号\s*2"))
    expect(results).to_contain_text(re.compile(r"有误\s*1"))
    expect(page.locator("main")).to_contain_text("监管机构在这一级没有“审核员”")
    assert_sound(page)


def download_slips(page: Page, path: Path) -> list[tuple[str, str, str]]:
    """Name, username and first password of each slip."""
    page.get_by_role("link", name="打印密码条").click()
    assert_sound(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="下载密码条 PDF").click()
    download.value.save_as(path)
    (sheet,) = pypdfium2.PdfDocument(path)
    text = "".join(sheet.get_textpage().get_text_bounded().split())
    return re.findall(SLIP, text)


def sign_in_first(page: Page, username: str, password: str) -> None:
    """The first sign-in leads to the change of the password, and from there to the start page."""
    page.goto("/")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(re.compile(r"/me/password"))
    assert_sound(page)
    own = "Chengxi-2026-zhan"
    page.locator("input[name=old]").fill(password)
    for name in ("new", "again"):
        page.locator(f"input[name={name}]").fill(own)
    page.get_by_role("button", name=re.compile("修改|保存|换")).first.click()
    page.wait_for_url(re.compile(r"/(me)?$"))
