from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max

from nongma.accounts.models import Handout, HandoutRow
from nongma.audit.models import Entry
from nongma.lib.sheets.counting import FieldFaults
from nongma.lib.sheets.counting import faults_by_field as counted

ROWS_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Printed:
    """How often slips of a hand-out were printed, and when last."""

    times: int
    last_at: datetime | None


def printed_of(handout: Handout) -> Printed:
    """How often slips of a hand-out were printed, by the audit log."""
    entries = Entry.objects.of(handout).filter(action="handout.slips_printed")
    return Printed(**entries.aggregate(times=Count("pk"), last_at=Max("at")))


def faults_by_field(handout: Handout) -> list[FieldFaults]:
    """How many faults each column of a hand-out has, most first."""
    return counted("accounts_handoutrow", "handout_id", handout.pk)


def faulty_rows(handout: Handout, field: str, number: str | None) -> Page[HandoutRow]:
    """A page of the rows with faults, all or those of one column."""
    rows = handout.rows.exclude(faults=[]).order_by("row")
    if field:
        rows = rows.filter(faults__contains=[{"field": field}])
    return Paginator(rows, ROWS_A_PAGE).get_page(number)
