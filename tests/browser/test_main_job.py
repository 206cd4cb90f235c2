"""The main job in a real browser: an official form comes in, a shopper's scan comes out."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.checks import Watch, assert_sound
from tests.browser.conftest import DESKTOP, PHONE, ROOT, Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
FORM = ROOT / "nongma" / "origins" / "tests" / "files" / "yazhou-cowpea-500.xlsx"
MINUTE = 60_000
MOST_CLICKS = 9
ZOOM = "document.getElementById('map').map.getZoom()"
DRAWN = """layer => {
    const { map } = document.getElementById("map");
    const { width, height } = map.getCanvas().getBoundingClientRect();
    const edge = 56;
    return map
        .queryRenderedFeatures({ layers: [layer] })
        .map((feature) => ({ ...map.project(feature.geometry.coordinates), count: feature.properties.count }))
        .filter(({ x, y }) => x > edge && x < width - edge && y > edge && y < height - edge)
        .sort((one, other) => one.count - other.count);
}"""


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_from_the_official_form_to_the_shoppers_scan(
    screen: dict[str, int], open_browser: Open, site: Site, watch: Watch
) -> None:
    watch.expected = {410}
    site.empty()
    county = open_browser(screen, "county")
    import_the_form(county)
    approve_all(county)
    see_it_on_the_map(county)
    grower = open_browser(screen, "grower")
    harvest(grower, "120.5")
    address = issue(grower, "100")
    code = label_of(grower, site)
    assert address == f"{site.url}/t/{code}"
    scan(open_browser(screen), address, good=True)
    revoke(grower)
    scan(open_browser(screen), address, good=False)


def import_the_form(page: Page) -> None:
    """Upload, leave the page, come back, and see 500 accepted."""
    page.goto("/")
    page.get_by_label("待办").get_by_role("link", name="导入表格").click()
    assert_sound(page)
    page.set_input_files("input[type=file]", FORM)
    page.get_by_role("button", name="上传并导入").click()
    page.wait_for_url(re.compile(r"/origins/import/[0-9a-f-]{36}"))
    job = page.url
    page.goto("/")
    page.goto(job)
    expect(page.get_by_label("结果")).to_be_visible(timeout=MINUTE)
    assert_sound(page)
    results = page.get_by_label("结果")
    expect(results).to_contain_text(re.compile(r"已保存\s*500"))
    expect(results).to_contain_text(re.compile(r"有误\s*0"))


def approve_all(page: Page) -> None:
    """From the start page's biggest button to 500 approved."""
    page.goto("/")
    waiting = page.get_by_role("link", name=re.compile("待审核 500"))
    expect(waiting).to_be_visible()
    waiting.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("一张表")
    assert_sound(page)
    page.get_by_role("radio", name=re.compile("全部 500 条")).check()
    page.get_by_role("button", name="通过…").click()
    assert_sound(page)
    page.get_by_role("button", name="确认通过 500 条").click()
    expect(page.locator("main")).to_contain_text(re.compile("通过了? ?500 条"), timeout=MINUTE)
    assert_sound(page)
    page.goto("/origins/?status=approved")
    expect(page.get_by_label("分页").first).to_contain_text("共 500 条")


def see_it_on_the_map(page: Page) -> None:
    """The county's clusters open with every click, until a single point tells whose it is and leads to the record."""
    with page.expect_response(re.compile(r"/tiles/origins/.*\.mvt")) as tile:
        page.goto("/origins/map")
    assert tile.value.status == 200
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()
    settle(page)
    assert_sound(page)
    assert drawn(page, "clusters"), "500 growers of one county stand in clusters first"
    for _ in range(MOST_CLICKS):
        if points := drawn(page, "points"):
            break
        zoom = page.evaluate(ZOOM)
        click(page, drawn(page, "clusters")[0])
        page.wait_for_function(f"before => {ZOOM} > before", arg=zoom)
        settle(page)
    assert points, f"{MOST_CLICKS} clicks opened no cluster into points"
    click(page, points[0])
    link = page.locator(".origins-popup").get_by_role("link").first
    expect(link).to_contain_text("豇豆")
    assert_sound(page)
    link.click()
    page.wait_for_url(re.compile(r"/origins/[0-9a-f-]{36}$"))
    expect(page.locator("main")).to_contain_text("已通过")


def drawn(page: Page, layer: str) -> list[dict[str, float]]:
    """The layer's circles clear of the map's edge and buttons, in pixels of the map, the smallest clusters first."""
    found: list[dict[str, float]] = page.evaluate(DRAWN, layer)
    return found


def click(page: Page, circle: dict[str, float]) -> None:
    page.locator("canvas.maplibregl-canvas").click(position={"x": circle["x"], "y": circle["y"]})


def settle(page: Page) -> None:
    """Wait until the map stands still with all its tiles."""
    page.wait_for_function(
        "() => { const { map } = document.getElementById('map'); return map && map.loaded() && !map.isMoving(); }"
    )
    page.wait_for_load_state("networkidle")


def harvest(page: Page, quantity: str) -> None:
    """The grower's biggest button; only the quantity must be typed."""
    page.get_by_label("待办").get_by_role("link", name="登记采收").click()
    assert_sound(page)
    page.get_by_label("产品").select_option("豇豆")
    page.get_by_label("数量").fill("0")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    assert_sound(page)
    page.get_by_label("数量").fill(quantity)
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator("main")).to_contain_text(f"剩余 {quantity}")
    assert_sound(page)


def issue(page: Page, quantity: str) -> str:
    """Promise and issue; the address in the QR code."""
    page.get_by_role("link", name="开具合格证").click()
    assert_sound(page)
    page.get_by_label("数量").fill("1000")
    page.get_by_label("我作出以上承诺").check()
    page.get_by_role("button", name="开具", exact=True).click()
    expect(page.locator(".field-error, .alert-danger").first).to_be_visible()
    page.get_by_label("数量").fill(quantity)
    page.get_by_label("我作出以上承诺").check()
    page.get_by_role("button", name="开具", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("有效")
    assert_sound(page)
    return read_qr(page)


def read_qr(page: Page) -> str:
    """What a camera reads from the code on the screen."""
    import io

    import zxingcpp
    from PIL import Image

    picture = page.locator(".certificate-code").screenshot()
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return str(found.text)


def label_of(page: Page, site: Site) -> str:
    """The label as PDF, and the certificate held out on the phone; the code that is printed."""
    code = page.url.rstrip("/").rpartition("/")[2]
    pdf = page.request.get(f"/certificates/{code}/label.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body().startswith(b"%PDF")
    page.get_by_role("link", name="手机出示").click()
    assert_sound(page)
    page.go_back()
    return code


def scan(page: Page, address: str, *, good: bool) -> None:
    """A shopper's fresh browser: what it is, from where, whether it is good; in Chinese and in English."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == (200 if good else 410)
    assert_sound(page)
    expect(page.locator("main")).to_contain_text("豇豆")
    expect(page.locator("main")).to_contain_text("崖州区")
    expect(page.locator("main")).not_to_contain_text("19900005935")
    if good:
        page.get_by_role("link", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        assert_sound(page)


def revoke(page: Page) -> None:
    page.get_by_role("link", name="作废这张合格证").click()
    assert_sound(page)
    page.get_by_label(re.compile("原因")).fill("数量填错了")
    page.get_by_role("button", name="确认作废").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已作废")


def test_a_grower_issues_a_certificate_with_the_keyboard_alone(open_browser: Open, site: Site) -> None:
    page = open_browser(DESKTOP, "grower")
    page.goto("/lots/new")
    tab_to(page, "产品")
    page.keyboard.press("ArrowDown")
    tab_to(page, "数量")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("剩余 5")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText.trim()") == "开具合格证":
            break
    page.keyboard.press("Enter")
    tab_to(page, "我作出以上承诺")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("有效")


def tab_to(page: Page, label: str) -> None:
    """Press Tab until the control with the label has the focus, which must be visible."""
    wanted = page.get_by_label(label)
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            assert wanted.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
            return
    pytest.fail(f"Tab never reaches “{label}”")
