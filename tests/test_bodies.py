"""A body that is too long is refused before it can fill the disk, whatever its sender says of its length."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from config.bodies import FRAME_BYTES, App, bounded

CHUNK = 256 * 1024


class Reader:
    """An application that reads the body to its end, as Django does, and answers 200."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            self.read += len(message["body"])
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


async def _answered(app: App, scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, send)


def _post(path: str, size: int, *, told: bool) -> tuple[Reader, int, bytes]:
    """The reader, the status and the body of the answer to a POST of so many bytes."""
    reader, sent = Reader(), []
    pieces = iter([CHUNK] * (size // CHUNK))

    async def receive() -> dict[str, Any]:
        piece = next(pieces, 0)
        return {"type": "http.request", "body": b"x" * piece, "more_body": bool(piece)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"content-length", str(size).encode())] if told else []
    scope = {"type": "http", "path": path, "headers": headers}
    # A thread of its own: a browser driven in this process keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_answered(bounded(reader), scope, receive, send))).result()
    return reader, sent[0]["status"], sent[1]["body"]


@pytest.fixture(autouse=True)
def _small(settings: Any) -> None:
    settings.UPLOAD_BYTES = 2 * 1024 * 1024


def test_it_lets_through_what_fits() -> None:
    reader, status, body = _post("/origins/import", 2 * 1024 * 1024, told=True)
    assert (reader.read, status, body) == (2 * 1024 * 1024, 200, b"ok")


@pytest.mark.parametrize("path", ["/origins/import", "/signin"])
def test_it_reads_nothing_of_a_body_that_says_it_is_too_long(path: str) -> None:
    reader, status, body = _post(path, 200 * 1024 * 1024, told=True)
    assert (reader.read, status) == (0, 413)
    assert "文件太大" in body.decode()


def test_it_stops_reading_a_body_that_tells_no_length() -> None:
    reader, status, body = _post("/api/v1/origins/imports", 200 * 1024 * 1024, told=False)
    assert reader.read <= 2 * 1024 * 1024 + FRAME_BYTES
    assert status == 413
    assert b'"code": "too_large"' in body
