"""Reading agencies: the list, one agency with its posts and who held them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from django.core.paginator import Page
from django.shortcuts import get_object_or_404
from django.utils import timezone

from nongma.accounts.agencies.forms import AgencyFilterForm, State
from nongma.accounts.granting import roles_held_by
from nongma.accounts.models import Agency, AgencyQuerySet, Membership, Role, User
from nongma.lib.pages import page_of
from nongma.lib.sorting import Sorting
from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span

COLUMNS = {
    "region": ("region_id", "id"),
    "name": ("name", "id"),
    "level": ("level", "region_id", "id"),
    "created": ("created_at", "id"),
}
HOLDERS_SHOWN = 20
MOST_POSTS = 500
CHANGES_SHOWN = 20


@dataclass(frozen=True)
class AgencyFilter:
    """Which agencies are meant; without any condition, all of them."""

    q: str = ""
    region: Span = EVERYWHERE
    level: str = ""
    kind: str = ""
    department: str = ""
    state: str = ""

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> tuple[Self, AgencyFilterForm]:
        """The filter that a query string asks for, and its form; what makes no sense is found nowhere."""
        form = AgencyFilterForm(parameters)
        if not form.is_valid():
            return cls(region=NOWHERE), form
        chosen = dict(form.cleaned_data)
        region: Region | None = chosen.pop("region")
        return cls(region=region.span if region else EVERYWHERE, **chosen), form

    def apply(self, agencies: AgencyQuerySet) -> AgencyQuerySet:
        """The agencies of the queryset that meet every condition."""
        for name in ("level", "kind", "department"):
            if value := getattr(self, name):
                agencies = agencies.filter(**{name: value})
        if self.state == State.VACANT:
            agencies = agencies.filter(administrator=None)
        elif self.state:
            agencies = agencies.filter(suspended_at__isnull=self.state != State.SUSPENDED)
        if self.region != EVERYWHERE:
            agencies = agencies.inside(self.region)
        return agencies.named("".join(self.q.split())) if self.q.strip() else agencies


def agency_page(user: User, wanted: AgencyFilter, sorting: Sorting, number: Any) -> Page[Agency]:
    """A page of the agencies that the person looks after and that are meant."""
    return page_of(
        wanted.apply(Agency.objects.visible_to(user)),
        sorting.fields,
        number,
        natural=COLUMNS["region"],
        is_search=bool(wanted.q.strip()),
        is_small=True,
        related=("region", "administrator"),
    )


def agency_of(uid: UUID, user: User) -> Agency:
    """The agency, if the person looks after it; else 404."""
    agencies = Agency.objects.visible_to(user).select_related("region", "parent__region", "administrator")
    return get_object_or_404(agencies, uid=uid)


@dataclass(frozen=True)
class Post:
    """A post of an agency: who holds it, and who held it before, the latest first."""

    role: Role
    holders: list[Membership] = field(default_factory=list)
    earlier: list[Membership] = field(default_factory=list)


def changes_of(posts: Iterable[Post]) -> list[Membership]:
    """Of the posts read, those that were given or ended last, the latest first (任职经过)."""
    rows = [row for post in posts for row in (*post.holders, *post.earlier)]
    return sorted(rows, key=lambda row: (row.ended_on or row.from_on, row.pk), reverse=True)[:CHANGES_SHOWN]


def posts_at(agency: Agency) -> list[Post]:
    """The posts of an agency with everybody who holds or held them; one query, the newest `MOST_POSTS`."""
    posts = {role: Post(role) for role in roles_held_by(agency)}
    today = timezone.localdate()
    rows = Membership.objects.filter(agency=agency).select_related("user", "follows__user").order_by("-from_on", "-id")
    for row in rows[:MOST_POSTS]:
        post = posts.setdefault(Role(row.role), Post(Role(row.role)))
        held = post.holders if row.to_on is None or row.to_on >= today else post.earlier
        held.append(row)
    return list(posts.values())
