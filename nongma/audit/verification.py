"""Checking the audit log against its seals."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import connection
from django.utils import timezone

from nongma.audit.models import Entry, Seal
from nongma.audit.sealing import GONE, NO_SEAL, digest_of, leaf_of, leaves_of, seal_all
from nongma.lib import merkle

SHOWN = 1000
READ_AT_ONCE = 20
BEFORE_ALL = -(2**63)
"""A forged seal may have any number."""

Anchor = tuple[int, bytes]


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
    """One thing that is wrong: what, in which seal, at which entry, of when; which digest it had and has now."""

    fault: Fault
    seal: int | None = None
    entry_id: UUID | None = None
    at: datetime | None = None
    expected: bytes = b""
    found: bytes = b""

    def __str__(self) -> str:
        parts = [SENTENCES[self.fault]]
        parts += [f"封存 {self.seal}"] if self.seal is not None else []
        parts += [f"记录 {self.entry_id}"] if self.entry_id else []
        return "，".join(parts)

    @property
    def sentence(self) -> str:
        """The whole of it for a person who keeps the log."""
        at = f"（{timezone.localtime(self.at):%Y-%m-%d %H:%M:%S}）" if self.at else ""
        was, now = self.expected.hex() or "不明", self.found.hex() or "没有"
        return {
            Fault.CHANGED: f"第 {self.seal} 个封存里的记录 {self.entry_id}{at}被改动过。"
            f"封存时的摘要是 {was}，现在算出来是 {now}。",
            Fault.REMOVED: f"第 {self.seal} 个封存{at}里的记录 {self.entry_id} 不见了。封存时的摘要是 {was}。",
            Fault.INSERTED: f"记录 {self.entry_id}{at}不是平台写入的，哪个封存里都没有它。",
            Fault.SEAL_CHANGED: f"第 {self.seal} 个封存{at}被改动过。摘要应为 {was}，现在是 {now}。",
            Fault.SEAL_MISSING: f"第 {self.seal} 个封存不见了，或链条在它这里断开。"
            f"应接着的摘要是 {was}，后面的封存接着的是 {now}。",
        }[self.fault]


@dataclass
class Report:
    """What a check read and found; `number` and `digest` are of the last seal, to be kept outside as an anchor."""

    findings: list[Finding] = field(default_factory=list)
    """The first thousand; `found` counts all."""
    found: int = 0
    seals: int = 0
    entries: int = 0
    number: int = 0
    digest: bytes = NO_SEAL

    @property
    def sound(self) -> bool:
        return not self.found

    def add(self, finding: Finding) -> None:
        self.found += 1
        if len(self.findings) < SHOWN:
            self.findings.append(finding)


def verify(anchor: Anchor | None = None, progress: Callable[[Report], None] | None = None) -> Report:
    """Seal what waits, then read the whole log and its chain of seals.

    `anchor` is number and digest of a seal, noted outside earlier: it tells whether the end of the chain was cut off.
    `progress` is told of what was read so far, a few seals at a time.
    """
    seal_all()
    report, after = Report(), BEFORE_ALL
    while seals := list(Seal.objects.filter(number__gt=after).order_by("number")[:READ_AT_ONCE]):
        after = seals[-1].number
        for seal in seals:
            for finding in _faults_of(seal, report):
                report.add(finding)
            if anchor and seal.number == anchor[0] and bytes(seal.digest) != anchor[1]:
                report.add(
                    Finding(
                        Fault.SEAL_CHANGED,
                        seal.number,
                        at=seal.sealed_at,
                        expected=anchor[1],
                        found=bytes(seal.digest),
                    )
                )
            report.seals += 1
            report.entries += len(seal.entry_ids)
            report.number, report.digest = seal.number, bytes(seal.digest)
        if progress:
            progress(report)
    if anchor and anchor[0] > report.number:
        report.add(Finding(Fault.SEAL_MISSING, anchor[0], expected=anchor[1]))
    for key, at in _never_sealed():
        report.add(Finding(Fault.INSERTED, entry_id=key, at=at))
    return report


def anchor_of(text: str) -> Anchor:
    """The seal that a person noted down, `12:9f86d0…`; raises ValueError for anything else."""
    number, _, digest = "".join(text.split()).partition(":")
    anchor = int(number), bytes.fromhex(digest)
    if not 0 < anchor[0] < 2**63 or len(anchor[1]) != merkle.DIGEST_BYTES:
        raise ValueError(text)
    return anchor


def _faults_of(seal: Seal, before: Report) -> Iterator[Finding]:
    at, previous = seal.sealed_at, bytes(seal.previous)
    if seal.number != before.number + 1 or previous != before.digest:
        yield Finding(Fault.SEAL_MISSING, before.number + 1, expected=before.digest, found=previous)
    leaves = leaves_of(seal)
    whole = len(leaves) == len(seal.entry_ids) and merkle.root(leaves) == bytes(seal.root)
    digest, kept = digest_of(seal), bytes(seal.digest)
    if not whole or digest != kept:
        yield Finding(Fault.SEAL_CHANGED, seal.number, at=at, expected=digest, found=kept)
    entries = Entry.objects.in_bulk(seal.entry_ids)
    for key, leaf in zip(seal.entry_ids, leaves, strict=False):
        entry = entries.get(key)
        if entry is None or leaf == GONE:
            yield Finding(Fault.REMOVED, seal.number, key, at=at, expected=b"" if leaf == GONE else leaf)
        elif (now := leaf_of(entry)) != leaf:
            yield Finding(Fault.CHANGED, seal.number, key, at=entry.at, expected=leaf, found=now)


def _never_sealed() -> list[tuple[UUID, datetime]]:
    """Entries that neither a seal nor the queue knows (the first thousand)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH known AS (
                SELECT unnest(entry_ids) AS id FROM audit_seal
                UNION ALL
                SELECT entry_id FROM audit_unsealed
            )
            SELECT entry.id, entry.at FROM audit_entry entry LEFT JOIN known ON known.id = entry.id
            WHERE known.id IS NULL
            ORDER BY entry.id
            LIMIT %s
            """,
            [SHOWN],
        )
        return [(key, at) for key, at in cursor.fetchall()]


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
