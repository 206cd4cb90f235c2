"""Whether the platform is up: for load balancers, supervisors and `make run`."""

import json

from psycopg import Error
from psycopg_pool import PoolTimeout

from nongma.public.pages import Answer
from nongma.public.pool import Pool

# A worker writes its heartbeat every ten seconds; three missed ones mean that it is gone.
HEARTBEAT_SECONDS = 35
STATEMENT = """
SELECT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)) AS alive
"""


def is_up() -> Answer:
    """The process answers."""
    return _answer(200, {"status": "ok"})


async def is_ready(pool: Pool) -> Answer:
    """The database answers and a worker is alive; 503 when not, with which of the two."""
    try:
        async with pool.connection() as connection:
            row = await (await connection.execute(STATEMENT, [HEARTBEAT_SECONDS])).fetchone()
    except (Error, PoolTimeout, OSError):
        return _answer(503, {"status": "not_ready", "database": False, "worker": False})
    alive = bool(row and row["alive"])
    return _answer(200 if alive else 503, {"status": "ok" if alive else "not_ready", "database": True, "worker": alive})


def _answer(status: int, document: dict[str, object]) -> Answer:
    body = json.dumps(document).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-length", str(len(body)).encode()),
    ]
    return Answer(status, headers, body)
