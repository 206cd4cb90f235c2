"""Reads of the audit log, by its indexes and page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import models
from django.utils import timezone

from nongma.audit.models import Entry, EntryQuerySet
from nongma.regions.spans import Span

SHOWN_ON_RECORD = 100


def history_of(target: models.Model) -> list[Entry]:
    """What happened to one record, newest first (the last hundred)."""
    return list(Entry.objects.of(target).order_by("-id")[:SHOWN_ON_RECORD])


@dataclass(frozen=True)
class Search:
    """What a person looks for in the log; days are included on both ends."""

    from_on: date
    to_on: date
    person: int | None = None
    action: str = ""
    kind: str = ""
    target: str = ""


def search(spans: Sequence[Span], wanted: Search) -> EntryQuerySet:
    """The entries of places inside the spans that answer a search, newest first."""
    start, stop = _midnight(wanted.from_on), _midnight(wanted.to_on + timedelta(days=1))
    entries = Entry.objects.within(spans).between(start, stop)
    if wanted.person is not None:
        entries = entries.filter(actor_id=wanted.person)
    if wanted.action:
        entries = entries.filter(action=wanted.action)
    if wanted.kind:
        entries = entries.filter(target_kind=wanted.kind)
    if wanted.target:
        entries = entries.filter(target_id=wanted.target)
    return entries.order_by("-id")


@dataclass(frozen=True)
class Slice:
    """A page of the log, by the key it begins after: no page costs more than the first."""

    entries: list[Entry]
    before: UUID | None


def key_of(text: str) -> UUID | None:
    """The key that an address names; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def slice_of(entries: EntryQuerySet, before: UUID | None, size: int) -> Slice:
    """The `size` entries older than `before` (None: the newest), and the key where the next page begins."""
    rows = list((entries.filter(pk__lt=before) if before else entries)[: size + 1])
    return Slice(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
