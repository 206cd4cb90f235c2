"""The main job in a real browser: an official form comes in, a shopper's scan comes out."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.checks import Watch, assert_sound
from tests.browser.conftest import DESKTOP, PHONE, ROOT, Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
FORM = ROOT / "nongma" / "origins" / "tests" / "files" / "yazhou-cowpea-500.xlsx"
