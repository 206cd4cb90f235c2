"""Reading the calendar (采集日历): what is due, overdue or done in a person's area, by the indexes of the dues."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

from django.core.paginator import Page
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.pages import MOST_LISTED, page_of
from nongma.lib.sorting import Sorting
from nongma.origins.due.forms import DueFilterForm
from nongma.origins.due.tally import Tally, tallies
from nongma.origins.models import Due, DueQuerySet
from nongma.regions.models import Region
from nongma.regions.queries import find_region
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span

COLUMNS: dict[str, tuple[str, ...]] = {
    "region": ("region_id", "due_on", "id"),
    "due": ("due_on", "region_id", "id"),
    "name": ("operator__name", "id"),
    "product": ("product__code", "due_on", "id"),
    "collector": ("collector__name", "due_on", "id"),
}
DONE_COLUMNS: dict[str, tuple[str, ...]] = {
    "region": ("region_id", "met_on", "id"),
    "met": ("-met_on", "region_id", "id"),
}
RELATED = ("origin", "operator", "product", "region", "collector", "met_by")
MANY = 1_000


@dataclass(frozen=True)
class DueFilter:
    """Which dues are meant; without any condition, all that wait."""

    tab: str = "open"
    region: Span = EVERYWHERE
    product: Product | None = None
    collectors: tuple[int, ...] | None = None
    rhythm: str = ""
    month: date | None = None

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> tuple[Self, DueFilterForm]:
        """The filter that a query string asks for, and its form; what makes no sense is found nowhere."""
        form = DueFilterForm(parameters)
        if not form.is_valid():
            return cls(region=NOWHERE), form
        chosen = form.cleaned_data
        region: Region | None = chosen["region"]
        collectors = chosen["collector"]
        return (
            cls(
                chosen["tab"],
                region.span if region else EVERYWHERE,
                chosen["product"],
                None if collectors is None else tuple(collectors),
                chosen["rhythm"],
                chosen["month"],
            ),
            form,
        )

    @property
    def is_narrowed(self) -> bool:
        return self != type(self)(tab=self.tab)

    def apply(self, dues: DueQuerySet, today: date) -> DueQuerySet:
        """The dues of the queryset that meet every condition, as things stand on a day."""
        found = self.narrowed(dues)
        if self.tab == "done":
            return found.exclude(outcome=Due.Outcome.OPEN)
        if self.tab == "overdue":
            return found.open().filter(due_on__lt=today)
        return (
            found.open().filter(due_on__gte=today)
            if self.month
            else found.open().filter(due_on__gte=today, opens_on__lte=today)
        )

    def narrowed(self, dues: DueQuerySet) -> DueQuerySet:
        """What the filter asks for but for the tab."""
        if self.region != EVERYWHERE:
            dues = dues.filter(region_id__gte=self.region.start, region_id__lte=self.region.stop)
        if self.product:
            dues = dues.filter(product=self.product)
        if self.collectors is not None:
            dues = dues.filter(collector__in=self.collectors)
        if self.rhythm:
            dues = dues.filter(rhythm=self.rhythm)
        if self.month:
            last = self.month.replace(day=monthrange(self.month.year, self.month.month)[1])
            dues = dues.filter(due_on__range=(self.month, last))
        return dues


def due_page(user: User, wanted: DueFilter, sorting: Sorting, number: Any, today: date) -> Page[Due]:
    """A page of the dues that are meant and that the user may see."""
    found = wanted.apply(Due.objects.visible_to(user), today)
    return page_of(found, sorting.fields, number, natural=natural_of(wanted), related=RELATED)


def columns_of(wanted: DueFilter) -> dict[str, tuple[str, ...]]:
    """What the list may be sorted by."""
    return DONE_COLUMNS if wanted.tab == "done" else COLUMNS


def usual_of(wanted: DueFilter) -> str:
    """What the list is sorted by unless asked: what is open by its deadline, what is done by place."""
    return "region" if wanted.tab == "done" else "due"


def natural_of(wanted: DueFilter) -> tuple[str, ...]:
    """The order that an index has: of a nation's dues it reads those that the list is about and no others."""
    return columns_of(wanted)[usual_of(wanted)]


def counts_of(user: User, wanted: DueFilter, today: date) -> dict[str, int]:
    """How many wait and how many are overdue, of those meant; counted to `MANY` at most."""
    found = wanted.narrowed(Due.objects.visible_to(user)).open().order_by()
    return {
        "open": found.filter(opens_on__lte=today, due_on__gte=today)[:MANY].count(),
        "overdue": found.filter(due_on__lt=today)[:MANY].count(),
    }


def waiting_of(user: User) -> int:
    """How many wait for being collected in the user's area or of the user's operators, overdue or not."""
    return (
        Due.objects.visible_to(user).open().filter(opens_on__lte=timezone.localdate()).order_by()[:MOST_LISTED].count()
    )


def due_of(uid: UUID, user: User, *, outcome: Due.Outcome = Due.Outcome.OPEN) -> Due:
    """The due of a record, if the user may see it; else 404. Of several that ended, the last."""
    found: QuerySet[Due] = Due.objects.visible_to(user).filter(origin__uid=uid).order_by("-id")
    wanted = found.filter(outcome=outcome).first()
    return wanted or get_object_or_404(found[:1])


def area_of(user: User, code: str) -> Region | None:
    """The division of a code if it lies in the user's area; without a code, the widest of the user's own."""
    spans = scope_of(user).spans
    region = find_region(code) if code else Region.objects.filter(pk__in=[span.start for span in spans[:1]]).first()
    return region if region and any(span.covers(region.span) for span in spans) else None


@dataclass(frozen=True)
class Row:
    """A line of the table of punctuality."""

    name: str
    tally: Tally


def punctuality(user: User, region: Region, by: str, first: date, last: date) -> list[Row]:
    """Who collected in time in a division, by collector or township, from one month to another, the worst first."""
    stop = last.replace(day=monthrange(last.year, last.month)[1])
    dues = Due.objects.visible_to(user).filter(region_id__gte=region.span.start, region_id__lte=region.span.stop)
    found = tallies(dues, by=by, first=first, last=stop)
    keys = [one.key for one in found]
    if by == "collector":
        names = dict(User.objects.filter(pk__in=keys).values_list("pk", "name"))
    else:
        names = dict(Region.objects.filter(pk__in=keys).values_list("pk", "full_name"))
    return [Row(names.get(one.key, str(one.key)), one) for one in found]
