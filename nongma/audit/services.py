"""Writing the audit log."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from django.db import models, transaction
from django.utils import timezone

from nongma.audit.middleware import client_address
from nongma.audit.models import Entry, Unsealed, id_of, kind_of

BATCH = 1000

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
    with transaction.atomic(savepoint=False):
        entry.save(force_insert=True)
        Unsealed.objects.create(entry_id=entry.pk)
    return entry


@transaction.atomic
def record_many(action: str, *, actor: Actor | None, targets: Iterable[Target]) -> int:
    """Append one entry for each target `(kind, id, region_code, details)`, a thousand at a time; how many they were."""
    shared = {"at": timezone.now(), "action": action, **_who(actor)}
    count = 0
    batch: list[Entry] = []
    for kind, identity, region_code, details in targets:
        batch.append(
            Entry(target_kind=kind, target_id=identity, region_code=region_code, details=dict(details), **shared)
        )
        if len(batch) == BATCH:
            count += _append(batch)
            batch = []
    return count + _append(batch)


def _append(entries: list[Entry]) -> int:
    Entry.objects.bulk_create(entries)
    Unsealed.objects.bulk_create([Unsealed(entry_id=entry.pk) for entry in entries])
    return len(entries)


def _who(actor: Actor | None) -> dict[str, Any]:
    return {
        "actor_id": actor.pk if actor else None,
        "actor_name": actor.name if actor else "",
        "address": client_address.get(),
    }
