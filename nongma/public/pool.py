"""Connections of the resolver, which runs beside Django and shares its settings but not its connections."""

from typing import Any

from django.db import connection
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

MOST_CONNECTIONS = 8
WAIT_SECONDS = 3.0
STATEMENT_SECONDS = 5


def connection_arguments() -> dict[str, Any]:
    """What Django's own connection is made with, in the words of psycopg."""
    database = connection.settings_dict
    named = {
        "host": database["HOST"],
        "port": database["PORT"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "dbname": database["NAME"],
    }
    options = {name: value for name, value in database.get("OPTIONS", {}).items() if isinstance(value, str | int)}
    return {name: value for name, value in named.items() if value} | options


def make_pool() -> Pool:
    """A pool that is not open yet: it can only be opened inside the event loop that will use it."""
    return AsyncConnectionPool(
        kwargs=connection_arguments() | {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0},
        configure=_prepare,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=MOST_CONNECTIONS,
        timeout=WAIT_SECONDS,
        reconnect_timeout=30.0,
        open=False,
        name="nongma-public",
    )


async def _prepare(connection: AsyncConnection[DictRow]) -> None:
    """Plan the page's statement once: that costs more than running it. Nobody waits long for any statement."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"SET statement_timeout = {STATEMENT_SECONDS * 1000}")
