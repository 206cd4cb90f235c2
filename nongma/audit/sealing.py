"""Sealing the audit log, so that whoever changes, removes or slips in a line is found out (docs/adr/0004)."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from nongma.audit.models import Entry, Seal, Unsealed
from nongma.lib import keys, merkle

SEALED_AT_ONCE = 1000
SEALER_LOCK = 0x6E6F6E676D61  # any number that nothing else in the database locks
NO_SEAL = bytes(merkle.DIGEST_BYTES)
GONE = bytes(merkle.DIGEST_BYTES)


def seal_all() -> int:
    """Seal every entry that waits, batch by batch; how many there were. Writers of the log never wait for it."""
    total = 0
    while sealed := seal_batch():
        total += sealed
    return total


@transaction.atomic
def seal_batch() -> int:
    """Seal the oldest entries that wait; how many. Sealers queue behind one lock, so that the chain has no fork."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALER_LOCK])
    ids = list(Unsealed.objects.order_by("entry_id").values_list("entry_id", flat=True)[:SEALED_AT_ONCE])
    if not ids:
        return 0
    entries = Entry.objects.in_bulk(ids)
    # An entry that was removed while it waited keeps its place, so that `verify` tells of it.
    leaves = [leaf_of(entries[key]) if key in entries else GONE for key in ids]
    last = Seal.objects.order_by("-number").first()
    seal = Seal(
        number=last.number + 1 if last else 1,
        entry_ids=ids,
        leaves=b"".join(leaves),
        root=merkle.root(leaves),
        previous=bytes(last.digest) if last else NO_SEAL,
        sealed_at=timezone.now(),
    )
    seal.digest = digest_of(seal)
    seal.save(force_insert=True)
    Unsealed.objects.filter(entry_id__in=ids).delete()
    return len(ids)


def leaf_of(entry: Entry) -> bytes:
    """The digest of everything that an entry says."""
    fields = [
        str(entry.pk),
        _moment(entry.at),
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.target_kind,
        entry.target_id,
        entry.region_code,
        entry.details,
        entry.address,
    ]
    return merkle.leaf(json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


def leaves_of(seal: Seal) -> list[bytes]:
    """The digests of a seal's entries, in their order."""
    joined, size = bytes(seal.leaves), merkle.DIGEST_BYTES
    return [joined[start : start + size] for start in range(0, len(joined), size)]


def digest_of(seal: Seal) -> bytes:
    """What a seal's digest must be. Keyed: the database alone is not enough to write the chain anew."""
    content = [
        str(seal.number).encode(),
        bytes(seal.previous),
        bytes(seal.root),
        _moment(seal.sealed_at).encode(),
        _joined(seal.entry_ids),
    ]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in content)
    return hmac.new(_key(), message, hashlib.sha256).digest()


def _joined(ids: Sequence[UUID]) -> bytes:
    return b"".join(key.bytes for key in ids)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@cache
def _key() -> bytes:
    return keys.key_bytes(settings.DATA, "NONGMA_AUDIT_KEY", 32)
