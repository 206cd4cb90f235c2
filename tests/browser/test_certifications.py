"""A grower registers a certification with its file, finds it on the record, and takes the door-plate along."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.checks import assert_sound
from tests.browser.conftest import DESKTOP, PHONE, Open

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PAPER = {"name": "证书.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 %%EOF"}


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_a_grower_registers_a_certification(open_browser: Open, screen: dict[str, int]) -> None:
    number = f"LB-{screen['width']}"
    page = open_browser(screen, "grower")
    page.goto("/operators/")
    page.get_by_role("link", name="登记认证").click()
    page.get_by_label("证书编号").fill(number)
    page.get_by_label("有效期起").fill("2026-01-01")
    page.get_by_label("有效期止").fill(str(timezone.localdate() + timedelta(days=40)))
    page.get_by_label("证书文件").set_input_files(PAPER)
    page.get_by_label("豇豆", exact=True).check()
    assert_sound(page)
    page.get_by_role("button", name="保存").click()
    held = page.get_by_role("row").filter(has_text=number)
    expect(held).to_contain_text("即将到期")
    assert_sound(page)
    with page.expect_download() as taken:
        page.get_by_role("link", name="门牌 PDF").click()
    assert re.fullmatch(r"主体码-门牌-\d{20}\.pdf", taken.value.suggested_filename)
