"""What waits for a person, and how their area stands: few queries, each by an index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, Case, Count, F, IntegerField, Q, QuerySet, Sum, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact

from nongma.accounts.models import Agency, User
from nongma.certificates.models import Certificate
from nongma.certificates.queries import certifiables
from nongma.origins.models import ImportJob, Origin, OriginCell
from nongma.origins.services.cells import COARSEST
from nongma.regions.models import Region
from nongma.regions.queries import fillers_below
from nongma.regions.spans import WIDTHS, level_of
from nongma.regions.wording import is_filler
from nongma.registry.models import Operator
from nongma.tracing.models import Lot
from nongma.tracing.queries import with_balance

SHOWN = 5
MANY = 10_000
OTHERS = "其他"
"""Of records whose village nobody wrote, where there is no town."""
FIGURES = (Origin.State.SUBMITTED, Origin.State.APPROVED, Origin.State.RETURNED)


@dataclass(frozen=True)
class Waiting:
    """How much of the person's area waits for somebody; `MANY` stands for that many and more."""

    submitted: int
    to_locate: int
    returned: int
    operators: int


@dataclass(frozen=True)
class Figure:
    """How many located origins one child region has, by state; `share` is of the largest, in percent."""

    region: Region
    name: str
    total: int
    submitted: int
    approved: int
    returned: int
    share: int


def waiting_for(user: User) -> Waiting:
    """What waits in the area of the user's posts. It counts to `MANY` at most: a nation's millions are not read."""
    origins = Origin.objects.visible_to(user)
    return Waiting(
        submitted=_count(origins.filter(state=Origin.State.SUBMITTED)),
        to_locate=_count(origins.filter(state=Origin.State.TO_LOCATE)),
        returned=_count(origins.filter(state=Origin.State.RETURNED)),
        operators=_count(Operator.objects.visible_to(user).filter(status=Operator.Status.SUBMITTED)),
    )


@dataclass(frozen=True)
class AccountsWaiting:
    """What waits of the accounts in a person's care; `MANY` stands for that many and more."""

    vacant: int
    unclaimed: int


def accounts_waiting_for(user: User) -> AccountsWaiting:
    """Agencies without an administrator, and people who have not taken their account yet."""
    return AccountsWaiting(
        vacant=_count(Agency.objects.visible_to(user).filter(administrator=None, suspended_at=None)),
        unclaimed=_count(User.objects.visible_to(user).filter(must_change_password=True, is_active=True)),
    )


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:MANY].count()


def recent_imports(user: User) -> QuerySet[ImportJob]:
    """The person's own last imports."""
    return ImportJob.objects.visible_to(user)[:SHOWN]


def recent_lots(user: User) -> list[tuple[Lot, Decimal]]:
    """The last lots of the person's operators, each with its balance and how much may still be certified."""
    lots = list(with_balance(Lot.objects.visible_to(user).select_related("product")).order_by("-id")[:SHOWN])
    left = certifiables(lots)
    return [(lot, left[lot.pk]) for lot in lots]


def recent_certificates(user: User) -> QuerySet[Certificate]:
    """The last certificates of the person's operators."""
    return Certificate.objects.visible_to(user).select_related("lot__product").order_by("-id")[:SHOWN]


def figures_of(region: Region) -> list[Figure]:
    """The region's child regions that have origins, the most first.

    A village stands for itself. Where a level does not exist, the level below stands in for it: 崖州区 shows its
    villages. Above a county they are summed from the map's cells, which the worker keeps, so they may be a minute
    behind.
    """
    level = level_of(region.code)
    is_wide = level < Region.Level.COUNTY
    below = min(level + 1, Region.Level.VILLAGE)
    child = _child(F("county" if is_wide else "region_id"), below, fillers_below(region.code))
    rows = list(_from_cells(region, child) if is_wide else _from_origins(region, child))
    names = Region.objects.in_bulk([row["child"] for row in rows])
    largest = max((row["total"] for row in rows), default=0)
    return [
        Figure(
            region=names[row["child"]],
            name=OTHERS if is_filler(names[row["child"]].name) else names[row["child"]].name,
            total=row["total"],
            share=round(100 * row["total"] / largest),
            **{state.value: row[state.value] for state in FIGURES},
        )
        for row in rows
        if row["child"] in names and row["total"]
    ]


def _child(code: F, level: int, fillers: set[int]) -> Case:
    """The code of a level that a division lies in; where that level does not exist, of the one below."""
    child, below = code - code % WIDTHS[level], code - code % WIDTHS[min(level + 1, 5)]
    places = [When(Exact(child, filler), then=below) for filler in sorted(fillers)]
    return Case(*places, default=child, output_field=BigIntegerField())


def _from_cells(region: Region, child: Case) -> Iterable[Mapping[str, Any]]:
    cells = OriginCell.objects.filter(level=COARSEST, county__range=(region.span.start, region.span.stop))
    sums = {state.value: Sum(_number(f"s{state.value}"), default=0) for state in FIGURES}
    children = cells.order_by().annotate(child=child).values("child")
    return children.annotate(total=Sum(_number("")), **sums).order_by("-total", "child")


def _number(key: str) -> Cast:
    return Cast(KeyTextTransform(key, "counts"), IntegerField())


def _from_origins(region: Region, child: Case) -> Iterable[Mapping[str, Any]]:
    inside = Q(region_id__gte=region.span.start, region_id__lte=region.span.stop)
    origins = Origin.objects.current().filter(inside)
    counts = {state.value: Count("pk", filter=Q(state=state)) for state in FIGURES}
    children = origins.order_by().annotate(child=child).values("child")
    return children.annotate(total=Count("pk"), **counts).order_by("-total", "child")
