"""Reading loads of operators."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from nongma.accounts.models import User
from nongma.lib.sheets.counting import FieldFaults
from nongma.lib.sheets.counting import faults_by_field as counted
from nongma.registry.intake.saving import COUNTS
from nongma.registry.intake.sheet import LABELS
from nongma.registry.models import Intake, IntakeOperator, IntakeRow

ROWS_A_PAGE = 50
Outcome = IntakeRow.Outcome
TONES = {
    Outcome.NEW: "green",
    Outcome.UNCHANGED: "grey",
    Outcome.DIFFERS: "amber",
    Outcome.DOUBLED: "amber",
    Outcome.FAULTY: "red",
}
ICONS = {
    Outcome.NEW: "circle-check",
    Outcome.UNCHANGED: "copy",
    Outcome.DIFFERS: "alert-triangle",
    Outcome.DOUBLED: "copy",
    Outcome.FAULTY: "circle-x",
}
LIKELIEST = (Outcome.FAULTY, Outcome.DIFFERS, Outcome.DOUBLED, Outcome.NEW, Outcome.UNCHANGED)
"""Which rows a person wants to see first."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a load that have one outcome."""

    outcome: IntakeRow.Outcome
    count: int
    tone: str
    icon: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class ShownFault:
    """What is wrong in one cell, with the name of its column."""

    label: str
    message: str
    value: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row as the page shows it."""

    row: IntakeRow
    faults: list[ShownFault]


def groups_of(intake: Intake, asked: str) -> list[Group]:
    """The outcomes of a load with their counts; the one that is asked for, or the first that has rows, is shown."""
    counts = {outcome: getattr(intake, COUNTS[outcome]) for outcome in Outcome}
    shown = next((outcome for outcome in Outcome if outcome == asked), None)
    shown = shown or next((outcome for outcome in LIKELIEST if counts[outcome]), Outcome.NEW)
    return [Group(outcome, counts[outcome], TONES[outcome], ICONS[outcome], outcome is shown) for outcome in Outcome]


def rows_of(intake: Intake, outcome: IntakeRow.Outcome, field: str, number: str | None) -> Page[IntakeRow]:
    """A page of the rows that are kept of one outcome, all or those with a fault in one column."""
    rows = intake.rows.filter(outcome=outcome).select_related("operator").order_by("row")
    if field:
        rows = rows.filter(faults__contains=[{"field": field}])
    return Paginator(rows, ROWS_A_PAGE).get_page(number)


def shown_rows(rows: Page[IntakeRow]) -> list[ShownRow]:
    """The rows with their faults in words."""
    return [ShownRow(row, faults_in_words(row)) for row in rows]


def faults_in_words(row: IntakeRow) -> list[ShownFault]:
    """What is wrong in a row, cell by cell."""
    return [_shown(fault) for fault in row.faults]


def faults_by_field(intake: Intake) -> list[FieldFaults]:
    """How many faults each column of a load has, most first."""
    return counted("registry_intakerow", "intake_id", intake.pk)


def loaded_page(intake: Intake, number: str | None) -> Page[IntakeOperator]:
    """A page of what a load put on file, in the order of the sheet."""
    entries = intake.entries.select_related("operator__region").order_by("pk")
    paginator = Paginator(entries, ROWS_A_PAGE)
    paginator.count = intake.made
    return paginator.get_page(number)


def earlier_of(intake: Intake, user: User) -> Intake | None:
    """The latest load of the very same file that the user may see, which put operators on file."""
    same = Intake.objects.visible_to(user).filter(digest=intake.digest, status=Intake.Status.DONE)
    return same.exclude(pk=intake.pk).order_by("-id").first()


def _shown(fault: Mapping[str, Any]) -> ShownFault:
    label = LABELS.get(fault["field"], "经纬度" if fault["field"] == "point" else fault["field"])
    return ShownFault(label, fault["message"], fault.get("value", ""))
