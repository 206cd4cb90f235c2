"""Pages kept warm in the process, and the ear that says when one is out of date."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, Error, sql

from nongma.codes.services import CHANGED_CHANNEL
from nongma.public.pool import connection_arguments

TTL_SECONDS = 10.0
MOST_BYTES = 64 * 1024 * 1024
QUIET_SECONDS = 5.0
RETRY_SECONDS = 1.0

logger = logging.getLogger("nongma.public")

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is sent, and what it tells of."""

    start: Message
    body: Message
    serial: int
    lot_serial: int | None
    kind: str
    state: str
    subjects: frozenset[UUID]
    until: float


class PageCache:
    """Answers by key, bounded in bytes, oldest out first, off unless changes are being heard."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._keys: dict[UUID, set[str]] = {}
        self._watches: set[Watch] = set()
        self._bytes = 0
        self.listening = False

    def get(self, key: str) -> Kept | None:
        """The answer under a key while it is fresh."""
        kept = self._kept.get(key)
        if kept is None or kept.until > time.monotonic():
            return kept
        self._drop(key)
        return None

    @contextmanager
    def watch(self) -> Iterator["Watch"]:
        """Watch for changes while an answer is made: one that changes under way must not be kept."""
        watch = Watch()
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def put(self, key: str, kept: Kept, watch: "Watch") -> None:
        """Keep an answer, unless it changed while it was made or changes can't be heard."""
        if not self.listening or watch.all_changed or watch.changed & kept.subjects:
            return
        self._drop(key)
        self._kept[key] = kept
        self._bytes += len(kept.body["body"])
        for uid in kept.subjects:
            self._keys.setdefault(uid, set()).add(key)
        while self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def forget(self, uid: UUID) -> None:
        """A subject has changed: drop every answer that tells of it."""
        for watch in self._watches:
            watch.changed.add(uid)
        for key in list(self._keys.get(uid, ())):
            self._drop(key)

    def clear(self) -> None:
        """Drop everything, as when changes may have been missed."""
        for watch in self._watches:
            watch.all_changed = True
        self._kept.clear()
        self._keys.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        self._bytes -= len(kept.body["body"])
        for uid in kept.subjects:
            keys = self._keys[uid]
            keys.discard(key)
            if not keys:
                del self._keys[uid]


class Watch:
    """What changed while an answer was being made."""

    def __init__(self) -> None:
        self.changed: set[UUID] = set()
        self.all_changed = False


class Ear:
    """Hears of changed subjects over one connection of its own; while it is deaf the cache is off."""

    def __init__(self, cache: PageCache) -> None:
        self._cache = cache
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._listen_on())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen_on(self) -> None:
        while True:
            try:
                await self._listen()
            except (Error, OSError) as error:
                logger.warning("听不到数据库的变更通知，页面缓存暂停：%s", error)
            finally:
                self._cache.listening = False
                self._cache.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await AsyncConnection.connect(**connection_arguments(), autocommit=True, connect_timeout=5)
        async with connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANGED_CHANNEL)))
            self._cache.clear()
            self._cache.listening = True
            while True:
                async for notice in connection.notifies(timeout=QUIET_SECONDS):
                    with contextlib.suppress(ValueError):
                        self._cache.forget(UUID(notice.payload))
                # A connection that died in silence fails here, within seconds.
                async with asyncio.timeout(QUIET_SECONDS):
                    await connection.execute("SELECT 1")
