"""What a collector does with a record after the import: complete its point, correct it, see its phone numbers."""

import dataclasses
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record, told
from nongma.codes.services import subjects_changed
from nongma.lib.fields import digest_of
from nongma.lib.quadkeys import quadkey
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.sheets.cleaning import BadValue
from nongma.origins.doubts import marks
from nongma.origins.due.services import origins_saved
from nongma.origins.importing.cells import separate_point
from nongma.origins.importing.judging import JudgedLine
from nongma.origins.importing.lines import Line
from nongma.origins.importing.saving import KEY_BYTES, fingerprint_of, key_of
from nongma.origins.models import AnswerCount, Origin
from nongma.origins.reviewing.answers import count_answers
from nongma.origins.reviewing.deadlines import deadline_of
from nongma.origins.services.cells import mark_dirty
from nongma.regions.boundaries import TOLERANCE_METRES, distance_outside_county
from nongma.registry.bulk import NewBase, enrol_bases
from nongma.registry.models import Base

OPEN_FIELDS = {
    "scale",
    "unit",
    "on_sale_on",
    "off_sale_on",
    "alias",
    "certifications",
    "methods",
    "trace_methods",
    "credit",
}
"""What the audit log tells in full when it changes; of the rest, which tells of a person, only that it did."""

Point = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Correction:
    """What may be corrected in a record that came back. Who grows what, and where by name, makes it another record."""

    longitude: Decimal
    latitude: Decimal
    contact: str
    phone: str
    scale: Decimal
    unit: str
    on_sale_on: date | None
    off_sale_on: date | None
    alias: str
    certifications: list[str]
    methods: list[str]
    trace_methods: list[str]
    credit: str
    grid_name: str
    grid_phone: str
    collector_name: str
    collector_phone: str


@dataclass(frozen=True)
class Phones:
    """The phone numbers of a record in full."""

    grower: str
    grid: str
    collector: str


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


@transaction.atomic
def locate_origin(*, origin: Origin, longitude: Decimal, latitude: Decimal, actor: User) -> Origin:
    """Complete a draft with the point of the field visit (policy 五(一)); it then waits for review.

    Refuses `not_to_locate`, `outside-county`, `same_place`, `outside_area`, `not_collector` and what `read_point` does.
    """
    held = _held(origin, actor)
    if held.state != Origin.State.TO_LOCATE:
        raise Refused("not_to_locate", "这条记录已经有点位了")
    _place(held, read_point(str(longitude), str(latitude)))
    held.identity = bytes(held.identity)[:KEY_BYTES] + _place_digest(held)
    held.state = Origin.State.SUBMITTED
    held.base = _base_at(held)
    _save(held)
    record("origin.located", actor=actor, target=held, region_code=held.region_id, point=held.point)
    mark_dirty([(held.quadkey, held.region_id)])
    marks.mark([held.pk])
    subjects_changed([held.base.uid, held.operator.uid])
    origins_saved([held.pk])
    return held


@transaction.atomic
def correct_origin(*, origin: Origin, correction: Correction, actor: User) -> Origin:
    """Correct a record that came back; it then waits for review again (policy 六(三)). Its base goes with its point.

    Refuses `not_returned`, `outside-county`, `same_place`, `outside_area`, `not_collector` and what `read_point` does.
    """
    held = _held(origin, actor)
    if held.state != Origin.State.RETURNED:
        raise Refused("not_returned", "只有退回的记录才能修改")
    before = held.quadkey, held.region_id
    left, due_on = held.base, held.due_on
    point = read_point(str(correction.longitude), str(correction.latitude))
    changed: dict[str, list[Any]] = {}
    for field in dataclasses.fields(Correction):
        value, had = getattr(correction, field.name), getattr(held, field.name)
        if had != value:
            changed[field.name] = [told(had), told(value)]
            setattr(held, field.name, value)
    _place(held, point)
    judged = _as_judged(held)
    held.identity = key_of(judged) + _place_digest(held)
    held.fingerprint = fingerprint_of(judged)
    held.state = Origin.State.SUBMITTED
    if held.quadkey != left.quadkey:
        held.base = _base_at(held)
    _save(held)
    record(
        "origin.changed",
        actor=actor,
        target=held,
        region_code=held.region_id,
        fields=list(changed),
        changes={field: values for field, values in changed.items() if field in OPEN_FIELDS},
    )
    mark_dirty([before, (held.quadkey, held.region_id)])
    marks.mark([held.pk])
    subjects_changed({left.uid, held.base.uid, held.operator.uid})
    origins_saved([held.pk])
    count_answers(AnswerCount.Kind.CORRECT, [(actor.pk, held.region_id, due_on)])
    return held


@transaction.atomic
def reveal_phones(*, origin: Origin, actor: User) -> Phones:
    """The phone numbers in full, for a role that needs them; the look is on record. Refuses `not_allowed`."""
    if origin.region_id not in scope_of(actor, Action.REVEAL_PERSONAL):
        raise Refused("not_allowed", "您的角色不能查看完整的联系方式")
    record("origin.revealed", actor=actor, target=origin, region_code=origin.region_id)
    return Phones(grower=origin.phone, grid=origin.grid_phone, collector=origin.collector_phone)


def _held(origin: Origin, actor: User) -> Origin:
    """The record under its lock, if the actor may collect there."""
    if not may(actor, Action.COLLECT_ORIGINS):
        raise Refused("not_collector", "您的角色不能采集产地信息")
    held = Origin.objects.select_for_update(of=("self",)).select_related("operator", "product").get(pk=origin.pk)
    if held.region_id not in scope_of(actor, Action.COLLECT_ORIGINS):
        raise Refused("outside_area", "这条记录不在您的管辖范围内")
    return held


def _place(origin: Origin, point: Point) -> None:
    longitude, latitude = point
    metres = distance_outside_county(origin.region_id, float(longitude), float(latitude))
    if metres > TOLERANCE_METRES:
        far = f"{metres / 1000:,.1f} 公里" if metres >= 1000 else f"{metres:.0f} 米"
        raise Refused("outside-county", f"点位不在所填的县（市、区）内，差 {far}，请核对", field="longitude")
    origin.longitude, origin.latitude = longitude, latitude
    origin.quadkey = quadkey(float(longitude), float(latitude))


def _base_at(origin: Origin) -> Base:
    """The operator's base at the record's point: one that stands there already, the record's own, put there now, or,
    where other records hold that one in its place, a new one.
    """
    bases = Base.objects.select_for_update()
    place = {"operator_id": origin.operator_id, "region_id": origin.region_id, "quadkey": origin.quadkey}
    known = bases.in_use().filter(**place).first()
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


def _save(origin: Origin) -> None:
    """Save, with the deadline of who it waits for; two records of one key may not stand at one point."""
    origin.due_on = deadline_of(origin)
    try:
        with transaction.atomic():
            origin.save()
    except IntegrityError as error:
        if "origins_origin_current_once" not in str(error):
            raise
        raise Refused("same_place", "同一主体、产品和茬口在这个点位已有一条记录", field="longitude") from None


def _place_digest(origin: Origin) -> bytes:
    """The last bytes of `identity`, as the import makes them, so that the same line loaded again is recognised."""
    return digest_of(f"{origin.longitude},{origin.latitude}")[: 16 - KEY_BYTES]


def _as_judged(origin: Origin) -> JudgedLine:
    """The record as the line of 附件1 that it would be."""
    line = Line(
        row=0,
        faults=[],
        name=origin.operator.name,
        kind=origin.operator.kinds[0],
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
        methods=list(origin.methods) if origin.product.industry == "planting" else None,
        traces=list(origin.trace_methods),
        credit=origin.credit,
        grid_name=origin.grid_name,
        grid_phone=origin.grid_phone,
        collector=origin.collector_name,
        collector_phone=origin.collector_phone,
    )
    return JudgedLine(line, [], region_code=origin.region_id, product_id=origin.product_id)
