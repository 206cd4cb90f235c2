"""A new field key, and every value on file written again under it, while everything goes on (密钥轮换)."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, models, transaction

from nongma.lib import keys
from nongma.lib.fields import DIGEST_KEY, FIELD_KEY, TURN, EncryptedTextField, ring
from nongma.lib.refused import Refused
from nongma.lib.sealed import key_of, reseal

AT_ONCE = 500
"""Rows of a batch: one transaction, and what a rotation holds in memory."""
FIRST = -1
SETTLED = timedelta(hours=24)
"""So long after the newest key was added no transaction is open any more that wrote under an older one."""
Tell = Callable[[str, int], None]


def begin() -> bool:
    """Add a new key, which writes from now on; False when a rotation is under way already, or keys are given.

    Waits for the transactions that hold the keys (`hold_keys`). What is compared by hash keeps the first key
    (`NONGMA_DIGEST_KEY`). Refuses `digest_key_missing`: keys given by the environment without that one.
    """
    if keys.is_given(FIELD_KEY):
        if not keys.given(settings.DATA, DIGEST_KEY):
            raise Refused("digest_key_missing", f"请先把最早的密钥设为 {DIGEST_KEY}，再轮换")
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", TURN)
        if len(ring(anew=True).keys) > 1:
            return False
        path = keys.file_of(settings.DATA, FIELD_KEY)
        lines = path.read_text(encoding="utf-8").split()
        if not keys.given(settings.DATA, DIGEST_KEY):
            keys.write_lines(keys.file_of(settings.DATA, DIGEST_KEY), lines[-1:])
        keys.write_lines(path, [keys.new_key(), *lines])
    return True


def write_anew(tell: Tell) -> int:
    """Write every value of an older key again under the newest; how many rows and files are left.

    A batch of `AT_ONCE` rows is a transaction of its own, and what names the newest key is done: a run that was cut off
    is simply run again. Rows that somebody holds just now are passed over: they are written under the newest key by
    them, or counted among what is left.
    """
    left = 0
    for model in _models():
        tell(model._meta.label, _write_rows_anew(Table(model)))
        left += Table(model).count_left()
    done = 0
    for path in _old_files():
        reseal(path)
        done += 1
    tell("uploads", done)
    return left + len(list(_old_files()))


def check_settled() -> None:
    """Refuses `keys_given` and `too_soon`: what is left is counted once nobody writes under an older key any more."""
    if keys.is_given(FIELD_KEY):
        raise Refused("keys_given", "密钥由环境变量给出，请在那里去掉 NONGMA_FIELD_KEYS_OLD")
    changed_at = keys.file_of(settings.DATA, FIELD_KEY).stat().st_mtime
    if time.time() - changed_at < SETTLED.total_seconds():
        raise Refused("too_soon", "新密钥加入不到 24 小时，可能还有没写完的数据用旧密钥；请过 24 小时再删除")


def drop_old() -> None:
    """Remove the older keys from the key file. Only when `write_anew`, begun after `check_settled`, left nothing."""
    check_settled()
    path = keys.file_of(settings.DATA, FIELD_KEY)
    keys.write_lines(path, path.read_text(encoding="utf-8").split()[:1])
    ring(anew=True)


def _models() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        if _encrypted(model) or getattr(model, "encrypted", None):
            yield model


def _encrypted(model: type[models.Model]) -> list[EncryptedTextField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]


Row = dict[str, Any]


class Table:
    """A model's table as it is stored: undeciphered, by primary key."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.encrypted = _encrypted(model)
        self.declared: dict[str, Callable[[Any], Any]] = getattr(model, "encrypted", {})
        names = [field.name for field in self.encrypted] + list(self.declared)
        indexes = [field.index for field in self.encrypted if field.index]
        beside = {name for field in self.encrypted if field.index for name in field.index_with}
        self.written = list(dict.fromkeys([*names, *indexes]))
        self.read = list(dict.fromkeys([*self.written, *sorted(beside)]))
        self.fields = {field.name: field for field in model._meta.concrete_fields}
        self.key = model._meta.pk

    def after(self, last: int, *, hold: bool = False) -> list[Row]:
        """The next rows that may have something of an older key; `hold`: locked until the transaction ends, without
        those that somebody else has locked.

        The database passes over what is empty or done: of millions of operators few have an ID number on file.
        """
        quote = connection.ops.quote_name
        stored = [str(self.key.column), *(str(self.fields[name].column) for name in self.read)]
        query = (
            f"SELECT {', '.join(map(quote, stored))} FROM {quote(self.model._meta.db_table)} "  # noqa: S608 (names of models and columns)
            f"WHERE {quote(stored[0])} > %s AND ({self._old()}) ORDER BY {quote(stored[0])} LIMIT {AT_ONCE}"
            f"{' FOR NO KEY UPDATE SKIP LOCKED' if hold else ''}"
        )
        done = [] if self.declared else [f"{ring().newest}."] * len(self.encrypted)
        with connection.cursor() as cursor:
            cursor.execute(query, [last, *done])
            return [dict(zip(["pk", *self.read], map(_plain, row), strict=True)) for row in cursor.fetchall()]

    def _old(self) -> str:
        """SQL: something in the row is of an older key; what a model enciphers in a way of its own is always read."""
        if self.declared:
            return "TRUE"
        columns = (connection.ops.quote_name(str(field.column)) for field in self.encrypted)
        return " OR ".join(f"({column} <> '' AND NOT starts_with({column}, %s))" for column in columns)

    def write(self, rows: list[Row]) -> int:
        """Write rows that this transaction holds, all in one statement; how many they are."""
        quote = connection.ops.quote_name
        columns = [quote(str(self.fields[name].column)) for name in self.written]
        types = [self.key.rel_db_type(connection), *(self.fields[name].db_type(connection) for name in self.written)]
        query = (
            f"UPDATE {quote(self.model._meta.db_table)} AS held "  # noqa: S608 (names of models and columns)
            f"SET {', '.join(f'{column} = given.{column}' for column in columns)} "
            f"FROM unnest({', '.join(f'%s::{kind}[]' for kind in types)}) AS given (pk, {', '.join(columns)}) "
            f"WHERE held.{quote(str(self.key.column))} = given.pk"
        )
        with connection.cursor() as cursor:
            cursor.execute(query, [[row[name] for row in rows] for name in ("pk", *self.written)])
            return int(cursor.rowcount)

    def renewed(self, row: Row) -> Row | None:
        """The row with what is of an older key under the newest, indexes too; None when there is nothing."""
        newest = f"{ring().newest}."
        wanted: Row = {}
        for field in self.encrypted:
            stored = row[field.name]
            if not stored:
                continue
            text = field.from_db_value(stored, None, connection)
            if not stored.startswith(newest):
                wanted[field.name] = field.get_prep_value(text)
            if field.index:
                index = field.index_of(str(text), SimpleNamespace(**{name: row[name] for name in field.index_with}))
                if row[field.index] != index:
                    wanted[field.index] = index
        for name, renew in self.declared.items():
            stored = row[name]
            plain = stored.decode() if isinstance(stored, bytes) else stored
            if plain and not plain.startswith(newest):
                wanted[name] = self.fields[name].get_prep_value(renew(stored))
        return row | wanted if wanted else None

    def count_left(self) -> int:
        """How many rows have something of an older key."""
        left, last = 0, FIRST
        while rows := self.after(last):
            left += sum(1 for row in rows if self.renewed(row))
            last = rows[-1]["pk"]
        return left


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _write_rows_anew(table: Table) -> int:
    """Write what is of an older key in one table, batch by batch; how many rows were written."""
    done, last = 0, FIRST
    while True:
        with transaction.atomic():
            rows = table.after(last, hold=True)
            if not rows:
                return done
            done += _renew(table, [renewed for row in rows if (renewed := table.renewed(row))])
            last = rows[-1]["pk"]


def _renew(table: Table, rows: list[Row]) -> int:
    """Write a batch; where one of its numbers is on file twice, halves of it, so that all others are written."""
    if not rows:
        return 0
    try:
        with transaction.atomic():
            return table.write(rows)
    except IntegrityError:
        if len(rows) == 1:
            return 0  # it counts among what is left
    middle = len(rows) // 2
    return _renew(table, rows[:middle]) + _renew(table, rows[middle:])


def _old_files() -> Iterator[Path]:
    newest = ring().newest
    for path in sorted(Path(settings.MEDIA_ROOT).rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            with path.open("rb") as file:
                name = key_of(file)
            if name and name != newest:
                yield path
