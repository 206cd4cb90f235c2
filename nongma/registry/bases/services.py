"""Putting bases and their plots on file, changing and closing them (基地、地块)."""

import io
import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import IO, Any, TypedDict, Unpack

from django.db import models, transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.exporting import take_out
from nongma.accounts.models import User
from nongma.audit.services import record, told
from nongma.catalogue.models import Product
from nongma.codes.models import CodeRange
from nongma.codes.services import assign, subject_changed
from nongma.lib.fields import digest_of
from nongma.lib.ids import uuid7
from nongma.lib.outlines import checked_outline, corners_of, middle_of, outline_mu
from nongma.lib.quadkeys import quadkey
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.texts import checked_text
from nongma.regions.boundaries import TOLERANCE_METRES, inside_county, outside_counties
from nongma.regions.models import Region
from nongma.registry.bases.exports import bases_geojson
from nongma.registry.directory.marks import touch
from nongma.registry.models import Base, Operator, Plot
from nongma.registry.models.bases import Outlined
from nongma.registry.services.checks import Point, check_may_change, check_region, checked_place, text_of

MOST_PLOTS = 200
TEXTS = {
    "environment": ("环境说明", 200),
    "varieties": ("品种", 100),
    "keeper": ("责任人", 60),
}
LONGEST_MEASURES = 500
MU_PLACES = Decimal("0.01")
CHOICES: dict[str, type[models.TextChoices]] = {"soil": Base.Soil, "water": Base.Water, "facility": Base.Facility}
OPEN_FIELDS = {
    "longitude", "latitude", "area_mu", "outline_mu", "soil", "water", "facility", "nearby", "environment",
    "varieties", "measures", "product",
}  # fmt: skip
"""What the audit log tells in full when it changes; of the rest only that it did."""
NOT_TOLD = {"quadkey", "outline_mu"}
"""What goes with another field."""


class BaseInputs(TypedDict, total=False):
    """What a person says about a base; `outline` is GeoJSON in WGS84, `nearby` None where nobody has looked."""

    name: str
    region: Region
    address: str
    point: Point | None
    area_mu: Decimal | None
    outline: Any
    soil: str
    water: str
    facility: str
    nearby: Collection[str] | None
    environment: str
    varieties: str
    measures: str
    keeper: str


class PlotInputs(TypedDict, total=False):
    """What a person says about a plot."""

    name: str
    outline: Any
    area_mu: Decimal | None
    product: Product | None


@transaction.atomic
def add_base(*, operator: Operator, actor: User, **given: Unpack[BaseInputs]) -> Base:
    """Put a base of an operator on file with its 基地码; with an outline and no point, the point is in its middle.

    Refuses `not_active` (the operator is suspended or cancelled), `outside_area`, `not_own_operator`,
    `outside_county` (point or outline), `already_registered` (a base of this operator is there), and (422)
    `area_invalid`, `choice_unknown`, what `outlines.checked_outline` refuses and what is wrong with a text or region.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    check_may_change(operator, actor, given["region"])
    base = Base(uid=uuid7(), operator=operator)
    _fill_base(base, {"name": "", **given})
    codes = assign(kind=CodeRange.Kind.BASE, subject=base.uid)
    base.serial = codes.start
    base.save()
    record("base.registered", actor=actor, target=base, region_code=base.region_id, operator=str(operator.uid))
    touch(operator.pk)
    return base


@transaction.atomic
def change_base(*, base: Base, actor: User, seen: str = "", **given: Unpack[BaseInputs]) -> Base:
    """Change what is given of a base; the rest stays.

    Approved records of its produce (产地信息) keep the position that they were approved with; the log tells how many.
    `seen`: the `version_of` that the person saw. Refuses `changed_meanwhile`, `base_closed` and what `add_base` does.
    """
    base = _locked(base, actor, *([given["region"]] if "region" in given else []))
    if seen and seen != version_of(base):
        raise Refused("changed_meanwhile", "您打开页面以后，这个基地的信息改过了。请核对现在的内容，再提交一次")
    before = _columns(base)
    _fill_base(base, given)
    changed = _changed(base, before)
    base.save()
    moved = before["quadkey"] is not None and before["quadkey"] != base.quadkey
    _written(
        "base.changed",
        base,
        actor,
        fields=list(changed),
        changes={name: values for name, values in changed.items() if name in OPEN_FIELDS},
        stayed=base.origins.current().filter(state="approved").count() if moved else 0,
    )
    return base


@transaction.atomic
def close_base(*, base: Base, reason: str, actor: User) -> Base:
    """Take a base out of use: nothing new is harvested or collected there; what is on record stays.

    Refuses `base_closed`, `origins_waiting` (records of its produce wait to be decided), and what `change_base` does.
    """
    base = _locked(base, actor)
    reason = checked_reason(reason, told="请写明停用原因")
    if base.origins.current().exclude(state="approved").exists():
        raise Refused("origins_waiting", "这个基地还有没审核完的产地信息，办完后再停用")
    base.closed_on, base.closed_for = timezone.localdate(), reason
    base.save(update_fields=["closed_on", "closed_for"])
    _written("base.closed", base, actor, reason=reason)
    return base


@transaction.atomic
def reopen_base(*, base: Base, actor: User) -> Base:
    """Take a closed base into use again. Refuses `base_open`, `already_registered` and what `add_base` does."""
    base = _locked(base, actor, is_closed=True)
    _check_new(base)
    base.closed_on, base.closed_for = None, ""
    base.save(update_fields=["closed_on", "closed_for"])
    _written("base.reopened", base, actor)
    return base


@transaction.atomic
def add_plot(*, base: Base, actor: User, **given: Unpack[PlotInputs]) -> Plot:
    """Mark out a plot of a base. Refuses `too_many`, `already_registered` (422 and others as `add_base`)."""
    base = _locked(base, actor)
    if base.plots.filter(closed_on=None).count() >= MOST_PLOTS:
        raise Refused("too_many", f"一个基地最多 {MOST_PLOTS} 个地块")
    plot = Plot(base=base)
    _fill_plot(plot, {"name": "", **given})
    plot.save()
    _written("base.plot_added", base, actor, plot=plot.name)
    return plot


@transaction.atomic
def change_plot(*, plot: Plot, actor: User, seen: str = "", **given: Unpack[PlotInputs]) -> Plot:
    """Change what is given of a plot. Refuses `plot_closed`, `changed_meanwhile` and what `add_plot` does."""
    plot = _locked_plot(plot, actor)
    if seen and seen != version_of(plot):
        raise Refused("changed_meanwhile", "您打开页面以后，这个地块改过了。请核对现在的内容，再提交一次")
    before = _columns(plot)
    _fill_plot(plot, given)
    changed = _changed(plot, before)
    plot.save()
    _written("base.plot_changed", plot.base, actor, plot=plot.name, fields=list(changed))
    return plot


@transaction.atomic
def close_plot(*, plot: Plot, actor: User) -> Plot:
    """Take a plot out of use; it stays on record. Refuses `plot_closed` and what `add_plot` does."""
    plot = _locked_plot(plot, actor)
    plot.closed_on = timezone.localdate()
    plot.save(update_fields=["closed_on"])
    _written("base.plot_closed", plot.base, actor, plot=plot.name)
    return plot


@transaction.atomic
def export_bases(*, operator: Operator, reason: str, actor: User) -> IO[bytes]:
    """The bases of an operator that the actor sees, with their plots, as GeoJSON with its mark; on record.

    For its own people, and posts that may export operators there. Refuses `outside_area`, `not_allowed`, and
    `reason_missing` or `text_too_long` (422).
    """
    if not Operator.objects.visible_to(actor).filter(pk=operator.pk).exists():
        raise Refused("outside_area", "不在您的管辖范围内")
    if not actor.is_operator and operator.region_id not in scope_of(actor, Action.EXPORT_OPERATORS):
        raise Refused("not_allowed", "您的职务不能导出主体的信息")
    plots = models.Prefetch("plots", Plot.objects.filter(closed_on=None).select_related("product").order_by("id"))
    found = Base.objects.visible_to(actor).in_use().filter(operator=operator)
    bases = list(found.select_related("region", "operator").prefetch_related(plots).order_by("id"))

    def make(mark: str) -> tuple[IO[bytes], int]:
        return io.BytesIO(json.dumps(bases_geojson(bases, mark), ensure_ascii=False).encode()), len(bases)

    return take_out(
        "operator.bases_exported",
        make,
        purpose=reason,
        actor=actor,
        narrowed_to=f"主体码 {operator.code}",
        target=operator,
        region_code=operator.region_id,
    )


def version_of(land: Base | Plot) -> str:
    """What tells whether anything about a base or plot has changed since a page showed it."""
    return digest_of(json.dumps(_columns(land), default=str, sort_keys=True)).hex()


def _locked(base: Base, actor: User, *places: Region, is_closed: bool = False) -> Base:
    """The base, held with its operator, if the person may change it and it is open (or, asked so, closed)."""
    operator = Operator.objects.select_for_update().get(pk=base.operator_id)
    base = Base.objects.select_for_update(of=("self",)).select_related("region").get(pk=base.pk)
    base.operator = operator
    check_may_change(operator, actor, base.region, *places)
    if is_closed and base.closed_on is None:
        raise Refused("base_open", "这个基地没有停用")
    if not is_closed and base.closed_on is not None:
        raise Refused("base_closed", "这个基地已经停用，不能再改；要改先恢复使用")
    return base


def _locked_plot(plot: Plot, actor: User) -> Plot:
    base = _locked(plot.base, actor)
    plot = Plot.objects.select_for_update(of=("self",)).select_related("product").get(pk=plot.pk)
    plot.base = base
    if plot.closed_on is not None:
        raise Refused("plot_closed", "这个地块已经停用")
    return plot


def _fill_base(base: Base, given: BaseInputs) -> None:
    if "name" in given:
        base.name = text_of("name", given["name"], is_needed=True)
    if "address" in given:
        base.address = text_of("address", given["address"])
    if "region" in given:
        check_region(given["region"])
        base.region = given["region"]
    _fill_shape(base, base, given)
    _fill_point(base, given)
    values: Mapping[str, Any] = given
    for name, (label, longest) in TEXTS.items():
        if name in given:
            setattr(base, name, checked_text(values[name], label=label, longest=longest, field=name))
    for name, choices in CHOICES.items():
        if name in given:
            setattr(base, name, _chosen(choices, values[name], name))
    if "nearby" in given:
        nearby = given["nearby"]
        base.nearby = None if nearby is None else [_chosen(Base.Nearby, one, "nearby") for one in dict.fromkeys(nearby)]
    if "measures" in given:
        base.measures = _measures(given["measures"])
    _check_new(base)


def _fill_plot(plot: Plot, given: PlotInputs) -> None:
    if "name" in given:
        plot.name = checked_text(given["name"], label="名称", longest=60, field="name", is_needed=True)
    if "product" in given:
        plot.product = given["product"]
    _fill_shape(plot, plot.base, given)
    if plot.base.plots.filter(closed_on=None, name=plot.name).exclude(pk=plot.pk).exists():
        raise Refused("already_registered", "这个基地已经有同名的地块", field="name")


def _fill_shape(land: Outlined, base: Base, given: BaseInputs | PlotInputs) -> None:
    """Area and outline. What stands in another county than the base's village is refused."""
    if "area_mu" in given:
        area = given["area_mu"]
        if area is not None and not (area.is_finite() and MU_PLACES <= area < Decimal("1e10")):
            raise Misfilled("area_invalid", "面积要大于 0", field="area_mu")
        land.area_mu = area.quantize(MU_PLACES) if area is not None else None
    if "outline" in given:
        land.outline = checked_outline(given["outline"]) if given["outline"] else None
        land.outline_mu = outline_mu(land.outline) if land.outline else None
    if land.outline and ("outline" in given or "region" in given):
        longitudes, latitudes = corners_of(land.outline)
        metres = outside_counties([base.region_id] * len(longitudes), longitudes, latitudes)
        if not (metres <= TOLERANCE_METRES).all():
            raise Refused("outside_county", "轮廓有一部分不在所选的县（区）里，请检查", field="outline")


def _fill_point(base: Base, given: BaseInputs) -> None:
    point = given["point"] if "point" in given else _point_of(base)
    if point is None and base.outline:
        point = middle_of(base.outline)
    place = checked_place(point)
    base.longitude, base.latitude = place["longitude"], place["latitude"]
    base.quadkey = quadkey(float(point[0]), float(point[1])) if point else None
    is_new = "point" in given or "region" in given
    if point and is_new and not inside_county(base.region_id, float(point[0]), float(point[1])):
        raise Refused("outside_county", "这个位置不在所选的县（区）里，请检查经纬度", field="point")


def _point_of(base: Base) -> Point | None:
    return (base.longitude, base.latitude) if base.longitude is not None and base.latitude is not None else None


def _check_new(base: Base) -> None:
    same = base.operator.bases.in_use().filter(region=base.region, quadkey=base.quadkey).exclude(pk=base.pk)
    if (same if base.quadkey is not None else same.filter(name=base.name)).exists():
        field = "point" if base.quadkey is not None else "name"
        raise Refused("already_registered", "该主体在这里已经登记了基地", field=field)


def _chosen(choices: type[models.TextChoices], value: str, field: str) -> str:
    if value and value not in choices.values:
        raise Misfilled("choice_unknown", "没有这个选项", field=field)
    return str(value)


def _measures(text: str) -> str:
    """Technical measures, one a line, empty lines left out."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    kept = "\n".join(line for line in lines if line)
    if len(kept) > LONGEST_MEASURES:
        raise Misfilled("text_too_long", f"技术措施最多 {LONGEST_MEASURES} 个字", field="measures")
    return kept


def _columns(land: Base | Plot) -> dict[str, Any]:
    return {
        column.name: getattr(land, column.attname)
        for column in land._meta.concrete_fields
        if column.name not in ("id", "uid", "created_at")
    }


def _changed(land: Base | Plot, before: dict[str, Any]) -> dict[str, list[Any]]:
    """The columns that are not what they were, with both values."""
    after = _columns(land)
    return {
        name: [told(had), told(after[name])]
        for name, had in before.items()
        if had != after[name] and name not in NOT_TOLD
    }


def _written(action: str, base: Base, actor: User, **details: Any) -> None:
    record(action, actor=actor, target=base, region_code=base.region_id, operator=str(base.operator.uid), **details)
    subject_changed(base.uid)
    touch(base.operator_id)
