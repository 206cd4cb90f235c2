"""Finding the people who took part in a training: by search, or by a pasted list of names."""

import re
from dataclasses import dataclass, field

from django.db.models import Q

from nongma.accounts.models import User, UserQuerySet

MOST_AT_ONCE = 500
SHOWN = 50
_BETWEEN = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True)
class Matched:
    """What a pasted list means: the people, the words that mean nobody, and the names that mean several."""

    people: list[User] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)


def managed_by(actor: User) -> UserQuerySet:
    """The open accounts of agencies that the person looks after."""
    return User.objects.visible_to(actor).filter(agency__isnull=False, is_active=True)


def find_people(actor: User, text: str) -> list[User]:
    """The first people whose name or username begins so."""
    if not text.strip():
        return []
    found = managed_by(actor).called(text.strip()).select_related("agency")
    return list(found.order_by("name", "pk")[:SHOWN])


def match_list(actor: User, text: str) -> Matched:
    """The people of a pasted list of usernames and names, apart by lines, spaces or commas; one query."""
    words = list(dict.fromkeys(word for word in _BETWEEN.split(text) if word))[:MOST_AT_ONCE]
    if not words:
        return Matched()
    found = managed_by(actor).filter(Q(username__in=words) | Q(name__in=words))
    by_username = {user.username: user for user in found}
    by_name: dict[str, list[User]] = {}
    for user in by_username.values():
        by_name.setdefault(user.name, []).append(user)
    matched = Matched()
    for word in words:
        people = [by_username[word]] if word in by_username else by_name.get(word, [])
        if len(people) == 1:
            matched.people.append(people[0])
        else:
            (matched.ambiguous if people else matched.missing).append(word)
    return matched
