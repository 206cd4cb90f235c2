"""A new field key, and every value on file written again under it, while everything goes on (密钥轮换)."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, models, transaction

from nongma.lib import keys
from nongma.lib.fields import DIGEST_KEY, FIELD_KEY, TURN, EncryptedTextField, ring
from nongma.lib.refused import Refused
from nongma.lib.sealed import key_of, reseal

AT_ONCE = 500
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
    """Write every value of an older key again under the newest; how many are left.

    A batch is a transaction of its own and skips what is done, so that a run that was cut off is simply run again. A
    row that somebody changes meanwhile is written under the newest key by them, and is left alone here.
    """
    left = 0
    for model in _models():
        done = 0
        for rows in _batches(model):
            for row in rows:
                done += _renew(model, row)
        tell(model._meta.label, done)
        left += sum(1 for rows in _batches(model) for row in rows if _values(model, row))
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


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    return next(field for field in model._meta.concrete_fields if field.name == name)


def _batches(model: type[models.Model]) -> Iterator[list[dict[str, Any]]]:
    """The rows as they lie in the table, undeciphered, by primary key."""
    declared = getattr(model, "encrypted", {})
    fields = _encrypted(model)
    names = [field.name for field in fields] + list(declared)
    beside = {name for field in fields if field.index for name in (field.index, *field.index_with)}
    columns = ["pk", *dict.fromkeys([*names, *sorted(beside)])]
    stored = [str(model._meta.pk.column), *(str(_field(model, name).column) for name in columns[1:])]
    quote = connection.ops.quote_name
    query = (
        f"SELECT {', '.join(map(quote, stored))} FROM {quote(model._meta.db_table)} "  # noqa: S608 (names of models and columns)
        f"WHERE {quote(stored[0])} > %s ORDER BY {quote(stored[0])} LIMIT {AT_ONCE}"
    )
    last = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [last])
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        if not rows:
            return
        yield rows
        last = rows[-1]["pk"]


def _values(model: type[models.Model], row: dict[str, Any]) -> dict[str, Any]:
    """What of a row has to be written anew: column and value, with the indexes of what is encrypted."""
    newest = f"{ring().newest}."
    wanted: dict[str, Any] = {}
    for field in _encrypted(model):
        stored = row[field.name]
        if not stored:
            continue
        if not stored.startswith(newest):
            wanted[field.name] = field.from_db_value(stored, None, connection)
        if field.index:
            text = field.from_db_value(stored, None, connection)
            index = field.index_of(str(text), model(**{name: row[name] for name in field.index_with}))
            if bytes(row[field.index] or b"") != index:
                wanted[field.index] = index
    for name, renewed in getattr(model, "encrypted", {}).items():
        stored = row[name]
        plain = bytes(stored).decode() if isinstance(stored, memoryview | bytes) else stored
        if plain and not plain.startswith(newest):
            wanted[name] = renewed(stored)
    return wanted


def _renew(model: type[models.Model], row: dict[str, Any]) -> int:
    wanted = _values(model, row)
    if not wanted:
        return 0
    quote = connection.ops.quote_name
    held = {name: value for name, value in row.items() if name != "pk"}
    prepared = {name: _field(model, name).get_db_prep_save(value, connection) for name, value in wanted.items()}
    columns = {name: quote(str(_field(model, name).column)) for name in held}
    where = " AND ".join(f"{columns[name]} IS NOT DISTINCT FROM %s" for name in held)
    query = (
        f"UPDATE {quote(model._meta.db_table)} SET {', '.join(f'{columns[name]} = %s' for name in prepared)} "  # noqa: S608 (names of models and columns)
        f"WHERE {quote(str(model._meta.pk.column))} = %s AND {where}"
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(query, [*prepared.values(), row["pk"], *held.values()])
            return int(cursor.rowcount)
    except IntegrityError:
        return 0  # the same number is on file twice: it counts among what is left


def _old_files() -> Iterator[Path]:
    newest = ring().newest
    for path in sorted(Path(settings.MEDIA_ROOT).rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            with path.open("rb") as file:
                name = key_of(file)
            if name and name != newest:
                yield path
