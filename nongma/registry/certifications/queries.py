"""Certifications as an operator's record page shows them."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.registry.models import NOT_TRADING, Certification, Operator


def certifications_of(operator: Operator) -> QuerySet[Certification]:
    """The certifications of an operator with their products, the newest first."""
    found = Certification.objects.filter(operator=operator).select_related("confirmed_by", "operator")
    return found.prefetch_related("products").order_by("-id")


def certification_of(operator: Operator, uid: UUID) -> Certification:
    """One certification of an operator that the person may see; else 404."""
    return get_object_or_404(certifications_of(operator), uid=uid)


def certifications_part(operator: Operator, user: User, on: date | None = None) -> dict[str, Any]:
    """What the part of the record page about certifications needs."""
    day = on or timezone.localdate()
    return {
        "certifications": [(held, held.standing(day)) for held in certifications_of(operator)],
        "may_certify": operator.status not in NOT_TRADING
        and may(user, Action.REGISTER_OPERATOR)
        and Operator.objects.editable_by(user).filter(pk=operator.pk).exists(),
        "may_confirm": operator.status not in NOT_TRADING
        and operator.region_id in scope_of(user, Action.REVIEW_OPERATORS),
    }
