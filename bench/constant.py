"""A server that sends one page, headers and all, whatever is asked: what the server itself can bear.

BENCH_PAGE is the address of the page, asked for once at the start.
"""

import os
import urllib.request
from typing import Any

with urllib.request.urlopen(os.environ["BENCH_PAGE"]) as _answer:
    _body = {"type": "http.response.body", "body": _answer.read()}
    _headers = [
        (name.lower().encode(), value.encode())
        for name, value in _answer.headers.items()
        if name.lower() not in ("server", "date")
    ]
_start = {"type": "http.response.start", "status": 200, "headers": _headers}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI entry."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send(_start)
    await send(_body)
