"""Writing the audit log."""

from typing import Any, Protocol

from django.db import models
from django.utils import timezone

from nongma.audit.models import Entry


class Actor(Protocol):
    """Whoever acts: a user of `accounts`, which this room may not know."""

    pk: Any
    name: str


def record(
    action: str, *, actor: Actor | None, target: models.Model, region_code: int | None = None, **details: Any
) -> Entry:
    """Append one entry, in the transaction of what it tells of. `actor` None: the platform itself.

    `action` is `<thing>.<past participle>` (`origin.approved`); `details` must be JSON; no personal data in them.
    """
    return Entry.objects.create(**entry_values(action, actor, target, region_code, details))


def entry_values(
    action: str, actor: Actor | None, target: models.Model, region_code: int | None, details: dict[str, Any]
) -> dict[str, Any]:
    """The fields of one entry."""
    return {
        "at": timezone.now(),
        "actor_id": actor.pk if actor else None,
        "actor_name": actor.name if actor else "",
        "action": action,
        "target_kind": target._meta.model_name,
        "target_id": str(getattr(target, "uid", target.pk)),
        "region_code": region_code,
        "details": details,
    }
