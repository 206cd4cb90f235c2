"""Thousands of rows to PostgreSQL at the price of text: COPY, and arrays as parameters.

psycopg adapts each value of a row or an array by itself, which costs more than storing it. Here a batch is
one text.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

_IN_COPY = re.compile(r"[\\\t\n\r]")
_COPY_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_IN_ARRAY = re.compile(r'["\\]')


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows into a table, in the current transaction. Lists go as arrays, mappings as JSON."""
    text = "".join(["\t".join([_copied(value) for value in row]) + "\n" for row in rows])
    if not text:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        copy.write(text)


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array as text, to be a parameter: `unnest(%s::bigint[])`."""
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _copied(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return _IN_COPY.sub(_escape, value) if _IN_COPY.search(value) else value
    if value is None:
        return "\\N"
    if kind is bytes:
        return f"\\\\x{value.hex()}"
    if kind is list:
        return _copied(array(value))
    if kind is dict:
        return _copied(json.dumps(value, ensure_ascii=False))
    if kind is bool:
        return "t" if value else "f"
    return str(value)


def _escape(match: re.Match[str]) -> str:
    return _COPY_ESCAPES[match[0]]


def _element(value: Any) -> str:
    kind = type(value)
    if value is None:
        return "NULL"
    if kind is bytes:
        return f'"\\\\x{value.hex()}"'
    if kind is int:
        return str(value)
    text = value if kind is str else str(value)
    return f'"{_IN_ARRAY.sub(_slash, text)}"'


def _slash(match: re.Match[str]) -> str:
    return "\\" + match[0]
