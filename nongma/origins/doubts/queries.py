"""Reading doubts: those of a record, how often their kinds are right, and what a county has."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Count, F, Q, Sum
from django.db.models.functions import Mod

from nongma.accounts.models import User
from nongma.origins.models import Doubt, DoubtTally, Origin
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS, Span

COUNTY_WIDTH, TOWN_WIDTH = WIDTHS[3], WIDTHS[4]
State = Doubt.State


@dataclass(frozen=True)
class Rate:
    """How often doubts of a kind turned out right, of those that were judged."""

    right: int = 0
    wrong: int = 0

    @property
    def judged(self) -> int:
        return self.right + self.wrong

    @property
    def words(self) -> str:
        """As a person reads it: 判过 40 条，31 条属实（78%）."""
        if not self.judged:
            return "还没有判过"
        return f"判过 {self.judged:,} 条，{self.right:,} 条属实（{self.right / self.judged:.0%}）"


@dataclass(frozen=True)
class RatedDoubt:
    """A doubt with how often its kind is right in the county and in all, and the other record if it may be seen."""

    doubt: Doubt
    here: Rate
    everywhere: Rate
    other: Origin | None


def doubts_of(origin: Origin) -> list[Doubt]:
    """The doubts of a record that stand or were judged, open ones first; those that held no longer are left out."""
    found = Doubt.objects.filter(origin=origin).exclude(state=Doubt.State.GONE).select_related("closed_by")
    return sorted(found, key=lambda doubt: (doubt.state != Doubt.State.OPEN, doubt.pk))


def rated(origin: Origin, user: User) -> list[RatedDoubt]:
    """The doubts of a record as a person sees them; of another record no more than the person may see anyway."""
    doubts = doubts_of(origin)
    if not doubts:
        return []
    here, everywhere = rates({doubt.kind for doubt in doubts}, county=origin.region_id // COUNTY_WIDTH * COUNTY_WIDTH)
    asked = {doubt.other_id for doubt in doubts if doubt.other_id}
    others = Origin.objects.visible_to(user).select_related("operator", "product").in_bulk(list(asked)) if asked else {}
    return [
        RatedDoubt(
            doubt,
            here.get(doubt.kind, Rate()),
            everywhere.get(doubt.kind, Rate()),
            others.get(doubt.other_id or 0),
        )
        for doubt in doubts
    ]


def rates(kinds: Iterable[str], *, county: int) -> tuple[dict[str, Rate], dict[str, Rate]]:
    """How often each kind turned out right: in the county, and in all."""
    tallies = DoubtTally.objects.filter(kind__in=set(kinds)).order_by().values("kind")
    summed = tallies.annotate(
        all_right=Sum("right"),
        all_wrong=Sum("wrong"),
        here_right=Sum("right", filter=Q(county=county), default=0),
        here_wrong=Sum("wrong", filter=Q(county=county), default=0),
    )
    here, everywhere = {}, {}
    for row in summed:
        here[row["kind"]] = Rate(row["here_right"], row["here_wrong"])
        everywhere[row["kind"]] = Rate(row["all_right"], row["all_wrong"])
    return here, everywhere


@dataclass(frozen=True)
class KindLine:
    """One kind of doubt in a division: how many stand open, and how often it is right."""

    kind: Doubt.Kind
    waiting: int
    here: Rate
    everywhere: Rate


@dataclass(frozen=True)
class TownLine:
    """How many doubts stand open in a township, by kind, most first."""

    region: Region
    total: int
    kinds: list[tuple[Doubt.Kind, int]]


def kinds_in(region: Region) -> list[KindLine]:
    """Every kind that a division has, most open ones first: by the tallies, below the county by the doubts there."""
    rows = _tallied(region.span) if region.level <= Region.Level.COUNTY else _counted(region.span)
    _, everywhere = rates(rows, county=-1)
    lines = [
        KindLine(Doubt.Kind(kind), row["open"], Rate(row["yes"], row["no"]), everywhere.get(kind, Rate()))
        for kind, row in rows.items()
    ]
    return sorted(lines, key=lambda line: (-line.waiting, line.kind))


def _tallied(span: Span) -> dict[str, dict[str, Any]]:
    tallies = DoubtTally.objects.filter(county__gte=span.start, county__lte=span.stop).order_by().values("kind")
    return {row["kind"]: {**row} for row in tallies.annotate(open=Sum("waiting"), yes=Sum("right"), no=Sum("wrong"))}


def _counted(span: Span) -> dict[str, dict[str, Any]]:
    doubts = Doubt.objects.filter(region_id__gte=span.start, region_id__lte=span.stop).order_by().values("kind")
    counted = doubts.annotate(
        open=Count("pk", filter=Q(state=State.OPEN)),
        yes=Count("pk", filter=Q(state=State.RIGHT)),
        no=Count("pk", filter=Q(state=State.WRONG)),
    )
    return {row["kind"]: {**row} for row in counted}


def towns_in(county: Region) -> list[TownLine]:
    """The townships of a county that have open doubts, most first."""
    open_ones = Doubt.objects.open().filter(region_id__gte=county.span.start, region_id__lte=county.span.stop)
    counted = (
        open_ones.order_by()
        .annotate(town=F("region_id") - Mod(F("region_id"), TOWN_WIDTH, output_field=BigIntegerField()))
        .values("town", "kind")
        .annotate(number=Count("pk"))
    )
    by_town: dict[int, list[tuple[Doubt.Kind, int]]] = {}
    for row in counted:
        by_town.setdefault(row["town"], []).append((Doubt.Kind(row["kind"]), row["number"]))
    regions = Region.objects.in_bulk(list(by_town))
    lines = [
        TownLine(regions[code], sum(number for _, number in kinds), sorted(kinds, key=lambda pair: -pair[1]))
        for code, kinds in by_town.items()
        if code in regions
    ]
    return sorted(lines, key=lambda line: (-line.total, line.region.code))
