"""Putting bases of an operator on file (基地)."""

from decimal import Decimal

from django.db import transaction

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.codes.models import CodeRange
from nongma.codes.services import assign
from nongma.lib.ids import uuid7
from nongma.lib.quadkeys import quadkey
from nongma.lib.refused import Misfilled, Refused
from nongma.regions.boundaries import inside_county
from nongma.regions.models import Region
from nongma.registry.directory.marks import touch
from nongma.registry.models import Base, Operator
from nongma.registry.services.checks import Point, check_may_change, check_region, checked_place, text_of


@transaction.atomic
def add_base(
    *,
    operator: Operator,
    name: str,
    region: Region,
    actor: User,
    point: Point | None = None,
    area_mu: Decimal | None = None,
    address: str = "",
) -> Base:
    """Put a base of an operator on file with its 基地码.

    Refuses `not_active` (the operator is suspended or cancelled), `outside_area`, `not_own_operator`,
    `outside_county`, `already_registered` (a base of this operator is there),
    `area_invalid` and what is wrong with a text, region or point.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    check_may_change(operator, actor, region)
    name, address = text_of("name", name, is_needed=True), text_of("address", address)
    check_region(region)
    if area_mu is not None and not 0 < area_mu < Decimal("1e10"):
        raise Misfilled("area_invalid", "面积要大于 0", field="area_mu")
    place = checked_place(point)
    if point and not inside_county(region.pk, float(point[0]), float(point[1])):
        raise Refused("outside_county", "这个位置不在所选的县（区）里，请检查经纬度", field="point")
    key = quadkey(float(point[0]), float(point[1])) if point else None
    same = operator.bases.filter(region=region, quadkey=key)
    if (same if point else same.filter(name=name)).exists():
        raise Refused("already_registered", "该主体在这里已经登记了基地", field="point" if point else "name")
    uid = uuid7()
    codes = assign(kind=CodeRange.Kind.BASE, subject=uid)
    base = Base.objects.create(
        uid=uid,
        serial=codes.start,
        operator=operator,
        name=name,
        region=region,
        address=address,
        area_mu=area_mu,
        quadkey=key,
        **place,
    )
    record("base.registered", actor=actor, target=base, region_code=region.pk, operator=str(operator.uid))
    touch(operator.pk)
    return base
