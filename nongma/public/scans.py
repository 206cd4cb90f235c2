"""The scan log: looks are gathered in memory and written about once a second with COPY."""

import asyncio
import contextlib
import logging
import os
import time
from datetime import UTC, datetime

from psycopg import Error, sql
from psycopg_pool import PoolTimeout

from nongma.codes.models import Scan
from nongma.public.pool import Pool

FLUSH_SECONDS = 1.0
MOST_WAITING = 100_000
ROWS_BETWEEN_BREATHS = 500

logger = logging.getLogger("nongma.public")

Look = tuple[int, str, str, float]


class ScanLog:
    """Looks waiting to be written. A kill loses those of the last second, a long outage those past the bound."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[Look] = []
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    def note(self, serial: int, kind: str, answer: str) -> None:
        """Remember that a code was looked at, and what was answered."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append((serial, kind, answer, time.time()))
        else:
            self.dropped += 1

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write what waits, then rest."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self.flush()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; what can't be written waits on, within the bound."""
        if not self._waiting:
            return
        looks, self._waiting = self._waiting, []
        try:
            await self._write(looks)
        except (Error, PoolTimeout, OSError) as error:
            room = MOST_WAITING - len(self._waiting)
            self.dropped += max(0, len(looks) - room)
            self._waiting = looks[:room] + self._waiting
            waiting = len(self._waiting)
            logger.warning("扫码记录暂时写不进数据库（%s 条等待，%s 条丢弃）：%s", waiting, self.dropped, error)
        except asyncio.CancelledError:
            self._waiting = looks + self._waiting
            raise

    async def _write(self, looks: list[Look]) -> None:
        statement = sql.SQL("COPY {} (serial, id, kind, at, answer) FROM STDIN").format(
            sql.Identifier(Scan._meta.db_table)
        )
        async with (
            self._pool.connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for start in range(0, len(looks), ROWS_BETWEEN_BREATHS):
                await copy.write(_lines(looks[start : start + ROWS_BETWEEN_BREATHS]))
                await asyncio.sleep(0)


def _lines(looks: list[Look]) -> str:
    """COPY text of some looks, each with a UUIDv7 of the moment of the look; moments are written to the millisecond."""
    noise = int.from_bytes(os.urandom(8 * len(looks)))
    lines, written, head, moment = [], -1, "", ""
    for serial, kind, answer, at in looks:
        milliseconds = int(at * 1000)
        if milliseconds != written:
            written = milliseconds
            head = f"{milliseconds:012x}7"
            moment = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
        random, noise = noise & 0xFFFFFFFFFFFFFFFF, noise >> 64
        lines.append(
            f"{serial}\t{head}{random >> 52:03x}8{random & 0xFFFFFFFFFFFFF:015x}\t{kind}\t{moment}\t{answer}\n"
        )
    return "".join(lines)
