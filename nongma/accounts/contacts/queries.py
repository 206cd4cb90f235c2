"""Reading the register of 附件2: who has reported, and what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.core.paginator import Page
from django.db.models import QuerySet

from nongma.accounts.contacts.forms import ContactFilterForm
from nongma.accounts.models import Agency, AgencyQuerySet, Contact, ContactState, User
from nongma.accounts.models.contacts import LEVELS, Entry
from nongma.lib import pages
from nongma.lib.sorting import Sorting
from nongma.regions.models import Region
from nongma.regions.queries import children_of
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span

Kind = Agency.Kind
TONES = {
    ContactState.MISSING: "red",
    ContactState.INCOMPLETE: "amber",
    ContactState.DRAFT: "amber",
    ContactState.REPORTED: "green",
    ContactState.CHANGED: "amber",
}
COLUMNS = {"region": ("region_id", "id"), "name": ("name", "id"), "level": ("level", "region_id", "id")}


@dataclass(frozen=True)
class Wanted:
    """Which lines of the register are meant."""

    q: str = ""
    region: Span = EVERYWHERE
    level: str = ""
    state: str = ""

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> tuple[Self, ContactFilterForm]:
        """The filter that a query string asks for, and its form; what makes no sense is found nowhere."""
        form = ContactFilterForm(parameters)
        if not form.is_valid():
            return cls(region=NOWHERE), form
        region: Region | None = form.cleaned_data["region"]
        chosen = {name: form.cleaned_data[name] for name in ("q", "level", "state")}
        return cls(region=region.span if region else EVERYWHERE, **chosen), form

    def apply(self, agencies: AgencyQuerySet) -> AgencyQuerySet:
        """The agencies of the queryset that meet every condition."""
        if self.region != EVERYWHERE:
            agencies = agencies.inside(self.region)
        if self.level:
            agencies = agencies.filter(level=int(self.level))
        if self.state:
            agencies = agencies.filter(contact_state=self.state)
        return agencies.named(self.q.strip()) if self.q.strip() else agencies


@dataclass(frozen=True)
class Row:
    """An agency's line as the level above reads it."""

    agency: Agency
    contact: Contact | None

    @property
    def entry(self) -> Entry | None:
        return self.contact.reported_entry if self.contact else None

    @property
    def tone(self) -> str:
        return TONES[ContactState(self.agency.contact_state)]


@dataclass(frozen=True)
class Gap:
    """What is missing one level down, by the names of the divisions."""

    label: str
    tone: str
    names: list[str]


def keepers(user: User) -> AgencyQuerySet:
    """The agencies in the person's care that report their contacts."""
    return Agency.objects.visible_to(user).filter(kind=Kind.SUPERVISION, level__in=LEVELS, suspended_at=None)


def page_of(user: User, wanted: Wanted, sorting: Sorting, number: str | None) -> tuple[Page[Any], list[Row]]:
    """A page of the register."""
    found = wanted.apply(keepers(user))
    page = pages.page_of(
        found,
        sorting.fields,
        number,
        natural=COLUMNS["region"],
        is_search=bool(wanted.q.strip()),
        is_small=True,
        related=("region",),
    )
    return page, rows_of(page)


def rows_of(agencies: "QuerySet[Agency] | Page[Any] | list[Agency]") -> list[Row]:
    """The lines of agencies; one query."""
    listed = list(agencies)
    contacts = {one.agency_id: one for one in Contact.objects.filter(agency__in=[one.pk for one in listed])}
    return [Row(agency, contacts.get(agency.pk)) for agency in listed]


def gaps_below(region: Region) -> list[Gap]:
    """What the divisions right below a division still owe: an agency, an entry, a whole entry, the report."""
    children = [one for one in children_of(region.code) if one.level in LEVELS]
    found = Agency.objects.filter(
        kind=Kind.SUPERVISION, region__in=[one.code for one in children], suspended_at=None
    ).values_list("region_id", "contact_state")
    states: dict[int, set[str]] = {}
    for code, state in found:
        states.setdefault(code, set()).add(state)
    owed: dict[str, list[str]] = {}
    for child in children:
        owed.setdefault(_owed(states.get(child.code)), []).append(child.name)
    labels = {
        "agency": ("还没有监管机构", "red"),
        ContactState.MISSING: ("还没有填写", "red"),
        ContactState.INCOMPLETE: ("填写不完整", "amber"),
        ContactState.DRAFT: ("填好了，还没有上报", "amber"),
        ContactState.CHANGED: ("改过，还没有重新上报", "amber"),
    }
    return [Gap(label, tone, owed[key]) for key, (label, tone) in labels.items() if key in owed]


def _owed(states: set[str] | None) -> str:
    """What a division owes, by the state of the furthest of its agencies."""
    if states is None:
        return "agency"
    furthest = (
        ContactState.REPORTED,
        ContactState.CHANGED,
        ContactState.DRAFT,
        ContactState.INCOMPLETE,
        ContactState.MISSING,
    )
    return next(state for state in furthest if state in states)


def own_keepers(user: User) -> list[Row]:
    """The lines of the agencies that the person administers."""
    return rows_of([one for one in user.administers if Contact.is_kept_by(one)])


def widest_of(user: User) -> Region | None:
    """The widest division whose register the person follows."""
    own = [one.region for one in user.administers if one.kind == Kind.SUPERVISION]
    return min(own, key=lambda one: (one.level, one.code), default=None)
