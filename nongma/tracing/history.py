"""A lot's history (经过): what was done to it, from the audit log, and what happened to it, from its trace events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.urls import reverse

from nongma.audit.labels import action_label
from nongma.audit.models import Entry
from nongma.audit.queries import SHOWN_ON_RECORD, history_of
from nongma.catalogue.models import Unit
from nongma.codes.codec import decode
from nongma.tracing.models import Lot, TraceEvent
from nongma.tracing.sales import Party, Sale

Step = TraceEvent.Step

# What happens to a lot when the deed is done to something else: to its certificate, or to the lot that it came from or
# went into. The audit log has those deeds on the other record.
FROM_OUTSIDE = (Step.SPLIT, Step.MIXED, Step.BOUGHT, Step.CERTIFIED, Step.REVOKED, Step.RECALLED)


@dataclass(frozen=True)
class Happening:
    """One line of a lot's history. `party` is the other side of a sale, `url` leads to the record named by `code`."""

    at: datetime
    deed: str
    who: str = ""
    reason: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    reached: int = 0
    party: Party | None = None
    way: str = ""
    named: str = ""
    code: str = ""
    url: str = ""

    @property
    def unit_name(self) -> str:
        return Unit(self.unit).label if self.unit else ""


def history_of_lot(lot: Lot, sales: Iterable[Sale], *, with_certificates: bool) -> list[Happening]:
    """What happened to a lot, the newest first (the last hundred). `sales` are the lot's, with their names.

    Without its certificates it tells that they were issued and revoked, and neither who did it nor where to open them.
    """
    by_uid = {str(sale.transfer.uid): sale for sale in sales}
    done = [_done(lot, entry, by_uid.get(str(entry.details.get("transfer")))) for entry in history_of(lot)]
    events = list(
        TraceEvent.objects.filter(lot_serial=lot.serial, step__in=FROM_OUTSIDE).order_by("-id")[:SHOWN_ON_RECORD]
    )
    certificates = _certificates_of(lot, events) if with_certificates else {}
    bought = next((sale for sale in by_uid.values() if sale.transfer.received_id == lot.pk), None)
    came = [found for event in events if (found := _came(event, bought, certificates))]
    return sorted(done + came, key=lambda happening: happening.at, reverse=True)[:SHOWN_ON_RECORD]


def _done(lot: Lot, entry: Entry, sale: Sale | None) -> Happening:
    details = entry.details
    reached = details.get("reached")
    return Happening(
        entry.at,
        action_label(entry.action),
        who=entry.actor_name,
        reason=details.get("reason", ""),
        quantity=_quantity(details),
        unit=lot.unit,
        reached=len(reached) if isinstance(reached, list) else 0,
        party=sale.buyer if sale else None,
        way="售给",
    )


def _came(event: TraceEvent, bought: Sale | None, certificates: Mapping[str, Any]) -> Happening | None:
    """What an event tells; None for one that the audit log of the lot tells better."""
    details = event.details
    known: dict[str, Any] = {"quantity": _quantity(details), "unit": details.get("unit", "")}
    if event.step in (Step.CERTIFIED, Step.REVOKED):
        certificate = certificates.get(details["certificate"])
        known |= {"named": "合格证", "code": details["certificate"], "reason": details.get("reason", "")}
        if certificate:
            issued = event.step == Step.CERTIFIED
            who = certificate.issued_by if issued else certificate.revoked_by
            known |= {"url": certificate.get_absolute_url(), "who": who.name}
        return Happening(event.at, Step(event.step).label, **known)
    if event.step == Step.BOUGHT:
        return Happening(event.at, Step.BOUGHT.label, party=bought.seller if bought else None, way="来自", **known)
    if "source" not in details and "into" not in details:
        return None
    if event.step == Step.RECALLED:
        return Happening(
            event.at, "随来源批次召回", reason=details.get("reason", ""), named="来源批次", code=details["source"]
        )
    named, code = ("去向批次", details["into"]) if "into" in details else ("来源批次", details["source"])
    return Happening(event.at, Step(event.step).label, named=named, code=code, url=reverse("tracing:lot", args=[code]))


def _quantity(details: Mapping[str, Any]) -> Decimal | None:
    return Decimal(details["quantity"]) if "quantity" in details else None


def _certificates_of(lot: Lot, events: Iterable[TraceEvent]) -> dict[str, models.Model]:
    """The lot's certificates that events tell of, by code. A reverse relation knows its room: nothing upward here."""
    codes = {event.details["certificate"] for event in events if "certificate" in event.details}
    serials = [serial for code in codes if (serial := decode(code)) is not None]
    found = lot.certificates.filter(serial__in=serials).select_related("issued_by", "revoked_by")
    return {certificate.code: certificate for certificate in found}
