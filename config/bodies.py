"""No request may fill the disk: Django writes a body down whole before any view looks at its size."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from nongma.desk.errors import too_large
from nongma.lib.problems import problem

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

FRAME_BYTES = 1024 * 1024
"""What a form adds to the file that it carries."""


def bounded(app: App) -> App:
    """The application behind a bound on the body: the largest upload and its frame. Past it the answer is 413,
    before the body is read when its length is told, and as soon as it is too long otherwise."""

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        most = settings.UPLOAD_BYTES + FRAME_BYTES
        if _told_length(scope) > most:
            await _refuse(scope, send)
            return
        got = 0
        started = False

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            # Django takes this for a client that went away, and lets go of what it wrote.
            return message if got <= most else {"type": "http.disconnect"}

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        await app(scope, counted, noted)
        if got > most and not started:
            await _refuse(scope, send)

    return answer


def _told_length(scope: dict[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _refuse(scope: dict[str, Any], send: Send) -> None:
    response = problem(413) if scope["path"].startswith("/api/") else too_large(None)
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    headers += [(b"content-length", str(len(response.content)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
