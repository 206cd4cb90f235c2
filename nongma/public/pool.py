"""Connections of the resolver, which runs beside Django and shares its settings but not its connections."""

from typing import Any

from django.db import connection
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

MOST_CONNECTIONS = 8
WAIT_SECONDS = 3.0


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
        configure=_plan_once,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=MOST_CONNECTIONS,
        timeout=WAIT_SECONDS,
        reconnect_timeout=30.0,
        open=False,
        name="nongma-public",
    )


async def _plan_once(connection: AsyncConnection[DictRow]) -> None:
    """Planning the page's statement costs more than running it, and its plan suits every code."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
