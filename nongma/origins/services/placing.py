"""Where a record stands: its point checked, how that was found, and the base that goes with it (点位、基地)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from nongma.lib.fields import digest_of
from nongma.lib.once import once
from nongma.lib.quadkeys import quadkey
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.sheets.cleaning import BadValue
from nongma.lib.sheets.coordinates import LATITUDES, LONGITUDES
from nongma.origins.importing.cells import separate_point
from nongma.origins.importing.identity import KEY_BYTES, PLACE_BYTES
from nongma.origins.importing.judging import JudgedLine
from nongma.origins.importing.lines import Line
from nongma.origins.models import Origin
from nongma.origins.reviewing.deadlines import deadline_of
from nongma.regions.placing import far_points
from nongma.registry.bulk import NewBase, enrol_bases
from nongma.registry.intake.words import GROWERS
from nongma.registry.models import Base, Operator

Point = tuple[Decimal, Decimal]
LocatedWith = Origin.LocatedWith
MOST_METRES = Decimal("9999999")


@dataclass(frozen=True)
class Fix:
    """How a point was found (定位方式), and where the phone was meanwhile, if it said so."""

    located_with: str = LocatedWith.TYPED
    accuracy_m: Decimal | None = None
    device_longitude: Decimal | None = None
    device_latitude: Decimal | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> "Fix":
        """What a page or a program says of it; what makes no sense is left out, as if the phone had been silent."""
        way = str(given.get("located_with") or "")
        position = tuple(
            _within(given.get(name), low, high)
            for name, (low, high) in (("device_longitude", LONGITUDES), ("device_latitude", LATITUDES))
        )
        longitude, latitude = position if None not in position else (None, None)
        return cls(
            way if way in (LocatedWith.DEVICE, LocatedWith.MAP) else LocatedWith.TYPED,
            _within(given.get("accuracy_m"), Decimal(0), MOST_METRES, "0.1") if way == LocatedWith.DEVICE else None,
            longitude,
            latitude,
        )

    def put(self, origin: Origin) -> None:
        """Write it into the record."""
        origin.located_with, origin.accuracy_m = self.located_with, self.accuracy_m
        origin.device_longitude, origin.device_latitude = self.device_longitude, self.device_latitude


TYPED = Fix()
"""A point of which only the numbers are known."""


def _within(value: Any, low: Decimal, high: Decimal, places: str = "0.000001") -> Decimal | None:
    try:
        number = Decimal(str(value or ""))
    except InvalidOperation:
        return None
    return number.quantize(Decimal(places)) if number.is_finite() and low <= number <= high else None


def read_point(longitude: str | float, latitude: str | float) -> Point:
    """A longitude and a latitude as people and programs write them, checked and with six decimals.

    A text needs six decimals (附件1, note 6); a number has lost its last zeros, so it may have fewer. Refuses with the
    codes of the import: `not-a-coordinate`, `swapped-or-out-of-range`, `too-few-decimals`.
    """
    try:
        point = separate_point(longitude, latitude)
    except BadValue as bad:
        raise Misfilled(bad.code, bad.message, field="longitude") from None
    if point is None:
        raise Misfilled("not-a-coordinate", "请填经度和纬度", field="longitude")
    return point


def place(origin: Origin, point: Point) -> None:
    """Put the record at a point. Refuses `outside-county`."""
    longitude, latitude = point
    (told,) = far_points([origin.region_id], [float(longitude)], [float(latitude)])
    if told:
        raise Refused("outside-county", told, field="longitude")
    origin.longitude, origin.latitude = longitude, latitude
    origin.quadkey = quadkey(float(longitude), float(latitude))


def base_at(origin: Origin) -> Base:
    """The operator's base at the record's point: one that stands there already, the record's own, put there now, or,
    where other records hold that one in its place, a new one.
    """
    bases = Base.objects.select_for_update()
    known = (
        bases.in_use()
        .filter(operator_id=origin.operator_id, region_id=origin.region_id, quadkey=origin.quadkey)
        .first()
    )
    if known:
        return known
    base = bases.get(pk=origin.base_id)
    if base.quadkey is not None and base.origins.current().exclude(pk=origin.pk).exists():
        (number,) = enrol_bases(
            [
                NewBase(
                    operator_id=origin.operator_id,
                    name=base.name,
                    region_code=origin.region_id,
                    longitude=origin.longitude,
                    latitude=origin.latitude,
                    quadkey=origin.quadkey,
                )
            ]
        )
        return bases.get(pk=number)
    base.longitude, base.latitude, base.quadkey = origin.longitude, origin.latitude, origin.quadkey
    base.save(update_fields=["longitude", "latitude", "quadkey"])
    return base


def save_once(origin: Origin) -> None:
    """Save, with the deadline of who it waits for; two records of one key may not stand at one point.

    Refuses `same_place`.
    """
    origin.due_on = deadline_of(origin)
    with once("same_place", "同一主体、产品和茬口在这个点位已有一条记录，请在那条记录上更新", field="longitude"):
        origin.save()


def moved_identity(origin: Origin) -> bytes:
    """The identity of a record that stands somewhere else now, as the import makes it."""
    return bytes(origin.identity)[:KEY_BYTES] + digest_of(f"{origin.longitude},{origin.latitude}")[:PLACE_BYTES]


def kind_of(operator: Operator) -> str:
    """The one subject type of an operator that 附件1 takes (主体类型，单选)."""
    return next((kind for kind in operator.kinds if kind in GROWERS), operator.kinds[0])


def as_judged(origin: Origin) -> JudgedLine:
    """The record as the line of 附件1 that it would be."""
    line = Line(
        row=0,
        faults=[],
        name=origin.operator.name,
        kind=kind_of(origin.operator),
        industry=origin.product.industry,
        product=origin.product.name,
        alias=origin.alias,
        certifications=list(origin.certifications),
        province=None,
        city=None,
        county=None,
        town=None,
        village=None,
        longitude=str(origin.longitude),
        latitude=str(origin.latitude),
        contact=origin.contact,
        phone=origin.phone,
        scale=str(origin.scale),
        unit=origin.unit,
        on_sale=origin.on_sale_on.isoformat() if origin.on_sale_on else None,
        off_sale=origin.off_sale_on.isoformat() if origin.off_sale_on else None,
        methods=list(origin.methods) if origin.is_crop else None,
        traces=list(origin.trace_methods),
        credit=origin.credit,
        grid_name=origin.grid_name,
        grid_phone=origin.grid_phone,
        collector=origin.collector_name,
        collector_phone=origin.collector_phone,
    )
    return JudgedLine(
        line,
        [],
        region_code=origin.region_id,
        product_id=origin.product_id,
        longitude=origin.longitude,
        latitude=origin.latitude,
        quadkey=origin.quadkey,
    )
