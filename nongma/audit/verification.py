"""Checking the audit log against its seals."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.db import connection

from nongma.audit.models import Entry, Seal
from nongma.audit.sealing import GONE, NO_SEAL, digest_of, leaf_of, leaves_of, seal_all
from nongma.lib import merkle

SHOWN = 1000


class Fault(StrEnum):
    """What can be wrong with the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    SEAL_CHANGED = "seal_changed"
    SEAL_MISSING = "seal_missing"


SENTENCES = {
    Fault.CHANGED: "记录被改动",
    Fault.REMOVED: "记录被删除",
    Fault.INSERTED: "记录不是平台写入的，从未封存",
    Fault.SEAL_CHANGED: "封存被改动",
    Fault.SEAL_MISSING: "封存被删除，或链条在这里断开",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, in which seal, at which entry."""

    fault: Fault
    seal: int | None = None
    entry_id: UUID | None = None

    def __str__(self) -> str:
        parts = [SENTENCES[self.fault]]
        parts += [f"封存 {self.seal}"] if self.seal is not None else []
        parts += [f"记录 {self.entry_id}"] if self.entry_id else []
        return "，".join(parts)


@dataclass
class Report:
    """What a check read and found; `number` and `digest` are of the last seal, to be kept outside as an anchor."""

    findings: list[Finding] = field(default_factory=list)
    seals: int = 0
    entries: int = 0
    number: int = 0
    digest: bytes = NO_SEAL

    @property
    def sound(self) -> bool:
        return not self.findings


def verify(anchor: tuple[int, bytes] | None = None) -> Report:
    """Seal what waits, then read the whole log and its chain of seals.

    `anchor` is number and digest of a seal, noted outside earlier: it tells whether the end of the chain was cut off.
    """
    seal_all()
    report = Report()
    for seal in Seal.objects.order_by("number").iterator(chunk_size=20):
        report.findings += _faults_of(seal, report)
        if anchor and seal.number == anchor[0] and bytes(seal.digest) != anchor[1]:
            report.findings.append(Finding(Fault.SEAL_CHANGED, seal.number))
        report.seals += 1
        report.entries += len(seal.entry_ids)
        report.number, report.digest = seal.number, bytes(seal.digest)
    if anchor and anchor[0] > report.number:
        report.findings.append(Finding(Fault.SEAL_MISSING, anchor[0]))
    report.findings += [Finding(Fault.INSERTED, entry_id=key) for key in _never_sealed()]
    return report


def _faults_of(seal: Seal, before: Report) -> Iterator[Finding]:
    if seal.number != before.number + 1 or bytes(seal.previous) != before.digest:
        yield Finding(Fault.SEAL_MISSING, before.number + 1)
    leaves = leaves_of(seal)
    whole = len(leaves) == len(seal.entry_ids) and merkle.root(leaves) == bytes(seal.root)
    if not whole or digest_of(seal) != bytes(seal.digest):
        yield Finding(Fault.SEAL_CHANGED, seal.number)
    entries = Entry.objects.in_bulk(seal.entry_ids)
    for key, leaf in zip(seal.entry_ids, leaves, strict=False):
        entry = entries.get(key)
        if entry is None or leaf == GONE:
            yield Finding(Fault.REMOVED, seal.number, key)
        elif leaf_of(entry) != leaf:
            yield Finding(Fault.CHANGED, seal.number, key)


def _never_sealed() -> list[UUID]:
    """Entries that neither a seal nor the queue knows (the first thousand)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH known AS (
                SELECT unnest(entry_ids) AS id FROM audit_seal
                UNION ALL
                SELECT entry_id FROM audit_unsealed
            )
            SELECT entry.id FROM audit_entry entry LEFT JOIN known ON known.id = entry.id
            WHERE known.id IS NULL
            ORDER BY entry.id
            LIMIT %s
            """,
            [SHOWN],
        )
        return [key for (key,) in cursor.fetchall()]


@dataclass(frozen=True)
class Proof:
    """That one entry stands in a seal, without showing the others: RFC 6962's audit path."""

    seal: Seal
    index: int
    leaf: bytes
    path: list[bytes]

    @property
    def holds(self) -> bool:
        size = len(self.seal.entry_ids)
        return merkle.root_from_path(self.leaf, self.index, size, self.path) == bytes(self.seal.root)


def proof_of(entry: Entry) -> Proof | None:
    """The proof for one entry; None while it is not sealed. Reads the seals made after the entry was written."""
    seals = Seal.objects.filter(sealed_at__gte=entry.at, entry_ids__contains=[entry.pk])
    seal = seals.order_by("sealed_at").first()
    if seal is None:
        return None
    index = seal.entry_ids.index(entry.pk)
    return Proof(seal, index, leaf_of(entry), merkle.path(leaves_of(seal), index))
