"""Handing a message to an outside service by HTTP: signed, bounded in time and size, never led elsewhere."""

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from nongma.notices.ways.failing import NotDelivered

MOST_READ = 2_000
SHOWN = 120
AGAIN_LATER = {408, 425, 429}


def post(url: str, content: Mapping[str, Any], *, key: str, request_id: str) -> None:
    """POST JSON once. Any 2xx means taken over; 5xx, 408, 425, 429 and a dead line may pass, the rest is final.

    `X-Nongma-Signature` is `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>" in hex>`; `Idempotency-Key` is the
    same at every try, so that the service drops doubles.
    """
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": request_id,
        "User-Agent": "Nongma",
        "X-Nongma-Signature": signature(body, key, int(time.time())),
    }
    parts = urlsplit(url)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        with _connected(url) as connection:
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
            answer = response.read(MOST_READ)
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(f"连不上或没有回答：{type(error).__name__}") from error
    _judge(response.status, answer)


def signature(body: bytes, key: str, at: int) -> str:
    """What proves to the service that the body is ours, and of when it is."""
    digest = hmac.new(key.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


@contextlib.contextmanager
def _connected(url: str) -> Iterator[http.client.HTTPConnection]:
    """A connection that is cut when the whole exchange takes too long, however slowly the other side drips."""
    parts = urlsplit(url)
    seconds = settings.SEND_TIMEOUT_SECONDS
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    until = time.monotonic() + seconds
    # Of an answer that ends the line the connection lets go before its body is read: the socket is kept here.
    opened: list[socket.socket] = []
    cut = Timer(seconds, _cut, [opened])
    cut.daemon = True
    cut.start()
    try:
        connection.connect()
        opened.append(connection.sock)
        yield connection
    finally:
        cut.cancel()
        connection.close()
    # What was cut off reads like an answer that ended.
    if time.monotonic() >= until:
        raise TimeoutError


def _cut(opened: list[socket.socket]) -> None:
    for each in opened:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _judge(status: int, answer: bytes) -> None:
    if 200 <= status < 300:
        return
    said = " ".join(answer.decode("utf-8", "replace").split())[:SHOWN]
    if 300 <= status < 400:
        raise NotDelivered(f"对方要转到别的地址（{status}），没有跟过去", is_final=True)
    is_final = status < 500 and status not in AGAIN_LATER
    raise NotDelivered(f"对方回答 {status}：{said}" if said else f"对方回答 {status}", is_final=is_final)
