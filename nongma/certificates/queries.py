"""Reading what may still be promised, and certificates with all that a page or a label shows of them."""

from decimal import Decimal

from django.db.models import QuerySet

from nongma.certificates.models import Certificate
from nongma.tracing.models import Lot

ZERO = Decimal(0)


def certifiable(lot: Lot) -> Decimal:
    """How much of a lot has no certificate yet. To be trusted only under the lot's row lock.

    Goods leave with their certificate, so what leaves is taken from what was certified by then, and only when more
    leaves than that from the rest. Without this a lot sold in parts could not be certified to its end.
    """
    promised = lot.certificates.standing().values_list("issued_at", "quantity")
    entries = list(lot.entries.values_list("at", "quantity"))
    certified = ZERO
    gone = [(at, quantity) for at, quantity in entries if quantity < 0]
    for _, quantity in sorted([*promised, *gone]):
        certified = max(ZERO, certified + quantity)
    return max(ZERO, sum((quantity for _, quantity in entries), ZERO) - certified)


def with_all(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    """The certificates with everything that a label or a page shows."""
    return certificates.select_related(
        "template", "operator", "issued_by", "lot__product", "lot__operator", "lot__region", "lot__base__region"
    )
