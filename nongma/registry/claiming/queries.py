"""Reading claims: what a person is offered, what waits for a reviewer."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Page
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.codes.codec import decode
from nongma.lib.pages import page_of
from nongma.registry.claiming.services import MOST_OFFERED, claimable_by
from nongma.registry.models import Claim, Operator
from nongma.registry.names import public_name

DUE = ("due_on", "id")
MOST_REVOKED = 20


@dataclass(frozen=True)
class Offer:
    """An imported operator as it is shown to who may claim it: a person's name masked, and where."""

    code: str
    name: str
    place: str
    kinds: str


def offers_to(user: User) -> list[Offer]:
    """What stands under the person's proved phone and waits to be claimed."""
    found = claimable_by(user).select_related("region")[:MOST_OFFERED]
    return [Offer(one.code, public_name(one), one.region.full_name, one.kind_names) for one in found]


def offer_of(code: str, user: User) -> Operator:
    """One of them by its code; else 404."""
    serial = decode(code)
    found = claimable_by(user).select_related("region")
    return get_object_or_404(found, serial=-1 if serial is None else serial)


def waiting_claims(user: User) -> QuerySet[Claim]:
    """The claims that the user may decide on and that wait."""
    return Claim.objects.waiting().filter(scope_of(user, Action.REVIEW_OPERATORS).query("region_id"))


def claims_page(user: User, number: Any) -> Page[Claim]:
    """A page of them, what is due first on top."""
    return page_of(waiting_claims(user), DUE, number, natural=DUE, related=("operator", "fresh", "region", "user"))


def revoked_claims(user: User) -> list[Claim]:
    """The newest claims that were taken back in the user's area."""
    found = Claim.objects.revoked().filter(scope_of(user, Action.REVIEW_OPERATORS).query("region_id"))
    return list(found.select_related("operator", "user", "decided_by").order_by("-decided_at")[:MOST_REVOKED])


def earlier_of(claim: Claim) -> list[Claim]:
    """Claims of the same operator by the same person that were taken back: who decides has to know."""
    found = Claim.objects.revoked().filter(operator=claim.operator_id, user=claim.user_id)
    return list(found.exclude(pk=claim.pk).select_related("decided_by").order_by("-id"))


def claim_of(operator: Operator, uid: UUID, user: User) -> Claim:
    """A claim of that operator, if the user may see it; else 404."""
    claims = Claim.objects.visible_to(user).select_related(
        "operator__region", "fresh__region", "user", "decided_by", "region"
    )
    return get_object_or_404(claims, operator=operator, uid=uid)
