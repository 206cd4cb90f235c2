"""Reading ledgers and the graph of lots."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.core.paginator import Page
from django.db import connection
from django.db.models import DecimalField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.catalogue.queries import products_matching
from nongma.codes.codec import decode
from nongma.lib.pages import CappedPaginator
from nongma.lib.refused import Refused
from nongma.lib.sorting import Sorting
from nongma.origins.models import Origin
from nongma.regions.spans import Span
from nongma.registry.models import Base, Operator
from nongma.tracing.models import Lot, LotEntry

MOST_LINKS = 5_000
MOST_OFFERED = 100
ZERO = Decimal(0)
LOT_COLUMNS = {"new": ("id",), "made": ("made_on", "id"), "product": ("product__name", "id")}
# What a trace tells of a lot. The rest is left where it is: making whole records took most of a trace's time.
TOLD = (
    "uid", "serial", "unit", "kind", "region", "made_on", "frozen_at", "recalled_at", "recalled_from",
    "product__name", "operator__serial", "operator__name", "base__serial", "base__name",
)  # fmt: skip

# Rows come nearest first, each link once: `UNION` drops what was found before, so no way round runs for ever, and the
# LIMIT stops the walk. OFFSET 0 keeps the planner from reading the whole table instead of its index.
WALK = """
    WITH RECURSIVE walk AS (
        SELECT parent_id, child_id, quantity FROM tracing_lotlink WHERE {near} = %s
        UNION
        SELECT link.parent_id, link.child_id, link.quantity
        FROM walk
        CROSS JOIN LATERAL (
            SELECT parent_id, child_id, quantity FROM tracing_lotlink WHERE {near} = walk.{far} OFFSET 0
        ) AS link
    )
    SELECT parent_id, child_id, quantity FROM walk LIMIT %s
"""
BACK = WALK.format(near="child_id", far="parent_id")
FORWARD = WALK.format(near="parent_id", far="child_id")
DESCENDANTS = """
    WITH RECURSIVE walk AS (
        SELECT child_id FROM tracing_lotlink WHERE parent_id = %s
        UNION
        SELECT link.child_id
        FROM walk
        CROSS JOIN LATERAL (SELECT child_id FROM tracing_lotlink WHERE parent_id = walk.child_id OFFSET 0) AS link
    )
    SELECT child_id FROM walk
"""


class Direction(StrEnum):
    """Which way to follow a lot: to where it came from, to where it went, or both."""

    BACK = "back"
    FORWARD = "forward"
    BOTH = "both"


@dataclass(frozen=True)
class Link:
    """So much of one lot went into another."""

    parent_id: int
    child_id: int
    quantity: Decimal


@dataclass(frozen=True)
class Node:
    """A lot in a trace. `depth` counts links from the lot asked for, below zero for where it came from.

    When the asker may not see the lot, only its code, product and date may be told (`visible` is False).
    """

    lot: Lot
    depth: int
    visible: bool

    @property
    def level(self) -> int:
        """How far it is moved in on a page: a phone has room for four steps."""
        return min(abs(self.depth), 4)


@dataclass(frozen=True)
class Trace:
    """Where a lot came from and where it went (追溯链); `truncated` when there is more than one answer should hold."""

    lot: Lot
    direction: Direction
    nodes: list[Node]
    links: list[Link]
    truncated: bool


def balance(lot: Lot) -> Decimal:
    """What is left of a lot: the sum of its ledger. To be trusted only under the lot's row lock."""
    return balances([lot])[lot.pk]


def balances(lots: Iterable[Lot]) -> dict[int, Decimal]:
    """What is left of each lot, by id."""
    ids = [lot.pk for lot in lots]
    sums = LotEntry.objects.filter(lot__in=ids).order_by().values_list("lot").annotate(Sum("quantity"))
    return dict.fromkeys(ids, ZERO) | dict(sums)


def with_balance(lots: QuerySet[Lot]) -> QuerySet[Lot]:
    """The lots, each with its `balance`."""
    sums = LotEntry.objects.filter(lot=OuterRef("pk")).order_by().values("lot").annotate(total=Sum("quantity"))
    field: DecimalField[Any, Any] = DecimalField(max_digits=14, decimal_places=3)
    return lots.annotate(balance=Coalesce(Subquery(sums.values("total")), Value(ZERO), output_field=field))


def with_all(lots: QuerySet[Lot]) -> QuerySet[Lot]:
    """The lots with everything that a page or the API tells of them."""
    return with_balance(lots.select_related("product", "operator", "region", "base__region"))


def descendants(lot: Lot) -> set[int]:
    """The ids of all lots that any of this one went into."""
    with connection.cursor() as cursor:
        cursor.execute(DESCENDANTS, [lot.pk])
        return {child_id for (child_id,) in cursor.fetchall()}


def trace(lot: Lot, direction: Direction, user: User) -> Trace:
    """Follow a lot through all that it came from and all that it went into, whoever holds it now."""
    back = _walk(BACK, lot) if direction != Direction.FORWARD else []
    forward = _walk(FORWARD, lot) if direction != Direction.BACK else []
    truncated = max(len(back), len(forward)) > MOST_LINKS
    back, forward = back[:MOST_LINKS], forward[:MOST_LINKS]
    depths = {lot.pk: 0}
    depths |= {pk: -depth for pk, depth in _depths(lot.pk, [(link.child_id, link.parent_id) for link in back]).items()}
    depths |= _depths(lot.pk, [(link.parent_id, link.child_id) for link in forward])
    lots = Lot.objects.select_related("product", "operator", "base").only(*TOLD).in_bulk(list(depths))
    seen = set(Lot.objects.visible_to(user).filter(pk__in=list(depths)).values_list("pk", flat=True))
    nodes = [Node(lots[pk], depth, pk in seen) for pk, depth in depths.items()]
    return Trace(lot, direction, sorted(nodes, key=lambda node: (node.depth, node.lot.pk)), back + forward, truncated)


def _walk(query: str, lot: Lot) -> list[Link]:
    with connection.cursor() as cursor:
        cursor.execute(query, [lot.pk, MOST_LINKS + 1])
        return [Link(*row) for row in cursor.fetchall()]


def _depths(start: int, steps: list[tuple[int, int]]) -> dict[int, int]:
    """How many steps each lot is away from the start, by the shortest way."""
    onward: dict[int, list[int]] = {}
    for near, far in steps:
        onward.setdefault(near, []).append(far)
    depths = {start: 0}
    waiting = deque([start])
    while waiting:
        near = waiting.popleft()
        for far in onward.get(near, ()):
            if far not in depths:
                depths[far] = depths[near] + 1
                waiting.append(far)
    return depths


@dataclass(frozen=True)
class Usual:
    """What a new harvest most likely is; None where nothing is known."""

    base: Base | None
    product: Product | None
    unit: str


def usual_harvest(user: User) -> Usual:
    """As the last harvest, else the first base and what its origin says is grown there."""
    last = (
        Lot.objects.visible_to(user)
        .filter(kind=Lot.Kind.HARVEST)
        .select_related("base", "product")
        .order_by("-id")
        .first()
    )
    if last:
        return Usual(last.base, last.product, last.unit)
    origin = _origins_of(user).order_by("id").first()
    base = origin.base if origin else Base.objects.visible_to(user).in_use().order_by("id").first()
    product = origin.product if origin else None
    return Usual(base, product, product.trade_units[0] if product else Unit.KILOGRAM)


def base_for(product: Product, user: User) -> Base | None:
    """The user's base where the product is grown, else the only or first one."""
    origin = _origins_of(user).filter(product=product).order_by("id").first()
    return origin.base if origin else Base.objects.visible_to(user).in_use().order_by("id").first()


def _origins_of(user: User) -> QuerySet[Origin]:
    return Origin.objects.visible_to(user).current().select_related("base__operator", "product")


def mixable_with(lot: Lot, user: User) -> QuerySet[Lot]:
    """The user's other lots that may be poured together with this one and have something left, the newest hundred."""
    alike = Lot.objects.editable_by(user).filter(
        operator=lot.operator_id, product=lot.product_id, unit=lot.unit, frozen_at=None, recalled_at=None
    )
    left = with_balance(alike.exclude(pk=lot.pk)).filter(Q(("balance__gt", 0))).order_by("-id")
    return with_balance(Lot.objects.filter(pk__in=left.values("pk")[:MOST_OFFERED])).order_by("-id")


def buyer_of(code: str) -> Operator:
    """The operator that a 主体码 stands for, wherever it is. Refuses `buyer_unknown`."""
    serial = decode(code)
    operator = Operator.objects.filter(serial=serial).first() if serial is not None else None
    if operator is None:
        raise Refused("buyer_unknown", "没有这个主体码，请核对 20 位数字", field="buyer")
    return operator


def products_named(text: str) -> list[int]:
    """The ids of the products that a list is narrowed to; as ids the planner knows how many lots they have."""
    return list(products_matching(text=text).order_by().values_list("pk", flat=True))


def lot_page(user: User, *, text: str, state: str, within: Span | None, sorting: Sorting, number: Any) -> Page[Lot]:
    """A page of the lots that the user may see, each with its balance."""
    found = Lot.objects.visible_to(user).in_state(state).within(within)
    text = text.strip()
    if text:
        serial = decode(text.replace(" ", ""))
        found = found.filter(serial=serial) if serial is not None else found.filter(product__in=products_named(text))
    shown = with_balance(found.in_order(sorting).select_related("product", "operator", "region"))
    return CappedPaginator(found, shown).get_page(number)
