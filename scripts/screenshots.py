"""Take the pictures of the manual and of the README from a running demo.

`nongma run --demo` in one terminal, `python scripts/screenshots.py [http://127.0.0.1:8000]` in another. Every picture
goes to docs/manual/images/ as WebP of at most 80 KB; the README's, map and label and phone in one, to docs/images/.
The script registers one harvest and issues one certificate as the demo's grower.
"""

import io
import re
import shutil
import sys
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs" / "manual" / "images"
README = ROOT / "docs" / "images"
PASSWORD = "nongma-demo"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
MOST_BYTES = 80_000
DRAWN = 4_000
"""Milliseconds until a map without a graphics card stands still."""
PAPER, LINE, INK = "#eef2f0", "#c8d0cc", "#1c2321"


def save(picture: bytes, path: Path, most_bytes: int = MOST_BYTES) -> None:
    """Write the picture as WebP, as good as fits."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for quality in range(90, 20, -10):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() <= most_bytes:
            path.write_bytes(buffer.getvalue())
            print(f"{path.relative_to(ROOT)}: {buffer.tell() // 1000} KB")
            return
    sys.exit(f"{path}: does not fit {most_bytes} bytes")


class Photographer:
    """A browser of either size in front of the demo."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url

    def sign_in(self, username: str, size: dict[str, int]) -> Page:
        page = self.open(size)
        page.goto("/signin")
        page.get_by_label("用户名").fill(username)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("您好")
        return page

    def open(self, size: dict[str, int]) -> Page:
        phone = size["width"] < 768
        context = self.browser.new_context(
            base_url=self.url,
            viewport=size,
            device_scale_factor=2 if phone else 1,
            has_touch=phone,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        return context.new_page()


def shoot(page: Page, name: str) -> bytes:
    """One picture for the manual, once the page is at rest."""
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    picture = page.screenshot(animations="disabled")
    save(picture, MANUAL / f"{name}.webp")
    return picture


def officials(camera: Photographer) -> bytes:
    """What the county's reviewer sees; returns the map for the README."""
    page = camera.sign_in("county", DESKTOP)
    shoot(page, "home-reviewer")
    page.goto("/origins/")
    shoot(page, "table")
    page.goto("/origins/import")
    page.locator("main table a").first.click()
    shoot(page, "import")
    page.goto("/origins/?status=submitted")
    page.locator("main tbody th a").first.click()
    page.wait_for_timeout(DRAWN)
    shoot(page, "record")
    with page.expect_response(re.compile(r"/tiles/origins/.*\.mvt")):
        page.goto("/origins/map")
    page.wait_for_timeout(DRAWN)
    return shoot(page, "map")


def collecting(camera: Photographer) -> None:
    """What the collector does on the phone, and what the county sees of it."""
    phone = camera.sign_in("collector", PHONE)
    for path, name in (("/origins/collect", "collect-phone"), ("/origins/dues/", "dues-phone")):
        phone.goto(path)
        shoot(phone, name)
    page = camera.sign_in("county", DESKTOP)
    for path, name in (
        ("/origins/dues/", "dues"),
        ("/origins/dues/punctuality", "punctuality"),
        ("/origins/doubts", "doubts"),
        ("/operators/directory/", "directory"),
    ):
        page.goto(path)
        shoot(page, name)
    page.goto("/origins/?status=submitted&doubt=any")
    page.locator("main tbody th a").first.click()
    page.wait_for_timeout(DRAWN)
    shoot(page, "record-doubted")


def grower(camera: Photographer) -> tuple[str, bytes]:
    """What the grower does on the phone; returns the code's page and the label for the README."""
    page = camera.sign_in("grower", PHONE)
    shoot(page, "home-grower-phone")
    page.get_by_label("待办").get_by_role("link", name="登记采收").click()
    page.get_by_label("产品").select_option("豇豆")
    page.get_by_label("数量").fill("120.5")
    shoot(page, "harvest-phone")
    page.get_by_role("button", name="登记", exact=True).click()
    page.get_by_role("link", name="开具合格证").first.click()
    page.get_by_label("数量").fill("100")
    page.get_by_label("我作出以上承诺").check()
    page.set_viewport_size({"width": 360, "height": 1120})
    shoot(page, "issue-phone")
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="开具", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("有效")
    page.reload()
    shoot(page, "certificate-phone")
    code = page.url.rstrip("/").rpartition("/")[2]
    label = page.context.new_page()
    label.set_viewport_size({"width": 560, "height": 360})
    label.goto(f"/certificates/{code}/label.svg")
    return f"/t/{code}", label.locator("svg").first.screenshot()


def framed(picture: bytes, width: int, *, border: int, radius: int) -> Image.Image:
    """The picture at a width, with round corners and a border."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    size = (image.width + 2 * border, image.height + 2 * border)
    frame = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(frame)
    draw.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius + border, fill=INK if border > 4 else LINE)
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, image.width - 1, image.height - 1), radius, fill=255)
    frame.paste(image, (border, border), mask)
    return frame


def compose(chart: bytes, label: bytes, phone: bytes) -> None:
    """Map, label and phone in one picture: where it grows, what is stuck on it, what a shopper sees."""
    canvas = Image.new("RGB", (1600, 920), PAPER)
    for image, place in (
        (framed(chart, 1120, border=2, radius=10), (48, 64)),
        (framed(label, 440, border=2, radius=6), (96, 560)),
        (framed(phone, 372, border=12, radius=28), (1150, 60)),
    ):
        canvas.paste(image, place, image)
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG")
    save(buffer.getvalue(), README / "nongma.webp", 160_000)


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    MANUAL.mkdir(parents=True, exist_ok=True)
    README.mkdir(parents=True, exist_ok=True)
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--lang=zh-CN"]
        )
        camera = Photographer(browser, url)
        stranger = camera.open(PHONE)
        stranger.goto("/signin")
        shoot(stranger, "sign-in-phone")
        chart = officials(camera)
        collecting(camera)
        address, label = grower(camera)
        stranger.goto(address)
        compose(chart, label, shoot(stranger, "scan-phone"))
        browser.close()


if __name__ == "__main__":
    main()
