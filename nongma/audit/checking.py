"""Having the worker check the whole log, with progress, one check at a time (审计核对)."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from nongma.audit.models import Check, Seal
from nongma.audit.services import Actor, record
from nongma.audit.verification import Fault, Finding, Report, anchor_of, verify
from nongma.lib.locks import alone
from nongma.lib.refused import Misfilled, Refused

FINDINGS_KEPT = 20
MOST_ATTEMPTS = 3
CHECK_LOCK = 0x6368_6563
SAVED_EVERY = 1.0
"""Seconds."""


def start_check(*, actor: Actor, anchor: str = "") -> Check:
    """Queue a check. `anchor` is a seal that a person noted down earlier, `12:9f86d0…`.

    Refuses `check_running` and `bad_anchor`.
    """
    number, digest = _read(anchor)
    try:
        with transaction.atomic():
            check = Check.objects.create(
                actor_id=actor.pk, actor_name=actor.name, anchor_number=number, anchor_digest=digest
            )
            record("audit.check_started", actor=actor, target=check)
            _defer(check)
    except IntegrityError:
        raise Refused("check_running", "正在核对，请等这一次完成") from None
    return check


def run_check(uid: UUID | str) -> None:
    """Check the log and keep what was found. Safe to call again after a kill: it begins anew.

    Raises `RunsElsewhere`, and whatever may pass by itself until it has been tried three times.
    """
    check = Check.objects.get(uid=uid)
    with alone(CHECK_LOCK, check.pk):
        check.refresh_from_db()
        if check.is_over:
            return
        if check.attempts >= MOST_ATTEMPTS:
            _finish(check, Check.State.FAILED, "核对多次中断，没有完成；请技术人员看运行日志后再试")
            return
        last = Seal.objects.order_by("-number").values_list("number", flat=True).first()
        check.state, check.attempts, check.last_seal = Check.State.RUNNING, check.attempts + 1, last or 0
        _keep(check, Report())
        check.save()
        anchor = None
        if check.anchor_number and check.anchor_digest:
            anchor = (check.anchor_number, bytes(check.anchor_digest))
        report = verify(anchor, _saving(check))
        _keep(check, report)
        _finish(check, Check.State.DONE)


def findings_of(check: Check) -> list[Finding]:
    """What a check found, the first twenty."""
    return [
        Finding(
            fault=Fault(kept["fault"]),
            seal=kept["seal"],
            entry_id=UUID(kept["entry_id"]) if kept["entry_id"] else None,
            at=datetime.fromisoformat(kept["at"]) if kept["at"] else None,
            expected=bytes.fromhex(kept["expected"]),
            found=bytes.fromhex(kept["found"]),
        )
        for kept in check.findings
    ]


def last_check() -> Check | None:
    """The newest check, whether it runs or is over."""
    return Check.objects.order_by("-id").first()


def _saving(check: Check) -> Callable[[Report], None]:
    """Keeps how far the check is, once a second."""
    saved = time.monotonic()

    def save(report: Report) -> None:
        nonlocal saved
        if time.monotonic() - saved >= SAVED_EVERY:
            _keep(check, report)
            check.save()
            saved = time.monotonic()

    return save


def _keep(check: Check, report: Report) -> None:
    check.seals, check.entries, check.found = report.seals, report.entries, report.found
    check.number, check.digest = report.number, report.digest
    check.findings = [_kept(finding) for finding in report.findings[:FINDINGS_KEPT]]


def _kept(finding: Finding) -> dict[str, Any]:
    texts = {name: value.hex() for name, value in asdict(finding).items() if isinstance(value, bytes)}
    return {
        "fault": finding.fault.value,
        "seal": finding.seal,
        "entry_id": str(finding.entry_id) if finding.entry_id else None,
        "at": finding.at.isoformat() if finding.at else None,
        **texts,
    }


@transaction.atomic
def _finish(check: Check, state: Check.State, message: str = "") -> None:
    check.state, check.message, check.finished_at = state, message, timezone.now()
    check.save()
    counts = {"seals": check.seals, "entries": check.entries, "faults": check.found}
    record("audit.check_finished", actor=None, target=check, **counts)


def _read(anchor: str) -> tuple[int | None, bytes | None]:
    if not anchor.strip():
        return None, None
    try:
        return anchor_of(anchor)
    except ValueError:
        raise Misfilled(
            "bad_anchor", "要写成“序号:摘要”，摘要是 64 位的 0-9 和 a-f，和上次记下的一样", field="anchor"
        ) from None


def _defer(check: Check) -> None:
    from nongma.audit.tasks import check_log

    check_log.defer(uid=str(check.uid))
