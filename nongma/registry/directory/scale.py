"""Who operates at scale (规模主体): by type, by what is declared and what the bases measure, by certification."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Q

from nongma.catalogue.models import Industry, Unit
from nongma.registry.directory.months import places_above
from nongma.registry.models import Certification, OperatorKind, ScaleRule

Basis = ScaleRule.Basis
Subject = tuple[str, str]
Holding = Mapping[Subject, ScaleRule]
LONGEST = 300
ANIMALS = {Unit.HEAD.value, Unit.BIRD.value}
"""Forms count the same animals by 头 or by 只."""
CERTIFICATIONS = dict(Certification.Kind.choices)


@dataclass
class Weighed:
    """What of an operator the rules ask for."""

    kinds: Sequence[str]
    industries: Sequence[str]
    produce: list[tuple[str, str, str, Decimal | None, str]] = field(default_factory=list)
    """Code, name, industry, scale and unit of each product."""
    area_mu: Decimal = Decimal(0)
    certifications: set[str] = field(default_factory=set)


def rules_of(codes: Iterable[int], on: date) -> dict[int, dict[Subject, ScaleRule]]:
    """The rules that hold in each of the divisions on a day: of each subject the nearest division's."""
    chains = {code: places_above(code) for code in set(codes)}
    wanted = {place for chain in chains.values() for place in chain}
    rules = ScaleRule.objects.filter(Q(valid_to=None) | Q(valid_to__gte=on), region__in=wanted, valid_from__lte=on)
    by_place: dict[int, dict[Subject, ScaleRule]] = {}
    for rule in rules.order_by("valid_from"):
        by_place.setdefault(rule.region_id, {})[rule.basis, rule.subject] = rule
    held: dict[int, dict[Subject, ScaleRule]] = {}
    for code, chain in chains.items():
        held[code] = {}
        for place in reversed(chain):
            held[code] |= by_place.get(place, {})
    return held


def why_large(weighed: Weighed, rules: Holding) -> str:
    """Why an operator counts as one at scale, in words; empty when no rule says so."""
    reasons = [
        f"{OperatorKind(kind).label}按类型算"
        for kind in weighed.kinds
        if (rule := rules.get((Basis.KIND.value, kind))) and rule.counts
    ]
    reasons += [
        f"持有{CERTIFICATIONS[kind]}"
        for kind in sorted(weighed.certifications)
        if (rule := rules.get((Basis.CERTIFICATION.value, kind))) and rule.counts
    ]
    for code, name, _, _, _ in weighed.produce:
        if rule := rules.get((Basis.PRODUCT.value, code)):
            reasons += _reached(name, _scale_of(weighed, code, rule.unit), rule)
    for industry in weighed.industries:
        if rule := rules.get((Basis.INDUSTRY.value, industry)):
            reasons += _reached(Industry(industry).label, _scale_in(weighed, industry, rule.unit), rule)
    return "；".join(reasons)[:LONGEST]


def _reached(name: str, scale: Decimal, rule: ScaleRule) -> list[str]:
    if not rule.counts or rule.threshold is None or scale < rule.threshold:
        return []
    unit = Unit(rule.unit).label
    return [f"{name} {scale.normalize():f} {unit}，达到 {rule.threshold.normalize():f} {unit}"]


def _scale_of(weighed: Weighed, code: str, unit: str) -> Decimal:
    """The declared scale of a product; of the only one, what the bases measure when that is more."""
    declared = sum(
        (scale or Decimal(0) for one, _, _, scale, its in weighed.produce if one == code and _alike(its, unit)),
        Decimal(0),
    )
    is_only = len(weighed.produce) == 1 and unit == Unit.MU
    return max(declared, weighed.area_mu) if is_only else declared


def _scale_in(weighed: Weighed, industry: str, unit: str) -> Decimal:
    """What is declared of an industry in sum; of the only one, what the bases measure when that is more."""
    declared = sum(
        (scale or Decimal(0) for _, _, its, scale, one in weighed.produce if its == industry and _alike(one, unit)),
        Decimal(0),
    )
    is_only = list(weighed.industries) == [industry] and unit == Unit.MU
    return max(declared, weighed.area_mu) if is_only else declared


def _alike(one: str, other: str) -> bool:
    return one == other or {one, other} <= ANIMALS
