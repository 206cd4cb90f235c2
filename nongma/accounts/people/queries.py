"""Reading people: the list, and one person with posts held and held before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.core.paginator import Page
from django.shortcuts import get_object_or_404

from nongma.accounts.models import Agency, Membership, User, UserQuerySet
from nongma.accounts.people.forms import PersonFilterForm, State
from nongma.lib import phones
from nongma.lib.fields import blind_indexes
from nongma.lib.pages import page_of
from nongma.lib.sorting import Sorting
from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span

COLUMNS = {
    "place": ("place", "id"),
    "name": ("name", "id"),
    "username": ("username",),
    "seen": ("last_login", "id"),
}


@dataclass(frozen=True)
class PersonFilter:
    """Which people are meant; without a state, all but closed accounts."""

    q: str = ""
    region: Span = EVERYWHERE
    role: str = ""
    state: str = ""

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> tuple[Self, PersonFilterForm]:
        """The filter that a query string asks for, and its form; what makes no sense is found nowhere."""
        form = PersonFilterForm(parameters)
        if not form.is_valid():
            return cls(region=NOWHERE), form
        chosen = dict(form.cleaned_data)
        region: Region | None = chosen.pop("region")
        return cls(region=region.span if region else EVERYWHERE, **chosen), form

    def apply(self, people: UserQuerySet) -> UserQuerySet:
        """The people of the queryset that meet every condition."""
        people = people.filter(is_active=self.state != State.CLOSED)
        if self.state == State.SUSPENDED:
            people = people.filter(suspended_at__isnull=False)
        elif self.state == State.UNCLAIMED:
            people = people.filter(must_change_password=True)
        elif self.state == State.THIRD_PARTY:
            people = people.filter(third_party__isnull=False)
        if self.role:
            people = people.filter(roles__contains=[self.role])
        if self.region != EVERYWHERE:
            people = people.filter(place__gte=self.region.start, place__lte=self.region.stop)
        return _called(people, "".join(self.q.split())) if self.q.strip() else people


def _called(people: UserQuerySet, text: str) -> UserQuerySet:
    """People by what is typed: a whole phone number, the beginning of a username, or part of a name."""
    if phones.is_mobile(phones.tidy(text)):
        return people.filter(phone_index__in=blind_indexes(phones.tidy(text)))
    return people.called(text)


def people_page(user: User, wanted: PersonFilter, sorting: Sorting, number: Any) -> Page[User]:
    """A page of the people whose accounts the person looks after and that are meant."""
    return page_of(
        wanted.apply(User.objects.visible_to(user)),
        sorting.fields,
        number,
        natural=COLUMNS["place"],
        is_search=bool(wanted.q.strip()),
        is_small=True,
        related=("agency__region", "third_party"),
    )


def person_of(uid: UUID, user: User) -> User:
    """The person, if the account is in the user's care; else 404."""
    people = User.objects.visible_to(user).select_related("agency__region", "third_party")
    return get_object_or_404(people, uid=uid)


def post_of(uid: UUID, user: User) -> Membership:
    """The post, if its agency is in the user's care; else 404."""
    posts = Membership.objects.filter(agency__in=Agency.objects.visible_to(user))
    return get_object_or_404(posts.select_related("agency__region", "user"), uid=uid)
