"""Writing the audit log."""

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from django.db import connection, models, transaction
from django.utils import timezone

from nongma.audit.middleware import client_address
from nongma.audit.models import Entry, Unsealed, id_of, kind_of
from nongma.lib.copying import copy_rows
from nongma.lib.ids import uuid7

BATCH = 1000
COLUMNS = (
    "id", "at", "actor_id", "actor_name", "address", "action", "target_kind", "target_id", "region_code", "details",
)  # fmt: skip

APPEND = f"""
    WITH entry AS (
        INSERT INTO audit_entry ({", ".join(COLUMNS)}) VALUES ({", ".join(["%s"] * len(COLUMNS))}) RETURNING id
    )
    INSERT INTO audit_unsealed (entry_id) SELECT id FROM entry
"""  # noqa: S608 (names of columns, nothing from outside)

Target = tuple[str, str, int | None, Mapping[str, Any]]


class Actor(Protocol):
    """Whoever acts: a user of `accounts`, which this room may not know."""

    pk: Any
    name: str


def record(
    action: str, *, actor: Actor | None, target: models.Model, region_code: int | None = None, **details: Any
) -> Entry:
    """Append one entry, in the transaction of what it tells of. `actor` None: the platform itself.

    `action` is `<thing>.<past participle>` (`origin.approved`), its Chinese label stands in `labels.py`; `details`
    must be JSON; no personal data in them.
    """
    entry = Entry(
        at=timezone.now(),
        action=action,
        target_kind=kind_of(target),
        target_id=id_of(target),
        region_code=region_code,
        details=details,
        **_who(actor),
    )
    values = [getattr(entry, column) for column in COLUMNS[:-1]]
    with connection.cursor() as cursor:
        cursor.execute(APPEND, [*values, json.dumps(details, ensure_ascii=False)])
    return entry


@transaction.atomic
def record_many(action: str, *, actor: Actor | None, targets: Iterable[Target]) -> int:
    """Append one entry for each target `(kind, id, region_code, details)`, a thousand at a time; how many they were."""
    who = _who(actor)
    shared = (timezone.now(), who["actor_id"], who["actor_name"], who["address"], action)
    count = 0
    waiting = iter(targets)
    while batch := list(itertools.islice(waiting, BATCH)):
        rows = [(uuid7(), *shared, *target[:3], dict(target[3])) for target in batch]
        copy_rows(Entry._meta.db_table, COLUMNS, rows)
        copy_rows(Unsealed._meta.db_table, ("entry_id",), [row[:1] for row in rows])
        count += len(rows)
    return count


def told(value: Any) -> Any:
    """A value as an entry keeps it in its details: dates and numbers as they are written, a record by its name."""
    return value if value is None or isinstance(value, str | int | list) else str(value)


def _who(actor: Actor | None) -> dict[str, Any]:
    return {
        "actor_id": actor.pk if actor else None,
        "actor_name": actor.name if actor else "",
        "address": client_address.get(),
    }
