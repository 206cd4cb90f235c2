"""What a collector does with a record after the import: complete its point, correct it, see its phone numbers."""

import dataclasses
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record, told
from nongma.codes.services import subjects_changed
from nongma.lib.refused import Refused
from nongma.origins.doubts import marks
from nongma.origins.due.services import origins_saved
from nongma.origins.importing.identity import fingerprint_of, identity_of
from nongma.origins.models import AnswerCount, Origin
from nongma.origins.reviewing.answers import count_answers
from nongma.origins.services.cells import mark_dirty
from nongma.origins.services.placing import TYPED, Fix, as_judged, base_at, moved_identity, place, read_point, save_once
from nongma.origins.services.rights import check_may_collect

OPEN_FIELDS = {
    "scale",
    "unit",
    "on_sale_on",
    "off_sale_on",
    "planted_on",
    "alias",
    "certifications",
    "methods",
    "trace_methods",
    "credit",
}
"""What the audit log tells in full when it changes; of the rest, which tells of a person, only that it did."""


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


@transaction.atomic
def locate_origin(*, origin: Origin, longitude: Decimal, latitude: Decimal, actor: User, fix: Fix = TYPED) -> Origin:
    """Complete a draft with the point of the field visit (policy 五(一)); it then waits for review.

    `fix`: how it was found. Refuses `not_to_locate`, `outside-county`, `same_place` and what `check_may_collect` and
    `read_point` do.
    """
    held = _held(origin, actor)
    if held.state != Origin.State.TO_LOCATE:
        raise Refused("not_to_locate", "这条记录已经有点位了")
    place(held, read_point(str(longitude), str(latitude)))
    fix.put(held)
    held.identity = moved_identity(held)
    held.state = Origin.State.SUBMITTED
    held.base = base_at(held)
    save_once(held)
    record("origin.located", actor=actor, target=held, region_code=held.region_id, point=held.point)
    mark_dirty([(held.quadkey, held.region_id)])
    marks.mark([held.pk])
    subjects_changed([held.base.uid, held.operator.uid])
    origins_saved([held.pk])
    return held


@transaction.atomic
def correct_origin(*, origin: Origin, correction: Correction, actor: User, fix: Fix = TYPED) -> Origin:
    """Correct a record that came back; it then waits for review again (policy 六(三)). Its base goes with its point.

    Refuses `not_returned`, `outside-county`, `same_place` and what `check_may_collect` and `read_point` do.
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
    if "scale" in changed or "unit" in changed:
        held.scale_typed = ""
    place(held, point)
    if held.quadkey != before[0]:
        fix.put(held)
    judged = as_judged(held)
    held.identity = identity_of(judged)
    held.fingerprint = fingerprint_of(judged)
    held.state = Origin.State.SUBMITTED
    if held.quadkey != before[0]:
        held.base = base_at(held)
    save_once(held)
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
    held = Origin.objects.select_for_update(of=("self",)).select_related("operator", "product").get(pk=origin.pk)
    check_may_collect(actor=actor, operator=held.operator, region_code=held.region_id)
    return held
