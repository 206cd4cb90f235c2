"""Statements that are sent off one after the other, without waiting for each one's answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def unanswered() -> Iterator[None]:
    """For writes at the end of a transaction that ask nothing back: they cost one round trip together.

    What one of them refuses is raised when the block ends, as the same error.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield
