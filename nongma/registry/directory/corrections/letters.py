"""The notice on paper (督促整改通知书, A4)."""

from pathlib import Path

from django.db import transaction

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.sheets.writing import mark_of
from nongma.lib.typesetting import typeset
from nongma.registry.directory.fields import labels_of
from nongma.registry.models import Correction

SOURCE = (Path(__file__).parent / "letter.typ").read_bytes()


@transaction.atomic
def print_letter(*, correction: Correction, actor: User) -> bytes:
    """The letter as PDF, to be handed over; on record."""
    operator = correction.operator
    record(
        "correction.printed",
        actor=actor,
        target=operator,
        region_code=correction.region_id,
        correction=str(correction.uid),
    )
    agency = correction.sent_by.agency
    return typeset(
        SOURCE,
        {
            "number": str(correction.uid)[-12:].upper(),
            "operator": operator.name,
            "code": operator.code,
            "matter": correction.get_matter_display(),
            "finding": correction.finding,
            "fields": labels_of(correction.fields),
            "demand": correction.demand,
            "due_on": f"{correction.due_on:%Y-%m-%d}",
            "sent_on": f"{correction.sent_at:%Y-%m-%d}",
            "agency": agency.name if agency else correction.sent_by.name,
            "mark": mark_of(actor.name, "送达主体"),
        },
        pdf_tags=False,
    )
