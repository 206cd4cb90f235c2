"""A collector with a phone in the field: from 采集一条 to 待审核; two who update one record at the same time."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.checks import assert_sound
from tests.browser.conftest import PHONE, Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def stand_in_the_field(page: Page, longitude: float = 109.158151) -> None:
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": longitude, "latitude": 18.43504, "accuracy": 6})


def choose_village(page: Page) -> None:
    page.get_by_role("combobox", name="村（社区）").fill("大蛋")
    page.get_by_role("listbox", name="村（社区）").get_by_role("option").first.click()


def collect(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="采集一条").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("采集一条产地信息")
    assert_sound(page)
    page.get_by_label("种养殖主体名称").fill(name)
    page.get_by_label("主体类型").select_option("农户")
    page.get_by_label("联系人").fill(name)
    page.get_by_label("联系方式（手机）", exact=True).fill("19900005111")
    page.get_by_label("产品名称").select_option("豇豆")
    expect(page.locator("[data-industry-name]")).to_have_text("种植业")
    choose_village(page)
    page.get_by_role("button", name="用手机定位").click()
    expect(page.get_by_text("已定位，误差约 6 米")).to_be_visible()
    page.get_by_label("种养规模").fill("2.5")
    page.get_by_label("上市时间").fill("2026-04")
    page.get_by_label("下市时间").fill("2026-08")
    page.get_by_label("露地").check()
    page.get_by_label("承诺达标合格证").check()
    page.get_by_label("网格员姓名").fill("冯玉强")
    page.get_by_label("网格员联系方式").fill("19900004633")
    page.get_by_label("信息采集员联系方式").fill("19900008499")


def test_a_record_is_collected_on_a_phone_to_review(open_browser: Open, site: Site) -> None:
    site.empty()
    page = open_browser(PHONE, "collector")
    stand_in_the_field(page)
    collect(page, "周小满")
    page.get_by_label("种养规模").fill("")
    page.get_by_role("button", name="提交审核").click()
    expect(page.get_by_text("请填写种养规模")).to_be_visible()
    assert_sound(page)
    page.get_by_label("种养规模").fill("2.5")
    expect(page.get_by_text("草稿已保存")).to_be_visible()

    # On another phone what was typed stands there; it is sent in from it.
    other = open_browser(PHONE, "collector")
    other.goto("/origins/drafts")
    assert_sound(other)
    other.get_by_role("link", name="接着填").click()
    expect(other.get_by_label("种养规模")).to_have_value("2.5")
    expect(other.get_by_label("经度")).to_have_value("109.158151")
    other.get_by_role("button", name="提交审核").click()
    expect(other.get_by_text("等待县级审核").first).to_be_visible()
    expect(other.get_by_text("待审核").first).to_be_visible()
    expect(other.get_by_text("手机定位，误差约 6 米")).to_be_visible()
    assert_sound(other)


def test_square_metres_of_a_pond_are_shown_as_mu(open_browser: Open) -> None:
    page = open_browser(PHONE, "collector")
    page.goto("/origins/collect")
    page.get_by_label("产品名称").select_option("乌鳢")
    expect(page.get_by_label("上市时间")).to_be_hidden()
    page.get_by_label("规模单位").select_option("平方米")
    page.get_by_label("种养规模").fill("200")
    expect(page.get_by_text("200 平方米折合 0.30 亩")).to_be_visible()


def test_of_two_who_update_the_second_is_told(open_browser: Open, site: Site) -> None:
    site.empty()
    first = open_browser(PHONE, "collector")
    stand_in_the_field(first)
    collect(first, "周小满")
    first.get_by_role("button", name="提交审核").click()
    expect(first.get_by_text("已提交，等待县级审核")).to_be_visible()
    record = first.url
    second = open_browser(PHONE, "county")
    for page in (first, second):
        page.goto(record)
        page.get_by_role("link", name="有变化，更新").click()
        expect(page.get_by_label("种养规模")).to_have_value("2.50")
        assert_sound(page)
    first.get_by_label("种养规模").fill("3")
    first.get_by_role("button", name="提交审核").click()
    expect(first.get_by_text("已更新，等待县级审核")).to_be_visible()
    second.get_by_label("种养规模").fill("4")
    second.get_by_role("button", name="提交审核").click()
    expect(second.get_by_text(re.compile("更新这条记录（种养规模 2.5 亩 → 3 亩）"))).to_be_visible()
    expect(second.get_by_label("种养规模")).to_have_value("4")
    assert_sound(second)
    second.get_by_role("button", name="提交审核").click()
    expect(second.get_by_text("已更新，等待县级审核")).to_be_visible()
