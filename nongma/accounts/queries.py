"""Reads about people and posts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.timezone import make_aware

from nongma.accounts.models import Agency, Membership, MembershipQuerySet, Role, User
from nongma.regions.models import Region
from nongma.regions.spans import ancestors_of

TENURES = """
    WITH RECURSIVE chain AS (
        SELECT follows_id FROM accounts_membership
        WHERE user_id = %(user)s AND follows_id IS NOT NULL AND (to_on IS NULL OR to_on >= %(today)s)
        UNION
        SELECT post.follows_id FROM accounts_membership AS post JOIN chain ON post.id = chain.follows_id
        WHERE post.follows_id IS NOT NULL
    )
    SELECT post.user_id, post.from_on, post.to_on + 1 FROM chain JOIN accounts_membership AS post
    ON post.id = chain.follows_id
    WHERE post.user_id <> %(user)s AND NOT EXISTS (
        SELECT FROM accounts_membership AS other
        WHERE other.user_id = post.user_id AND other.agency_id <> post.agency_id
            AND other.from_on <= post.to_on AND coalesce(other.to_on, 'infinity') >= post.from_on
    )
"""


def posts_of(user: User, on: date | None = None) -> MembershipQuerySet:
    """The posts that a person holds on a day (today), agency and region read along."""
    return (
        user.memberships.active(on or timezone.localdate())
        .select_related("agency__region")
        .order_by("agency__region_id", "role", "id")
    )


def all_posts_of(user: User) -> MembershipQuerySet:
    """Every post that a person holds or held, newest first."""
    return user.memberships.select_related("agency__region").order_by("-from_on", "-id")


@dataclass(frozen=True)
class Tenure:
    """Who held a post, from a day to the day of the hand-over, before it was handed over."""

    user: int
    from_on: date
    to_on: date


def tenures_before(user: User) -> list[Tenure]:
    """Who held the person's present posts before, as far back as they were handed over; one query.

    Whoever worked at another agency, too, in that time is left out: what was done there is not the post's.
    """
    with connection.cursor() as cursor:
        cursor.execute(TENURES, {"user": user.pk, "today": timezone.localdate()})
        return [Tenure(*row) for row in cursor.fetchall()]


def done_by(user: User) -> Q:
    """What a person did, and what is handed over with the posts that the person has taken over (交接).

    What was done only for posts elsewhere, which the person has left, stays behind. For models with `user` and
    `created_at`.
    """
    posts = list(user.memberships.select_related("agency"))
    query = Q(user=user)
    for tenure in _left(user, posts):
        query &= ~_during(tenure)
    for tenure in tenures_before(user) if any(post.follows_id for post in posts) else ():
        query |= Q(user=tenure.user) & _during(tenure)
    return query


def _left(user: User, posts: Collection[Membership]) -> list[Tenure]:
    """The posts that the person has left, outside where the person stands today.

    Not those in whose time the person had a post here as well.
    """
    spans = [held.span for held in user.standing if held.span]
    here = [post for post in posts if any(span.covers(post.agency.span) for span in spans)]
    return [
        Tenure(user.pk, post.from_on, post.to_on)
        for post in posts
        if post.to_on and post not in here and not any(_overlap(post, other) for other in here)
    ]


def _overlap(post: Membership, other: Membership) -> bool:
    return other.from_on <= (post.to_on or date.max) and post.from_on <= (other.to_on or date.max)


def _during(tenure: Tenure) -> Q:
    first, last = (make_aware(datetime.combine(day, time.min)) for day in (tenure.from_on, tenure.to_on))
    return Q(created_at__gte=first, created_at__lt=last + timedelta(days=1))


def region_of(user: User) -> Region | None:
    """The widest region of the posts held today; None for an operator's person."""
    regions = [post.agency.region for post in posts_of(user)]
    return min(regions, key=lambda region: (region.level, region.code), default=None)


def place_of(user: User) -> int | None:
    """The code of the widest region of the posts held today, for the audit log."""
    region = region_of(user)
    return region.code if region else None


def place_by_user(users: Collection[int]) -> dict[int, int]:
    """As `place_of`, of many people by their keys in one query; those without a post are left out."""
    posts = Membership.objects.active(timezone.localdate()).filter(user__in=users)
    # The last of a person's posts stays: the widest.
    widest_last = posts.order_by("-agency__region__level", "-agency__region_id")
    return dict(widest_last.values_list("user_id", "agency__region_id"))


def places_of(user: User) -> set[int]:
    """The divisions that a person works in: of every post that has not ended, and of the operators acted for.

    The reverse relation knows its room, so nothing is imported upward.
    """
    posts = user.memberships.filter(Q(to_on=None) | Q(to_on__gte=timezone.localdate()))
    return {*posts.values_list("agency__region_id", flat=True), *operator_places_of(user)}


def operator_places_of(user: User) -> set[int]:
    """The divisions of the operators that a person acts for."""
    return set(user.operator_memberships.filter(to_at=None).values_list("operator__region_id", flat=True))


def administrator_for(user: User) -> Membership | None:
    """The post of the administrator nearest to where the person works, whom to ask for roles.

    Demo people are named in the demo only: nobody could reach them elsewhere.
    """
    places = places_of(user) | ({user.place} if user.place else set())
    divisions = {code for place in places for code in (place, *ancestors_of(place))}
    posts = (
        Membership.objects.active(timezone.localdate())
        .filter(role=Role.ADMINISTRATOR, agency__region_id__in=divisions | {0}, user__is_active=True)
        .filter(user__suspended_at=None, agency__suspended_at=None)
        .exclude(user=user)
        .select_related("user", "agency")
    )
    if not settings.DEMO:
        posts = posts.exclude(user__is_demo=True)
    own = posts.filter(agency=user.agency_id) if user.agency_id else posts.none()
    above = posts.filter(agency__kind=Agency.Kind.SUPERVISION).order_by("-agency__level", "pk")
    return own.first() or above.first()
