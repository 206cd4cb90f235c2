"""A small ASGI client. The resolver runs in a thread, as in a server, while the test changes the database."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nongma.public.resolver import Resolver

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def do(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Shopper:
    """Whoever scans: asks an application and reads the answer."""

    def __init__(self, running: Running, application: Any) -> None:
        self.running = running
        self.application = application

    def get(self, path: str, *, query: str = "", method: str = "GET", **headers: str) -> Response:
        """Ask for a path; headers by name with underscores."""
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        return self.running.do(_ask(self.application, scope))

    def data(self, path: str) -> Response:
        """Ask for data instead of a page."""
        return self.get(path, accept="application/json")


async def _ask(application: Any, scope: dict[str, Any]) -> Response:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start = sent[0]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Response(start["status"], headers, b"".join(message["body"] for message in sent[1:]))


def eventually(true: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


__all__ = ["BROWSER", "Resolver", "Response", "Running", "Shopper", "eventually"]
