"""Reading bases and plots: the list on an operator's record, one base with what is doubtful about it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from nongma.accounts.access import Action, may
from nongma.accounts.models import Agency, User
from nongma.codes.codec import decode
from nongma.lib.outlines import bounds_of, contains_point, share_inside
from nongma.regions.boundaries import shape_of
from nongma.regions.models import Region
from nongma.registry.models import NOT_TRADING, Base, Operator, Plot
from nongma.registry.queries import operator_of

WIDEST_DIFFERENCE = Decimal("0.1")
"""Areas that differ by more than this share of the larger are pointed at."""
MOSTLY_INSIDE = 0.95
FEWEST_DECIMALS = 5
"""附件1, note 6 wants six decimals; the last may be a zero."""
AROUND_DEGREES = 0.01


def bases_of(operator: Operator, user: User) -> QuerySet[Base]:
    """The bases of an operator that the user may see, with their divisions; those in use first, then the newest last.

    A base may lie in another county than its operator.
    """
    found = Base.objects.visible_to(user).filter(operator=operator)
    return found.select_related("region", "operator").order_by("closed_on", "id")


def base_of(owner: str, code: str, user: User) -> Base:
    """The base of a printed code, of the operator of another, if the user may see both; else 404."""
    return _base_of(operator_of(owner, user), code, user)


def editable_base(owner: str, code: str, user: User) -> Base:
    """The same, if the user may change it; else 404."""
    operator = operator_of(owner, user)
    base = _base_of(operator, code, user)
    return get_object_or_404(Base.objects.editable_by(user).select_related("operator", "region"), pk=base.pk)


def _base_of(operator: Operator, code: str, user: User) -> Base:
    serial = decode(code)
    bases = Base.objects.visible_to(user).filter(operator=operator).select_related("operator", "region")
    return get_object_or_404(bases, serial=-1 if serial is None else serial)


def plots_of(base: Base) -> QuerySet[Plot]:
    """The plots of a base with their products, those in use first."""
    return base.plots.select_related("product", "base").order_by("closed_on", "id")


def plot_of(base: Base, uid: UUID) -> Plot:
    """One plot of a base; else 404."""
    return get_object_or_404(plots_of(base), uid=uid)


def may_change(base: Base, user: User) -> bool:
    """Whether the user may change the base: the operator takes part, and both are the user's to change."""
    return (
        may(user, Action.REGISTER_OPERATOR)
        and base.operator.status not in NOT_TRADING
        and Base.objects.editable_by(user).filter(pk=base.pk).exists()
    )


@dataclass(frozen=True)
class Areas:
    """How large a base is, in 亩: as stated, inside its outline, and all plots together."""

    stated: Decimal | None
    outlined: Decimal | None
    plots: Decimal | None


def areas_of(base: Base, plots: list[Plot]) -> Areas:
    """The areas beside each other; a plot counts with its stated area, else with its outline's."""
    known = [area for plot in plots if plot.closed_on is None and (area := plot.area_mu or plot.outline_mu)]
    return Areas(base.area_mu, base.outline_mu, sum(known, Decimal(0)) if known else None)


def doubts_of(base: Base, plots: list[Plot]) -> list[str]:
    """What somebody should look at again, in words (存疑)."""
    found = []
    areas = areas_of(base, plots)
    if base.longitude is None or base.latitude is None:
        found.append("还没有点位，请到现场定位。")
    else:
        if max(_decimals(base.longitude), _decimals(base.latitude)) < FEWEST_DECIMALS:
            found.append("点位不到 6 位小数，可能不是现场测的。")
        if base.outline and not contains_point(base.outline, base.longitude, base.latitude):
            found.append("点位在轮廓外面。")
    if differs(areas.stated, areas.outlined):
        found.append(f"填写的面积 {areas.stated:f} 亩和轮廓面积 {areas.outlined:f} 亩相差超过 10%。")
    whole = areas.stated or areas.outlined
    if differs(whole, areas.plots):
        found.append(f"地块合计 {areas.plots:f} 亩和基地面积 {whole:f} 亩相差超过 10%。")
    if base.outline:
        for plot in plots:
            if plot.closed_on is None and plot.outline and share_inside(plot.outline, base.outline) < MOSTLY_INSIDE:
                found.append(f"地块“{plot.name}”有一部分在基地轮廓外面。")
    return found


def differs(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether two areas are known and too far apart to be the same land."""
    if not one or not other:
        return False
    return abs(one - other) > WIDEST_DIFFERENCE * max(one, other)


def _decimals(degrees: Decimal) -> int:
    exponent = degrees.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def supervisor_of(base: Base) -> str:
    """The agency that supervises where a base lies (监管单位): the nearest one above, to the county; empty if none."""
    above = [base.region_id // width * width for width in (10**3, 10**6)]
    agencies = Agency.objects.filter(region_id__in=above, kind=Agency.Kind.SUPERVISION, suspended_at=None)
    return agencies.order_by("-level", "id").values_list("name", flat=True).first() or ""


def view_of(region: Region, base: Base | None = None) -> str:
    """West, south, east and north of what a map shows first: the base, else its county."""
    if base is not None and base.outline:
        return _edges(bounds_of(base.outline))
    if base is not None and base.longitude is not None and base.latitude is not None:
        x, y = float(base.longitude), float(base.latitude)
        return _edges((x - AROUND_DEGREES, y - AROUND_DEGREES, x + AROUND_DEGREES, y + AROUND_DEGREES))
    shape = shape_of(region.pk // 10**6 * 10**6)
    return _edges(shape.bounds) if shape is not None else ""


def _edges(bounds: Any) -> str:
    return ",".join(f"{edge:.6f}" for edge in bounds)


def shapes_of(base: Base, plots: list[Plot]) -> dict[str, Any]:
    """The outlines of a base and its plots in use as a GeoJSON collection, for the map of its page."""
    features = [{"type": "Feature", "geometry": base.outline, "properties": {"kind": "base", "name": base.name}}]
    features += [
        {"type": "Feature", "geometry": plot.outline, "properties": {"kind": "plot", "name": plot.name}}
        for plot in plots
        if plot.closed_on is None
    ]
    if base.longitude is not None and base.latitude is not None:
        point = {"type": "Point", "coordinates": [float(base.longitude), float(base.latitude)]}
        features.append({"type": "Feature", "geometry": point, "properties": {"kind": "point", "name": base.name}})
    return {"type": "FeatureCollection", "features": [feature for feature in features if feature["geometry"]]}
