"""What a scan reaches: bare ASGI beside Django, since most requests of a platform are shoppers' and need none of it."""

import asyncio
import functools
import logging
import random
import re
import time
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any
from urllib.parse import parse_qs

from django.utils import timezone
from psycopg import Error
from psycopg_pool import PoolTimeout

from nongma.codes.codec import LENGTH, decode, has_shape
from nongma.public import pages, places
from nongma.public.cache import TTL_SECONDS, Ear, Kept, Message, PageCache
from nongma.public.negotiation import Form, Wish, wish_of
from nongma.public.pages import Answer
from nongma.public.pool import Pool, make_pool
from nongma.public.queries import Subject, read_subject
from nongma.public.scans import ScanLog

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX = "/t/"
LONGEST_TYPED = 60
UNKNOWN = "unknown"
DIGITAL_LINK = re.compile(r"/01/(\d{8}|\d{12,14})(?:/10/([^/]{1,20}))?(?:/21/([^/]{1,20}))?/?")
SEPARATORS = re.compile(r"[\s\-‐-―_.]+")

logger = logging.getLogger("nongma.public")


class Resolver:
    """Answers `/t/<code>` and GS1 Digital Links from the cache, or with one statement, or without the database.

    Belongs to the event loop in which it was started.
    """

    def __init__(self) -> None:
        self.pool: Pool = make_pool()
        self.cache = PageCache()
        self.scans = ScanLog(self.pool)
        self._ear = Ear(self.cache)
        self._making: dict[str, asyncio.Task[Kept | None]] = {}

    async def start(self) -> None:
        """Open connections; an absent database is waited for in the background."""
        await self.pool.open(wait=False)
        await asyncio.to_thread(places.prepare)
        self._ear.start()
        self.scans.start()

    async def stop(self) -> None:
        """Write the scans that wait and close the connections."""
        await self._ear.stop()
        await self.scans.stop()
        await self.pool.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a code."""
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            await send_answer(send, method, _method_not_allowed())
            return
        path: str = scope["path"]
        wish = _wish(scope)
        code = path[len(PREFIX) :]
        lot_code = ""
        if not has_shape(code):
            found = _asked_code(path, scope["query_string"])
            if found is None:
                page = "ask" if path.rstrip("/") == PREFIX.rstrip("/") else "malformed"
                await send_answer(send, method, pages.plain_answer(page, wish.form, wish.language))
                return
            code, lot_code = found
            if not has_shape(code):
                typed = code[:LONGEST_TYPED]
                await send_answer(send, method, pages.plain_answer("malformed", wish.form, wish.language, typed))
                return
        kept = self.cache.get(code + wish.key)
        if kept is None:
            serial = decode(code)
            if serial is None:
                await _send_coded(send, method, "false", wish, code)
                return
            try:
                kept = await self._made(code, serial, wish)
            except (Error, PoolTimeout, OSError) as error:
                logger.error("扫码查询读不到数据库：%s", error)
                await send_answer(send, method, pages.plain_answer("busy", wish.form, wish.language))
                return
            except Exception:
                logger.exception("扫码查询出错：序号 %s", serial)
                await send_answer(send, method, pages.plain_answer("error", wish.form, wish.language))
                return
            if kept is None:
                if method == "GET":
                    self.scans.note(serial, "", UNKNOWN)
                await _send_coded(send, method, "unknown", wish, code)
                return
        if lot_code and decode(lot_code) != kept.lot_serial:
            await _send_coded(send, method, "false", wish, code)
            return
        await send(kept.start)
        if method == "GET":
            self.scans.note(kept.serial, kept.kind, kept.state)
            await send(kept.body)
        else:
            await send(_EMPTY)

    async def _made(self, code: str, serial: int, wish: Wish) -> Kept | None:
        """The answer, made once however many ask for it at the same moment."""
        key = code + wish.key
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, serial, wish))
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(task)

    async def _make(self, key: str, serial: int, wish: Wish) -> Kept | None:
        with self.cache.watch() as watch:
            subject = await read_subject(self.pool, serial)
            if subject is None:
                return None
            kept = _keep(subject, pages.subject_answer(subject, wish.form, wish.language))
            self.cache.put(key, kept, watch)
        return kept


def handles(path: str) -> bool:
    """Whether a path is a scan's."""
    return path.startswith((PREFIX, "/01/")) or path == "/t"


async def send_answer(send: Send, method: str, answer: Answer) -> None:
    """Send an answer; to HEAD without its body."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send(_EMPTY if method == "HEAD" else {"type": "http.response.body", "body": answer.body})


_EMPTY: Message = {"type": "http.response.body", "body": b""}


async def _send_coded(send: Send, method: str, page: str, wish: Wish, code: str) -> None:
    """Send a page that tells of no subject, with the code in its field."""
    start, before, after = _CODED.get((page, wish.key)) or _coded(page, wish)
    await send(start)
    if method == "HEAD":
        await send(_EMPTY)
    else:
        await send({"type": "http.response.body", "body": before + code.encode() + after if after else before})


_CODED: dict[tuple[str, str], tuple[Message, bytes, bytes]] = {}


def _coded(page: str, wish: Wish) -> tuple[Message, bytes, bytes]:
    """The page ready to send, cut where its code stands; data names no code and is not cut."""
    if wish.form is Form.JSON:
        answer = pages.plain_answer(page, wish.form, wish.language)
        before, after = answer.body, b""
    else:
        answer, before, after = pages.coded_parts(page, wish.language)
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
    _CODED[page, wish.key] = start, before, after
    return _CODED[page, wish.key]


@functools.cache
def _method_not_allowed() -> Answer:
    answer = pages.problem_answer(405, "method_not_allowed", "不支持这种操作", "扫码查询只支持 GET 和 HEAD")
    return Answer(answer.status, [*answer.headers, (b"allow", b"GET, HEAD")], answer.body)


def _keep(subject: Subject, answer: Answer) -> Kept:
    seconds = TTL_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 (so that not all end at once)
    return Kept(
        start={"type": "http.response.start", "status": answer.status, "headers": answer.headers},
        body={"type": "http.response.body", "body": answer.body},
        serial=subject.serial,
        lot_serial=subject.lot_serial,
        kind=subject.kind.value,
        state=subject.state.value,
        subjects=subject.subjects,
        until=time.monotonic() + min(_seconds_of_day_left(subject.read_on), seconds),
    )


def _seconds_of_day_left(day: date) -> float:
    """How long what was read on a day is true: a certification ends with the day."""
    following = datetime.combine(day + timedelta(days=1), clock.min, timezone.get_current_timezone())
    return (following - timezone.now()).total_seconds()


def _wish(scope: Scope) -> Wish:
    accept = accept_language = b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value
        elif name == b"accept-language":
            accept_language = value
    query: bytes = scope["query_string"]
    lang = _query(query).get("lang", [""])[0][:2] if query else ""
    return wish_of(accept, accept_language, lang)


def _query(query: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(query[:500].decode("ascii", "replace"), max_num_fields=10)
    except ValueError:
        return {}


def _asked_code(path: str, query: bytes) -> tuple[str, str] | None:
    """The code, and the lot's code where a Digital Link names one too; None when the path asks for nothing.

    A person who types may write spaces, dashes and full-width digits.
    """
    link = DIGITAL_LINK.fullmatch(path)
    if link is not None:
        gtin, lot, item = link.groups()
        if not _has_check_digit(gtin) or not (lot or item):
            return None
        return (item, lot or "") if item else (lot, "")
    typed = path[len(PREFIX) :].rstrip("/")
    if not typed and query:
        typed = _query(query).get("code", [""])[0]
    if not path.startswith(PREFIX.rstrip("/")) or not typed or len(typed) > LONGEST_TYPED:
        return None
    return SEPARATORS.sub("", unicodedata.normalize("NFKC", typed)), ""


def _has_check_digit(gtin: str) -> bool:
    """GS1's check digit: weights 3 and 1 from the right add up to a multiple of ten."""
    weighted: Iterable[int] = (int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(gtin)))
    return sum(weighted) % 10 == 0


assert len(pages.TYPED_PLACEHOLDER) == LENGTH
