"""Work that one worker does at a time, held by the connection: one that dies lets go by itself."""

import contextlib
import hashlib
from collections.abc import Generator

from django.db import DatabaseError, connection


class RunsElsewhere(Exception):
    """Another worker still does this work, or its connection has not been noticed as dead yet."""


@contextlib.contextmanager
def alone(kind: int, number: int) -> Generator[None]:
    """Hold one piece of work of a kind for this connection. Raises `RunsElsewhere` when another holds it."""
    key = [kind, number % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        if not cursor.fetchone()[0]:
            raise RunsElsewhere(f"{kind}:{number}")
    try:
        yield
    finally:
        with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


def take_turn(kind: int, name: str) -> None:
    """Wait for one's turn at what is called so, and keep it until the transaction ends."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [kind, number])
