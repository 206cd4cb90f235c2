"""Statements that are sent off one after the other, without waiting for each one's answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, models


@contextmanager
def unanswered() -> Iterator[None]:
    """For writes at the end of a transaction of which none needs another's answer: they cost one round trip together.

    What one of them refuses is raised when the block ends, as the same error.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def insert(new: models.Model) -> Callable[[], None]:
    """Send a new record inside `unanswered`. What comes back gives the record its key, when the block has ended."""
    fields = [field for field in new._meta.local_concrete_fields if not field.primary_key]
    columns = ", ".join(str(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {new._meta.db_table} ({columns}) VALUES ({places}) RETURNING {new._meta.pk.column}"  # noqa: S608
    cursor = connection.cursor()
    cursor.execute(sql, [field.get_db_prep_save(getattr(new, field.attname), connection) for field in fields])

    def settle() -> None:
        (new.pk,) = cursor.fetchone()
        new._state.adding, new._state.db = False, connection.alias
        cursor.close()

    return settle
