"""What a person finds in the audit log: of the own area, by date, person, region, kind and record."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.models import EntryQuerySet, first_key
from nongma.audit.queries import Search, search
from nongma.origins.models import ImportJob
from nongma.regions.models import Region
from nongma.regions.spans import Span, span_of


@dataclass(frozen=True)
class Wanted:
    """A search, with what the log's own search does not know: namesakes, a place, the rows of one import."""

    search: Search
    people: list[int] | None = None
    region: Region | None = None
    job: UUID | None = None


def found_by(user: User, wanted: Wanted) -> EntryQuerySet:
    """The entries that the user may see and looks for, newest first."""
    entries = search(_spans(user, wanted.region), wanted.search)
    if wanted.people is not None:
        entries = entries.filter(actor_id__in=wanted.people)
    if wanted.job:
        return _rows_of(wanted.job, entries)
    if not wanted.search.action and not wanted.search.target:
        entries = entries.deeds()
    return entries


def _spans(user: User, region: Region | None) -> tuple[Span, ...]:
    own = scope_of(user, Action.VIEW_AUDIT).spans
    if region is None:
        return own
    place = span_of(region.code)
    if any(span.covers(place) for span in own):
        return (place,)
    return tuple(span for span in own if place.covers(span))


def _rows_of(uid: UUID, entries: EntryQuerySet) -> EntryQuerySet:
    """What an import wrote row by row: a stretch of its person's entries, by their index."""
    job = ImportJob.objects.filter(uid=uid).first()
    if job is None:
        return entries.none()
    start = job.started_at or job.created_at
    stop = (job.finished_at or timezone.now()) + timedelta(seconds=1)
    written = entries.filter(actor_id=job.user_id, pk__gte=first_key(start), pk__lt=first_key(stop))
    return written.filter(action="origin.imported", details__import=str(uid))
