"""Reading the directory: the list of entries, narrowed, and the divisions that a person follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.core.paginator import Page
from django.db.models import Q

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.lib.pages import page_of
from nongma.lib.sorting import Sorting
from nongma.regions.models import Region
from nongma.regions.queries import find_region, path_of
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span, span_of
from nongma.registry.directory.forms import EntryFilterForm
from nongma.registry.models import DirectoryEntry, Expected
from nongma.registry.models.directory import DirectoryEntryQuerySet

COLUMNS = {
    "region": ("region_id", "id"),
    "name": ("name", "id"),
    "stale": ("stale_on", "id"),
}
CONDITIONS = {
    "present": Q(operator__isnull=False),
    "missing": Q(operator=None),
    "incomplete": ~Q(lacks=[]),
    "stale": Q(is_stale=True),
    "wrong": Q(is_wrong=True),
    "uncoded": ~Q(uncoded=""),
    "sound": Q(lacks=[], is_stale=False, is_wrong=False, uncoded=""),
}
"""What each count of `figures.WHATS` but the whole is of entries: the list that it adds up to."""


@dataclass(frozen=True)
class EntryFilter:
    """Which entries are meant; without any condition, all of them."""

    q: str = ""
    what: str = ""
    lack: str = ""
    region: Span = EVERYWHERE

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> tuple[Self, EntryFilterForm]:
        """The filter that a query string asks for, and its form; what makes no sense is found nowhere."""
        form = EntryFilterForm(parameters)
        if not form.is_valid():
            return cls(region=NOWHERE), form
        chosen = form.cleaned_data
        region: Region | None = chosen["region"]
        return cls(chosen["q"], chosen["what"], chosen["lack"], region.span if region else EVERYWHERE), form

    def apply(self, entries: DirectoryEntryQuerySet) -> DirectoryEntryQuerySet:
        """The entries of the queryset that meet every condition."""
        if self.what:
            entries = entries.filter(CONDITIONS[self.what])
        if self.lack:
            entries = entries.filter(lacks__contains=[self.lack])
        if self.region != EVERYWHERE:
            entries = entries.filter(region_id__gte=self.region.start, region_id__lte=self.region.stop)
        return entries.named(" ".join(self.q.split())) if self.q.strip() else entries


def entry_page(user: User, wanted: EntryFilter, sorting: Sorting, number: Any) -> Page[DirectoryEntry]:
    """A page of the entries that the user may see and that are meant."""
    return page_of(
        wanted.apply(DirectoryEntry.objects.visible_to(user)),
        sorting.fields,
        number,
        natural=COLUMNS["region"],
        is_search=bool(wanted.q.strip()),
        related=("region", "operator", "expected"),
    )


def expected_page(user: User, region: Region | None, number: Any) -> Page[Expected]:
    """A page of the list of expected ones that are still on it, those of a division."""
    found = Expected.objects.visible_to(user).open()
    if region:
        found = found.filter(region_id__gte=region.span.start, region_id__lte=region.span.stop)
    natural = COLUMNS["region"]
    return page_of(found, natural, number, natural=natural, related=("region", "operator", "added_by"))


def area_of(user: User, code: str) -> Region | None:
    """The division of a code if the person looks after it; without a code, the widest that the person looks after."""
    spans = scope_of(user, Action.VIEW_DIRECTORY).spans
    region = find_region(code) if code else Region.objects.filter(pk__in=[span.start for span in spans[:1]]).first()
    return region if region and any(span.covers(region.span) for span in spans) else None


def steps_to(user: User, region: Region) -> list[Region]:
    """The divisions above that the person may open, too, the widest first."""
    spans = scope_of(user, Action.VIEW_DIRECTORY).spans
    above = [one for one in path_of(region.code) if one.code != region.code]
    whole = Region.objects.filter(pk=EVERYWHERE.start) if region.code else Region.objects.none()
    return [one for one in (*whole, *above) if any(span.covers(span_of(one.code)) for span in spans)]
