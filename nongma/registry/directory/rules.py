"""Setting who counts as operating at scale, and how long what is on file holds, in one's own division (规模标准)."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.catalogue.models import Industry, Product, Unit
from nongma.lib.once import once
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Misfilled, Refused
from nongma.regions.models import Region
from nongma.registry.directory.marks import sweep
from nongma.registry.directory.months import places_above
from nongma.registry.models import Certification, DirectoryTerms, OperatorKind, ScaleRule

Basis = ScaleRule.Basis
MOST_MONTHS = 120
BY_SCALE = {Basis.PRODUCT, Basis.INDUSTRY}


@transaction.atomic
def set_rule(
    *,
    region: Region,
    basis: ScaleRule.Basis,
    subject: str,
    source: str,
    valid_from: date,
    actor: User,
    threshold: Decimal | None = None,
    unit: str = "",
    counts: bool = True,
) -> ScaleRule:
    """Let a rule hold in a division from a day on, in the place of the one that holds there until then.

    Refuses `outside_area` (only the division's own authority sets it), `region_too_narrow`, `subject_unknown`,
    `threshold_missing`, `unit_missing`, `in_the_past` (what was in force stays on file), `already_set` (a later one
    is on file), `reason_missing` (the source) and `text_too_long`.
    """
    _check_area(region, actor)
    basis = Basis(basis)
    if subject not in subjects_of(basis, within=region.pk):
        raise Misfilled("subject_unknown", "请选择标准的对象", field="subject")
    by_scale = counts and basis in BY_SCALE
    if by_scale and (threshold is None or not 0 < threshold < Decimal("1e10")):
        raise Misfilled("threshold_missing", "请填写达到多少算规模主体", field="threshold")
    if by_scale and unit not in Unit.values:
        raise Misfilled("unit_missing", "请选择单位", field="unit")
    if valid_from < timezone.localdate():
        raise Misfilled("in_the_past", "施行日期不能早于今天", field="valid_from")
    told = checked_reason(source, told="请写明依据的文件")
    earlier = ScaleRule.objects.select_for_update().filter(region=region, basis=basis, subject=subject, valid_to=None)
    for rule in earlier:
        if rule.valid_from > valid_from:
            raise Refused("already_set", f"已经定了 {rule.valid_from} 起的标准，请先结束它", field="valid_from")
        if rule.valid_from == valid_from:
            rule.delete()
        else:
            rule.valid_to = valid_from - timedelta(days=1)
            rule.save(update_fields=["valid_to"])
    with once("already_set", "这项标准刚刚由别人定了"):
        rule = ScaleRule.objects.create(
            region=region,
            basis=basis,
            subject=subject,
            threshold=threshold if by_scale else None,
            unit=unit if by_scale else "",
            counts=counts,
            valid_from=valid_from,
            source=told,
            verified=True,
        )
    record("scale_rule.set", actor=actor, target=rule, region_code=region.pk, **_told(rule))
    sweep(region.pk)
    return rule


@transaction.atomic
def end_rule(*, rule: ScaleRule, actor: User) -> ScaleRule:
    """End a rule of one's own division: from tomorrow the wider division's holds. Refuses `outside_area`, `ended`."""
    rule = ScaleRule.objects.select_for_update().get(pk=rule.pk)
    _check_area(rule.region, actor)
    today = timezone.localdate()
    if rule.valid_to:
        raise Refused("ended", f"这项标准到 {rule.valid_to} 为止")
    rule.valid_to = max(today, rule.valid_from)
    rule.save(update_fields=["valid_to"])
    record("scale_rule.ended", actor=actor, target=rule, region_code=rule.region_id, **_told(rule))
    return rule


@transaction.atomic
def set_terms(*, region: Region, fresh_months: int, idle_months: int, actor: User) -> DirectoryTerms:
    """Set how long entries and codes hold in a division. Refuses `outside_area`, `months_invalid`."""
    _check_area(region, actor)
    for field, months in (("fresh_months", fresh_months), ("idle_months", idle_months)):
        if not 1 <= months <= MOST_MONTHS:
            raise Misfilled("months_invalid", f"请填 1 到 {MOST_MONTHS} 个月", field=field)
    terms, _ = DirectoryTerms.objects.update_or_create(
        region=region, defaults={"fresh_months": fresh_months, "idle_months": idle_months}
    )
    record(
        "directory.terms_set",
        actor=actor,
        target=terms,
        region_code=region.pk,
        fresh_months=fresh_months,
        idle_months=idle_months,
    )
    sweep(region.pk)
    return terms


def subjects_of(basis: ScaleRule.Basis, *, within: int | None = None) -> dict[str, str]:
    """What a rule may be about, by code, with names; `within` a division: of the products those that it collects."""
    if basis == Basis.KIND:
        return {kind.value: str(kind.label) for kind in OperatorKind}
    if basis == Basis.INDUSTRY:
        return {industry.value: str(industry.label) for industry in Industry}
    if basis == Basis.CERTIFICATION:
        return {kind.value: str(kind.label) for kind in Certification.Kind}
    products = Product.objects.all() if within is None else Product.objects.usable_at(within)
    return dict(products.order_by("-is_key", "code").values_list("code", "name"))


def rules_in(region: Region, on: date | None = None) -> list[tuple[ScaleRule, str]]:
    """The rules that hold or will hold in a division, its own first, each with the name of what it is about."""
    day = on or timezone.localdate()
    rules = ScaleRule.objects.filter(
        Q(valid_to=None) | Q(valid_to__gte=day), region__in=places_above(region.pk)
    ).select_related("region")
    return _named(rules.order_by("-region__level", "basis", "threshold", "subject", "valid_from"))


def _named(rules: Iterable[ScaleRule]) -> list[tuple[ScaleRule, str]]:
    names = {basis: subjects_of(basis) for basis in Basis}
    return [(rule, names[Basis(rule.basis)].get(rule.subject, rule.subject)) for rule in rules]


def _told(rule: ScaleRule) -> dict[str, str]:
    name = subjects_of(Basis(rule.basis)).get(rule.subject, rule.subject)
    unit = f" {Unit(rule.unit).label}" if rule.unit else ""
    least = f"{rule.threshold.normalize():f}{unit}" if rule.threshold else ("算" if rule.counts else "不算")
    return {"subject": name, "threshold": least, "from_on": str(rule.valid_from), "source": rule.source}


def _check_area(region: Region, actor: User) -> None:
    if not any(span.covers(region.span) for span in scope_of(actor, Action.SUPERVISE_OPERATORS).spans):
        raise Refused("outside_area", "只有本地区的监管机构能定", field="region")
    if region.level > Region.Level.COUNTY:
        raise Misfilled("region_too_narrow", "标准由县级以上监管机构定", field="region")
