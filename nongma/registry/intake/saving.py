"""A chunk of judged lines noted and, when the load was confirmed, put on file; in the caller's transaction."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from nongma.accounts.access import Scope
from nongma.accounts.models import User
from nongma.audit.services import record_many
from nongma.catalogue.models import Industry
from nongma.codes.services import subjects_changed
from nongma.lib.copying import copy_rows
from nongma.lib.fields import blind_index, encrypt_many, hold_keys
from nongma.lib.masking import mask_id, mask_phone
from nongma.lib.sheets.faults import Fault
from nongma.registry.bulk import NewOperator, hold_counties, insert_operators
from nongma.registry.directory.marks import mark
from nongma.registry.intake.judging import Judged, Outcome
from nongma.registry.intake.matching import OnFile
from nongma.registry.models import Intake, IntakeRow, Operator, OperatorKind, Produce

FEW = 20
"""How many rows of what needs no looking at are kept to be shown before it is confirmed."""
COUNTS = {
    Outcome.NEW: "made",
    Outcome.UNCHANGED: "unchanged",
    Outcome.DIFFERS: "differing",
    Outcome.DOUBLED: "doubled",
    Outcome.FAULTY: "faulty",
}
REVIVED = (
    "status", "stopped_for", "kinds", "name", "uscc", "id_number", "id_index", "region", "address", "longitude",
    "latitude", "industries", "contact", "phone", "phone_index", "reviewed_by", "reviewed_at",
)  # fmt: skip


def take_lines(intake: Intake, judged: Sequence[Judged], *, scope: Scope) -> None:
    """Find out what each line would bring about, and note it; nothing is put on file."""
    _compare(judged, scope)
    _note(intake, judged)


def load_lines(intake: Intake, judged: Sequence[Judged], *, actor: User, scope: Scope, approves_in: Scope) -> None:
    """Put the new operators of the lines on file, and note what became of the others.

    `approves_in`: where the actor vouches for them. A fixed number of statements for any number of lines.
    """
    hold_counties({one.county for one in judged if one.county})
    hold_keys()
    _compare(judged, scope)
    fresh = [one for one in judged if one.outcome is Outcome.NEW and not one.operator]
    inserted = insert_operators([_operator(one, approves_in) for one in fresh], actor=actor)
    made = {id(one): found for one, found in zip(fresh, inserted, strict=True)}
    beaten = [one for one in fresh if made[id(one)] is None]
    if beaten:
        _compare(beaten, scope)
        for one in beaten:
            if one.outcome is Outcome.NEW:
                one.outcome = Outcome.FAULTY
                one.faults.append(Fault("name", "registered-just-now", "这个主体刚刚由别人登记了，请再传一次"))
    rows = [(one, found.id, str(found.uid)) for one in fresh if (found := made[id(one)])]
    rows += _revive([one for one in judged if one.outcome is Outcome.NEW and one.operator], actor, approves_in)
    _write(intake, rows, actor, approves_in)
    _note(intake, judged)


def _compare(judged: Sequence[Judged], scope: Scope) -> None:
    sound = [one for one in judged if one.outcome is Outcome.NEW]
    if sound:
        OnFile(sound).compare(sound, scope)


def _note(intake: Intake, judged: Sequence[Judged]) -> None:
    """Count the lines on the load and keep those that a person looks at, in the place of what was noted before."""
    intake.rows.filter(row__range=(judged[0].line.row, judged[-1].line.row)).delete()
    kept = []
    for one in judged:
        count = getattr(intake, COUNTS[one.outcome])
        setattr(intake, COUNTS[one.outcome], count + 1)
        if one.outcome not in (Outcome.NEW, Outcome.UNCHANGED) or count < FEW:
            kept.append(
                IntakeRow(
                    intake=intake,
                    row=one.line.row,
                    outcome=one.outcome,
                    shown=_shown(one),
                    faults=[fault._asdict() for fault in one.faults],
                    operator=one.operator,
                )
            )
    IntakeRow.objects.bulk_create(kept)


def _shown(one: Judged) -> dict[str, str]:
    line = one.line
    return {
        "name": line.name or "",
        "kinds": "、".join(OperatorKind(kind).label for kind in line.kinds or []),
        "place": one.region_name,
        "number": line.uscc or mask_id(line.id_number or ""),
        "phone": mask_phone(line.phone or ""),
    }


def _operator(one: Judged, approves_in: Scope) -> NewOperator:
    line = one.line
    return NewOperator(
        kinds=tuple(map(OperatorKind, line.kinds or [])),
        name=line.name or "",
        region_code=one.region_code,
        contact=line.contact or "",
        phone=line.phone or "",
        industries=tuple(map(Industry, one.industries)),
        address=line.address or "",
        uscc=line.uscc or None,
        id_number=line.id_number or "",
        longitude=one.longitude,
        latitude=one.latitude,
        is_approved=one.region_code in approves_in,
    )


def _revive(back: Sequence[Judged], actor: User, approves_in: Scope) -> list[tuple[Judged, int, str]]:
    """Open operators again whose load was taken back, as this sheet tells of them; each keeps its code.

    One that somebody else opened meanwhile stays as it is.
    """
    rows = []
    operators = []
    closed = Operator.objects.filter(pk__in=[one.operator.pk for one in back if one.operator], stopped_for__gt="")
    held = closed.filter(status=Operator.Status.CANCELLED).select_for_update(no_key=True).order_by("pk").in_bulk()
    for one in back:
        operator, new = held.get(one.operator.pk) if one.operator else None, _operator(one, approves_in)
        if operator is None:
            one.outcome = Outcome.FAULTY
            one.faults.append(Fault("name", "opened-just-now", "这个主体刚刚由别人恢复了，请再传一次"))
            continue
        operator.status = Operator.Status.APPROVED if new.is_approved else Operator.Status.IMPORTED
        operator.reviewed_by, operator.reviewed_at = (actor, timezone.now()) if new.is_approved else (None, None)
        operator.stopped_for = ""
        operator.kinds, operator.industries = [*new.kinds], [*new.industries]
        operator.name, operator.contact, operator.address = new.name, new.contact, new.address
        operator.uscc, operator.id_number, operator.phone = new.uscc, new.id_number, new.phone
        operator.id_index = blind_index(new.id_number) if new.id_number else None
        operator.phone_index = blind_index(new.phone) if new.phone else None
        operator.region_id, operator.longitude, operator.latitude = new.region_code, new.longitude, new.latitude
        operators.append(operator)
        rows.append((one, operator.pk, str(operator.uid)))
    if operators:
        Operator.objects.bulk_update(operators, REVIVED)
        Produce.objects.filter(operator__in=operators).delete()
        subjects_changed([operator.uid for operator in operators])
    return rows


def _write(intake: Intake, rows: Sequence[tuple[Judged, int, str]], actor: User, approves_in: Scope) -> None:
    entries: list[tuple[Any, ...]] = []
    produce: list[tuple[Any, ...]] = []
    remarks = encrypt_many(one.line.remark or "" for one, _, _ in rows)
    for (one, operator, _), remark in zip(rows, remarks, strict=True):
        entries.append((intake.pk, operator, one.line.row, remark))
        produce += [(operator, product.pk, scale, unit) for product, unit, scale in one.products]
    copy_rows("registry_intakeoperator", ("intake_id", "operator_id", "row", "remark"), entries)
    copy_rows("registry_produce", ("operator_id", "product_id", "scale", "unit"), produce)
    mark(operator for _, operator, _ in rows)
    record_many(
        "operator.loaded",
        actor=actor,
        targets=[
            (
                "operator",
                uid,
                one.region_code,
                {
                    "status": "approved" if one.region_code in approves_in else "imported",
                    "import": str(intake.uid),
                    "row": one.line.row,
                },
            )
            for one, _, uid in rows
        ],
    )
