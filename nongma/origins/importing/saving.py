"""A chunk of judged lines saved as operators, bases and origins, in one transaction with how far the import is.

Which record a line is about:

* Its **key** is the operator (county, name, phone: as the registry tells operators apart), the division, the product
  and the month that the season begins in (blank for livestock and fish). Several bases of one key differ in their
  point.
* The same content at the same point is on file already (`unchanged`); so is the same content without a point.
* Another content at the same point, or within 50 m of one from an earlier import, is an update: the new record takes
  the place of the old one and goes to review again (policy 五(四): 内容发生变化的，要及时进行更新).
* A line with a point takes the place of a draft of an earlier import that waits for its visit.
* The same month of sale a year after a record of an earlier import, at its point or within 50 m, is its next 茬 and
  takes its place (policy 五(四): 每茬都要采集).
* Everything else is a record of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record_many
from nongma.catalogue.models import Industry
from nongma.codes.services import subjects_changed
from nongma.lib.copying import array, copy_rows
from nongma.lib.fields import encrypt
from nongma.lib.ids import uuid7
from nongma.origins.doubts import marks
from nongma.origins.due.services import origins_saved
from nongma.origins.importing.identity import KEY_BYTES, fingerprint_of, identity_of, key_a_year_before, key_of
from nongma.origins.importing.judging import JudgedLine
from nongma.origins.importing.lines import Line
from nongma.origins.models import ImportJob, ImportRow, Origin
from nongma.origins.reviewing.deadlines import deadlines
from nongma.origins.services.cells import mark_dirty
from nongma.regions.wording import own_name
from nongma.registry.bulk import NewBase, NewOperator, enrol_bases, enrol_operators, hold_counties
from nongma.registry.models import COUNTY_WIDTH, OperatorKind

SAME_PLACE_METRES = 50
METRES_PER_DEGREE = 111_320

COLUMNS = (
    "id", "uid", "operator_id", "base_id", "product_id", "region_id", "alias", "certifications", "longitude",
    "latitude", "quadkey", "contact", "phone", "scale", "unit", "on_sale_on", "off_sale_on", "methods", "trace_methods",
    "credit", "grid_name", "grid_phone", "collector_name", "collector_phone", "state", "supersedes_id", "identity",
    "fingerprint", "collected_by_id", "return_reason", "import_job_id", "import_row", "due_on",
    "created_at", "updated_at", "located_with", "scale_typed",
)  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """What became of the lines of a chunk."""

    accepted: int = 0
    to_locate: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(slots=True)
class Known:
    """A record that a line may be about: on file (`uid` and `id` set), or planned by an earlier line of the chunk."""

    id: int
    uid: UUID
    fingerprint: bytes
    longitude: Decimal | None
    latitude: Decimal | None
    quadkey: int | None
    region_code: int
    state: str
    job_id: int | None
    plan: "Plan | None" = None


@dataclass(slots=True)
class Plan:
    """A record to be written."""

    judged: JudgedLine
    identity: bytes
    fingerprint: bytes
    state: str
    supersedes: Known | None
    id: int = 0
    uid: UUID = field(default_factory=uuid7)


def save_lines(job: ImportJob, lines: Sequence[JudgedLine], *, actor: User) -> Outcome:
    """Save a chunk, inside the caller's transaction that holds the job's lock; answers what became of its lines."""
    outcome = Outcome()
    faulty = [one for one in lines if one.faults]
    ImportRow.objects.bulk_create(
        ImportRow(
            job=job,
            row=one.line.row,
            outcome="rejected" if one.is_rejected else "to_locate",
            faults=[fault._asdict() for fault in one.faults],
        )
        for one in faulty
    )
    good = [one for one in lines if not one.is_rejected]
    outcome.rejected = len(lines) - len(good)
    if not good:
        return outcome
    hold_counties({one.region_code // COUNTY_WIDTH for one in good})
    plans = _plan(job, good, outcome)
    if plans:
        _write(job, plans, actor)
    return outcome


# Which record is it


def _plan(job: ImportJob, good: Sequence[JudgedLine], outcome: Outcome) -> list[Plan]:
    keys = [key_of(one) for one in good]
    before = [key_a_year_before(one) for one in good]
    known = _on_file([*keys, *filter(None, before)])
    plans = []
    for one, key, key_before in zip(good, keys, before, strict=True):
        records = known.setdefault(key, [])
        fingerprint = fingerprint_of(one)
        if any(_is_same(one, fingerprint, record) for record in records):
            outcome.unchanged += 1
            continue
        old = _updated_by(one, fingerprint, records, job.pk)
        beside = records
        if old is None and key_before is not None:
            beside = known.get(key_before, [])
            old = _last_season(one, beside, job.pk)
        located = one.quadkey is not None
        plan = Plan(
            judged=one,
            identity=identity_of(one, key=key, fingerprint=fingerprint),
            fingerprint=fingerprint,
            state=Origin.State.SUBMITTED if located else Origin.State.TO_LOCATE,
            supersedes=old,
        )
        if old:
            beside.remove(old)
        records.append(
            Known(
                0,
                plan.uid,
                fingerprint,
                one.longitude,
                one.latitude,
                one.quadkey,
                one.region_code,
                plan.state,
                job.pk,
                plan,
            )
        )
        plans.append(plan)
        if located:
            outcome.accepted += 1
        else:
            outcome.to_locate += 1
    return plans


def _is_same(one: JudgedLine, fingerprint: bytes, record: Known) -> bool:
    if record.fingerprint != fingerprint:
        return False
    return one.longitude is None or (one.longitude, one.latitude) == (record.longitude, record.latitude)


def _updated_by(one: JudgedLine, fingerprint: bytes, records: list[Known], job_id: int) -> Known | None:
    """The record that the line takes the place of, if one."""
    drafts = [record for record in records if record.longitude is None and record.job_id != job_id]
    drafts.sort(key=lambda record: record.fingerprint != fingerprint)
    if one.longitude is None:
        return drafts[0] if drafts else None
    near = [
        (metres, record.id, record)
        for record in records
        if (metres := _metres(one, record)) == 0 or (metres < SAME_PLACE_METRES and record.job_id != job_id)
    ]
    if near:
        return min(near, key=lambda item: item[:2])[2]
    return drafts[0] if drafts else None


def _last_season(one: JudgedLine, records: list[Known], job_id: int) -> Known | None:
    """The record of an earlier import that stands where the line does, the nearest."""
    near = [
        (metres, record.id, record)
        for record in records
        if record.job_id != job_id and (metres := _metres(one, record)) < SAME_PLACE_METRES
    ]
    return min(near, key=lambda item: item[:2])[2] if near else None


def _metres(one: JudgedLine, record: Known) -> float:
    if one.longitude is None or one.latitude is None or record.longitude is None or record.latitude is None:
        return math.inf
    east = float(one.longitude - record.longitude) * math.cos(math.radians(float(one.latitude)))
    north = float(one.latitude - record.latitude)
    return math.hypot(east, north) * METRES_PER_DEGREE


# Two statements: the planner takes a range of keys for tens of thousands of records, and would rather read them all.
NEAR = """
    SELECT near.id
    FROM unnest(%s::bytea[]) AS wanted(key)
    CROSS JOIN LATERAL (
        SELECT id FROM origins_origin
        WHERE identity BETWEEN wanted.key || '\\x00000000'::bytea AND wanted.key || '\\xffffffff'::bytea
            AND state <> 'superseded'
        OFFSET 0
    ) AS near
"""
LOCKED = """
    SELECT identity, id, uid, fingerprint, longitude, latitude, quadkey, region_id, state, import_job_id
    FROM origins_origin
    WHERE id = ANY(%s) AND state <> 'superseded'
    ORDER BY region_id, id
    FOR NO KEY UPDATE
"""


def _on_file(keys: list[bytes]) -> dict[bytes, list[Known]]:
    """The current records of each key, by the unique index on `identity`, locked until the chunk is saved.

    Whoever locates, corrects or decides one of them at the same time is waited for and seen. In the order in which a
    review locks, so that the two wait for each other instead of blocking each other.
    """
    known: dict[bytes, list[Known]] = {}
    with connection.cursor() as cursor:
        cursor.execute(NEAR, [array(set(keys))])
        cursor.execute(LOCKED, [[number for (number,) in cursor.fetchall()]])
        for identity, *values in cursor.fetchall():
            number, uid, fingerprint, *rest = values
            known.setdefault(bytes(identity)[:KEY_BYTES], []).append(Known(number, uid, bytes(fingerprint), *rest))
    return known


# Writing


def _write(job: ImportJob, plans: list[Plan], actor: User) -> None:
    operators = enrol_operators([operator_of(plan.judged) for plan in plans], actor=actor)
    bases = enrol_bases([base_of(plan.judged, operator.id) for plan, operator in zip(plans, operators, strict=True)])
    _number(plans)
    _supersede(plans, actor)
    now = timezone.now()
    cipher: dict[str, str] = {}
    due = deadlines((plan.judged.region_code for plan in plans), Origin.State.SUBMITTED)
    rows = [
        _row(plan, operator.id, base, job, actor, now, cipher, due[plan.judged.region_code])
        for plan, operator, base in zip(plans, operators, bases, strict=True)
    ]
    copy_rows("origins_origin", COLUMNS, rows)
    record_many(
        "origin.imported",
        actor=actor,
        targets=(
            ("origin", str(plan.uid), plan.judged.region_code, {"import": str(job.uid), "row": plan.judged.line.row})
            for plan in plans
        ),
    )
    places = [(plan.judged.quadkey, plan.judged.region_code) for plan in plans]
    places += [(plan.supersedes.quadkey, plan.supersedes.region_code) for plan in plans if plan.supersedes]
    mark_dirty(places)
    marks.mark(
        [plan.id for plan in plans] + [plan.supersedes.id for plan in plans if plan.supersedes and plan.supersedes.id]
    )
    origins_saved(plan.id for plan in plans)


def _number(plans: list[Plan]) -> None:
    """Give the records their ids beforehand, so that one record of a chunk can name another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('origins_origin', 'id')) FROM generate_series(1, %s)", [len(plans)]
        )
        for plan, (number,) in zip(plans, cursor.fetchall(), strict=True):
            plan.id = number


def _supersede(plans: list[Plan], actor: User) -> None:
    """Close the records whose place is taken, those on file now and those of this chunk as they are written."""
    replaced = [(plan, plan.supersedes) for plan in plans if plan.supersedes]
    for _, old in replaced:
        if old.plan:
            old.plan.state = Origin.State.SUPERSEDED
    on_file = {old.id: (old, plan) for plan, old in replaced if not old.plan}
    if on_file:
        closed = Origin.objects.filter(pk__in=on_file)
        closed.update(state=Origin.State.SUPERSEDED, updated_at=timezone.now())
        subjects_changed({uid for pair in closed.values_list("base__uid", "operator__uid") for uid in pair})
    record_many(
        "origin.superseded",
        actor=actor,
        targets=[("origin", str(old.uid), old.region_code, {"by": str(plan.uid)}) for plan, old in replaced],
    )


def operator_of(one: JudgedLine) -> NewOperator:
    """Whoever grows what a line tells of."""
    line = one.line
    return NewOperator(
        kinds=(OperatorKind(line.kind or ""),),
        name=line.name or "",
        region_code=one.region_code,
        contact=line.contact or "",
        phone=line.phone or "",
        industries=(Industry(line.industry or ""),),
        address=f"{line.town}{line.village}",
    )


def base_of(one: JudgedLine, operator_id: int) -> NewBase:
    """The base that a line tells of."""
    line = one.line
    return NewBase(
        operator_id=operator_id,
        name=f"{own_name(line.village or line.town or '')}{line.product}基地"[:100],
        region_code=one.region_code,
        longitude=one.longitude,
        latitude=one.latitude,
        quadkey=one.quadkey,
        area_mu=Decimal(line.scale or 0) if line.unit == "mu" else None,
    )


def _row(
    plan: Plan,
    operator_id: int,
    base_id: int,
    job: ImportJob,
    actor: User,
    now: datetime,
    cipher: dict[str, str],
    review_by: date | None,
) -> tuple[Any, ...]:
    one = plan.judged
    line: Line = one.line
    for phone in (line.phone, line.grid_phone, line.collector_phone):
        if phone and phone not in cipher:
            cipher[phone] = encrypt(phone)
    superseded = None
    if plan.supersedes:
        superseded = plan.supersedes.plan.id if plan.supersedes.plan else plan.supersedes.id
    return (
        plan.id,
        plan.uid,
        operator_id,
        base_id,
        one.product_id,
        one.region_code,
        line.alias or "",
        line.certifications or [],
        one.longitude,
        one.latitude,
        one.quadkey,
        line.contact,
        cipher[line.phone or ""],
        line.scale,
        line.unit,
        line.on_sale,
        line.off_sale,
        line.methods or [],
        line.traces or [],
        line.credit or "",
        line.grid_name,
        cipher[line.grid_phone or ""],
        line.collector,
        cipher[line.collector_phone or ""],
        plan.state,
        superseded,
        plan.identity,
        plan.fingerprint,
        actor.pk,
        "",
        job.pk,
        line.row,
        review_by if plan.state == Origin.State.SUBMITTED else None,
        now,
        now,
        Origin.LocatedWith.SHEET if one.quadkey is not None else "",
        line.scale_typed or "",
    )
