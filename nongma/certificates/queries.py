"""Reading what may still be promised, and certificates with all that a page or a label shows of them."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.core.paginator import Page
from django.db import connection
from django.db.models import Q, QuerySet

from nongma.accounts.models import User
from nongma.certificates.models import Certificate
from nongma.codes.codec import decode
from nongma.lib.pages import CappedPaginator
from nongma.lib.sorting import Sorting
from nongma.regions.spans import Span
from nongma.tracing.models import Lot, LotEntry
from nongma.tracing.queries import products_named

ZERO = Decimal(0)
CERTIFICATE_COLUMNS = {"new": ("id",), "product": ("lot__product__name", "id"), "quantity": ("quantity", "id")}

MOVED = """
    SELECT lot_id, at, quantity, reason FROM tracing_lotentry WHERE lot_id = ANY(%s)
    UNION ALL
    SELECT lot_id, issued_at, quantity, '' FROM certificates_certificate WHERE lot_id = ANY(%s) AND revoked_at IS NULL
"""


def certifiable(lot: Lot) -> Decimal:
    """How much of a lot has no certificate yet. To be trusted only under the lot's row lock."""
    return certifiables([lot])[lot.pk]


def certifiables(lots: Iterable[Lot]) -> dict[int, Decimal]:
    """How much of each lot, by id, has no certificate yet.

    What is sold leaves with its certificate, so a sale is taken from what was certified by then and only beyond that
    from the rest; else a lot sold in parts could not be certified to its end. What is split off, mixed or lost is
    taken from the rest first: the new lot gets a certificate of its own.
    """
    ids = [lot.pk for lot in lots]
    with connection.cursor() as cursor:
        cursor.execute(MOVED, [ids, ids])
        moved = sorted(cursor.fetchall())
    left = dict.fromkeys(ids, ZERO)
    for lot_id, movements in groupby(moved, key=itemgetter(0)):
        balance = certified = ZERO
        for _, _, quantity, reason in movements:
            if not reason:
                certified += quantity
                continue
            balance += quantity
            if reason == LotEntry.Reason.TRANSFER and quantity < 0:
                certified = max(ZERO, certified + quantity)
            certified = min(certified, balance)
        left[lot_id] = balance - certified
    return left


def with_all(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    """The certificates with everything that a label or a page shows."""
    return certificates.select_related(
        "template", "operator", "issued_by", "lot__product", "lot__operator", "lot__region", "lot__base__region"
    )


def certificate_page(
    user: User, *, text: str, state: str, within: Span | None, sorting: Sorting, number: Any
) -> Page[Certificate]:
    """A page of the certificates that the user may see."""
    found = Certificate.objects.visible_to(user).in_state(state).within(within)
    text = text.strip()
    if text:
        serial = decode(text.replace(" ", ""))
        named = Q(lot__product__in=products_named(text)) if serial is None else Q(serial=serial) | Q(lot__serial=serial)
        found = found.filter(named)
    shown = found.in_order(sorting).select_related("lot__product", "operator")
    return CappedPaginator(found, shown).get_page(number)
