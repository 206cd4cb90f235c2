"""What must hold of every page, whoever made it: it fits the screen, is labelled, readable and quiet."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

PHONE_WIDTH = 360
TAP_PIXELS = 40
CONTRAST = 4.5

FAULTS = (Path(__file__).parent / "faults.js").read_text(encoding="utf-8").partition("\n")[2]


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page as it stands: width, labels, headings, tap targets, contrast."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    found = page.evaluate(FAULTS, {"phone": width < 768, "tap": TAP_PIXELS, "contrast": CONTRAST})
    return [str(fault) for fault in found]


def assert_sound(page: Page) -> None:
    """The page has no fault."""
    faults = faults_of(page)
    assert not faults, f"{page.url} at {page.viewport_size}:\n" + "\n".join(faults)


@dataclass
class Watch:
    """What a browser context complains of, and what it asks of other hosts."""

    host: str
    complaints: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)

    def over(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(f"status of {status}" in message.text for status in self.expected):
            self.complaints.append(f"console: {message.text} ({message.location.get('url')})")
        # A machine without a graphics card says so when the map starts; that is no fault of the page.
        if message.type == "warning" and "GPU" not in message.text and "WebGL" not in message.text:
            self.complaints.append(f"console warning: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != self.host:
            self.complaints.append(f"another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.complaints.append(f"{response.status}: {response.url}")
