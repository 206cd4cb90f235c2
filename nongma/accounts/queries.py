"""Reads about people and posts."""

from datetime import date

from django.db.models import Q
from django.utils import timezone

from nongma.accounts.models import MembershipQuerySet, User
from nongma.regions.models import Region


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


def region_of(user: User) -> Region | None:
    """The widest region of the posts held today; None for an operator's person."""
    regions = [post.agency.region for post in posts_of(user)]
    return min(regions, key=lambda region: (region.level, region.code), default=None)


def place_of(user: User) -> int | None:
    """The code of the widest region of the posts held today, for the audit log."""
    region = region_of(user)
    return region.code if region else None


def places_of(user: User) -> set[int]:
    """The divisions that a person works in: of every post that has not ended, and of the operators acted for.

    The reverse relation knows its room, so nothing is imported upward.
    """
    posts = user.memberships.filter(Q(to_on=None) | Q(to_on__gte=timezone.localdate()))
    return {
        *posts.values_list("agency__region_id", flat=True),
        *user.operator_memberships.values_list("operator__region_id", flat=True),
    }
