"""What a shopper may see of a code, read in one statement."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils import timezone

from nongma.certificates.models import Basis
from nongma.codes.codec import encode
from nongma.codes.models import CodeRange
from nongma.lib.fields import decrypt
from nongma.lib.masking import mask_name, mask_numbers, mask_phone
from nongma.public.pool import Pool
from nongma.registry.models import Operator
from nongma.registry.names import is_person, public_name
from nongma.tracing.models import TraceEvent

# Two decimals of a degree are about a kilometre: a village is found, a home is not.
POINT_DECIMALS = 2
MOST_SCANS_COUNTED = 1000
MOST_LOTS_FOLLOWED = 50
TYPED = ("recall_reason", "revoke_reason", "base_name", "alias", "varieties", "measures")
"""What people typed, of which a shopper reads all but the phones that somebody put there by mistake."""
STEPS_SHOWN = tuple(step.value for step in TraceEvent.Step if step is not TraceEvent.Step.LOST)


class State(StrEnum):
    """What a subject is worth to a shopper today."""

    VALID = "valid"
    FROZEN = "frozen"
    RECALLED = "recalled"
    REVOKED = "revoked"
    VOID = "void"
    PENDING = "pending"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    CLOSED = "closed"


GONE = {State.RECALLED, State.REVOKED, State.VOID, State.CANCELLED, State.CLOSED}


@dataclass(frozen=True)
class Party:
    """An operator as the public may know it: a person's name and any phone are masked."""

    code: str
    name: str
    kinds: list[str]
    place: str
    contact: str
    phone: str
    industries: list[str]
    uid: UUID


@dataclass(frozen=True)
class Place:
    """Where it was grown: names of divisions, and a point to about a kilometre."""

    path: str
    region: int
    base: str
    longitude: Decimal | None
    latitude: Decimal | None
    area_mu: Decimal | None
    varieties: str
    measures: str
    methods: list[str]
    certifications: list[str]


@dataclass(frozen=True)
class Promise:
    """The certificate that a shopper may rely on, or the one that no longer holds."""

    code: str
    state: State
    quantity: Decimal
    issued_at: datetime
    basis: str
    basis_text: str
    promises: list[str]
    issuer: Party
    revoked_at: datetime | None
    revoke_reason: str
    payload: str
    signature: bytes
    key_id: str


@dataclass(frozen=True)
class Held:
    """A certification that holds today; `kind` is its name in words when it is of another kind than the usual."""

    kind: str
    name: str
    number: str
    to_on: date | None
    confirmed: bool


@dataclass(frozen=True)
class Step:
    """One step of the journey."""

    step: str
    on: date
    place: str


@dataclass(frozen=True)
class Subject:
    """Everything that the page of one code shows."""

    code: str
    serial: int
    kind: CodeRange.Kind
    state: State
    reason: str
    product: str
    product_code: str
    product_english: str
    alias: str
    quantity: Decimal | None
    unit: str
    lot_code: str
    lot_serial: int | None
    lot_kind: str
    made_on: date | None
    operator: Party
    grower: Party | None
    origin: Place | None
    certificate: Promise | None
    journey: list[Step]
    products: list[str]
    scans: int
    first_scan: datetime | None
    subjects: frozenset[UUID] = field(default_factory=frozenset)
    held: list[Held] = field(default_factory=list)
    read_on: date = field(default_factory=timezone.localdate)


# Rows of the lineage come nearest first, each lot once, and the LIMIT on it stops the walk; a mix of mixes has many.
STATEMENT = """
WITH RECURSIVE code AS (
    SELECT nearest.* FROM (
        SELECT start, stop, kind, subject, state FROM codes_coderange
        WHERE start <= %(serial)s ORDER BY start DESC LIMIT 1
    ) nearest
    WHERE %(serial)s < stop
),
asked AS (
    SELECT code.*, certificate.id AS certificate_id, COALESCE(certificate.lot_id, lot.id) AS lot_id,
           base.id AS base_id, operator.id AS operator_id
    FROM code
    LEFT JOIN certificates_certificate certificate ON code.kind = 'certificate' AND certificate.uid = code.subject
    LEFT JOIN tracing_lot lot ON code.kind IN ('lot', 'item') AND lot.uid = code.subject
    LEFT JOIN registry_base base ON code.kind = 'base' AND base.uid = code.subject
    LEFT JOIN registry_operator operator ON code.kind = 'operator' AND operator.uid = code.subject
),
lineage (lot_id) AS (
    SELECT lot_id FROM asked WHERE lot_id IS NOT NULL
    UNION
    SELECT link.parent_id
    FROM lineage
    CROSS JOIN LATERAL (SELECT parent_id FROM tracing_lotlink WHERE child_id = lineage.lot_id OFFSET 0) link
)
SELECT asked.kind, asked.state AS code_state, asked.subject,
       lot.uid AS lot_uid, lot.serial AS lot_serial, lot.kind AS lot_kind, lot.unit, lot.made_on, lot.bought,
       lot.frozen_at, lot.recalled_at, lot.recall_reason,
       (SELECT quantity FROM tracing_lotentry WHERE lot_id = lot.id ORDER BY id LIMIT 1) AS lot_quantity,
       product.name AS product, product.code AS product_code, product.english_name AS product_english,
       certificate.uid AS certificate_uid, certificate.serial AS certificate_serial,
       certificate.quantity AS certificate_quantity, certificate.basis, certificate.issued_at,
       certificate.revoked_at, certificate.revoke_reason, certificate.payload, certificate.signature,
       certificate.key_id, template.producer_promise, template.buyer_promise, template.basis_labels,
       operator.uid AS operator_uid, operator.serial AS operator_serial, operator.name AS operator_name,
       operator.kinds AS operator_kinds, operator.uscc AS operator_uscc, operator.contact AS operator_contact,
       operator.phone AS operator_phone, operator.status AS operator_status,
       operator.industries AS operator_industries, operator.longitude AS operator_longitude,
       operator.latitude AS operator_latitude, operator.region_id AS operator_region_code,
       operator_region.full_name AS operator_region,
       grower.uid AS grower_uid, grower.serial AS grower_serial, grower.name AS grower_name,
       grower.kinds AS grower_kinds, grower.uscc AS grower_uscc, grower.contact AS grower_contact,
       grower.phone AS grower_phone, grower.industries AS grower_industries,
       grower_region.full_name AS grower_region,
       base.uid AS base_uid, base.name AS base_name, base.region_id AS base_region_code, base.longitude,
       base.latitude, base.area_mu, base.varieties, base.measures, base.closed_on,
       base_region.full_name AS base_region,
       origin.alias, origin.methods, origin.certifications,
       (SELECT json_agg(taken) FROM (
            SELECT event.step, event.at, event.details ->> 'on' AS "on", region.full_name AS place
            FROM (SELECT lot_id FROM lineage LIMIT %(most_lots)s) line
            JOIN tracing_lot passed ON passed.id = line.lot_id
            CROSS JOIN LATERAL (
                SELECT id, step, at, details, region_code FROM tracing_traceevent
                WHERE lot_serial = passed.serial AND step = ANY(%(steps)s)
                  AND (line.lot_id = asked.lot_id OR step IN ('harvested', 'bought', 'mixed'))
                ORDER BY id DESC LIMIT 20
            ) event
            LEFT JOIN regions_region region ON region.code = event.region_code
            ORDER BY event.id DESC LIMIT 20) taken) AS journey,
       CASE WHEN asked.lot_id IS NULL THEN ARRAY(
            SELECT DISTINCT grown.name
            FROM origins_origin held JOIN catalogue_product grown ON grown.id = held.product_id
            WHERE held.state = 'approved' AND (held.base_id = asked.base_id OR held.operator_id = asked.operator_id)
            LIMIT 12) ELSE ARRAY[]::text[] END AS products,
       (SELECT json_agg(certified) FROM (
            SELECT held.kind, held.name, held.number, held.to_on, held.confirmed_on IS NOT NULL AS confirmed
            FROM registry_certification held
            WHERE held.operator_id = COALESCE(grower.id, operator.id) AND held.withdrawn_on IS NULL
              AND held.from_on <= %(today)s AND (held.to_on IS NULL OR held.to_on >= %(today)s)
              AND (lot.id IS NULL OR EXISTS (
                    SELECT FROM registry_certification_products named
                    WHERE named.certification_id = held.id AND named.product_id = lot.product_id))
            ORDER BY held.id DESC LIMIT 20) certified) AS held,
       (SELECT count(*) FROM (
            SELECT FROM codes_scan WHERE serial = %(serial)s LIMIT %(most_scans)s) seen) AS scans,
       (SELECT at FROM codes_scan WHERE serial = %(serial)s ORDER BY id LIMIT 1) AS first_scan
FROM asked
LEFT JOIN tracing_lot lot ON lot.id = asked.lot_id
LEFT JOIN catalogue_product product ON product.id = lot.product_id
LEFT JOIN LATERAL (
    (SELECT * FROM certificates_certificate WHERE id = asked.certificate_id)
    UNION ALL
    (SELECT * FROM certificates_certificate WHERE asked.certificate_id IS NULL AND lot_id = asked.lot_id
     ORDER BY revoked_at IS NOT NULL, id DESC LIMIT 1)
) certificate ON true
LEFT JOIN certificates_certificatetemplate template ON template.id = certificate.template_id
LEFT JOIN registry_base base ON base.id = COALESCE(lot.base_id, asked.base_id)
LEFT JOIN registry_operator operator ON operator.id = COALESCE(lot.operator_id, base.operator_id, asked.operator_id)
LEFT JOIN registry_operator grower ON grower.id = base.operator_id AND grower.id <> operator.id
LEFT JOIN regions_region operator_region ON operator_region.code = operator.region_id
LEFT JOIN regions_region grower_region ON grower_region.code = grower.region_id
LEFT JOIN regions_region base_region ON base_region.code = base.region_id
LEFT JOIN LATERAL (
    SELECT held.alias, held.methods, held.certifications FROM origins_origin held
    WHERE held.base_id = base.id AND held.product_id = lot.product_id AND held.state = 'approved'
    ORDER BY held.id DESC LIMIT 1
) origin ON true
"""


async def read_subject(pool: Pool, serial: int) -> Subject | None:
    """What the code of this serial stands for; None when it was never issued."""
    async with pool.connection() as connection:
        parameters = parameters_of(serial)
        cursor = await connection.execute(STATEMENT, parameters)
        row = await cursor.fetchone()
    if row is None or row["operator_uid"] is None:
        return None
    return _subject(serial, row, parameters["today"])


def parameters_of(serial: int) -> dict[str, Any]:
    """What STATEMENT asks for the code of a serial."""
    return {
        "serial": serial,
        "today": timezone.localdate(),
        "steps": list(STEPS_SHOWN),
        "most_scans": MOST_SCANS_COUNTED,
        "most_lots": MOST_LOTS_FOLLOWED,
    }


def _subject(serial: int, row: dict[str, Any], today: date) -> Subject:
    row = row | {name: mask_numbers(row[name]) for name in TYPED if row[name]}
    state, reason = _state(row)
    operator = _party(row, "operator")
    assert operator is not None
    return Subject(
        code=encode(serial),
        serial=serial,
        kind=CodeRange.Kind(row["kind"]),
        state=state,
        reason=reason,
        product=row["product"] or "",
        product_code=row["product_code"] or "",
        product_english=row["product_english"] or "",
        alias=row["alias"] or "",
        quantity=_quantity(row),
        unit=row["unit"] or "",
        lot_code=encode(row["lot_serial"]) if row["lot_serial"] else "",
        lot_serial=row["lot_serial"],
        lot_kind=row["lot_kind"] or "",
        made_on=row["made_on"],
        operator=operator,
        grower=_party(row, "grower"),
        origin=_place(row),
        certificate=_promise(row, operator),
        journey=_journey(row),
        products=row["products"],
        scans=row["scans"],
        first_scan=row["first_scan"],
        subjects=frozenset(
            uid
            for name in ("subject", "lot_uid", "certificate_uid", "operator_uid", "grower_uid", "base_uid")
            if (uid := row[name]) is not None
        ),
        held=[
            Held(
                kind=one["kind"],
                name=mask_numbers(one["name"]),
                number=mask_numbers(one["number"]),
                to_on=date.fromisoformat(one["to_on"]) if one["to_on"] else None,
                confirmed=one["confirmed"],
            )
            for one in row["held"] or []
        ],
        read_on=today,
    )


def _state(row: dict[str, Any]) -> tuple[State, str]:
    """The worst that is true of the code, its lot, its certificate or its operator, and why as far as it is public."""
    if row["code_state"] == CodeRange.State.VOID:
        return State.VOID, ""
    if row["recalled_at"]:
        return State.RECALLED, row["recall_reason"]
    if row["revoked_at"]:
        return State.REVOKED, row["revoke_reason"]
    if row["frozen_at"]:
        return State.FROZEN, ""
    if row["lot_uid"] is None:
        state = _STATE_OF_OPERATOR.get(row["operator_status"], State.PENDING)
        return State.CLOSED if state is State.VALID and row["closed_on"] else state, ""
    return State.VALID, ""


_STATE_OF_OPERATOR = {
    Operator.Status.APPROVED: State.VALID,
    Operator.Status.SUSPENDED: State.SUSPENDED,
    Operator.Status.CANCELLED: State.CANCELLED,
}


def _quantity(row: dict[str, Any]) -> Decimal | None:
    """What the code speaks for: a certificate its own quantity, a lot what it began with, an item one piece of it."""
    quantity: Decimal | None = None
    if row["kind"] == CodeRange.Kind.CERTIFICATE:
        quantity = row["certificate_quantity"]
    elif row["kind"] == CodeRange.Kind.LOT:
        quantity = row["lot_quantity"]
    return quantity


def _party(row: dict[str, Any], who: str) -> Party | None:
    if row[f"{who}_uid"] is None:
        return None
    phone = row[f"{who}_phone"]
    return Party(
        code=encode(row[f"{who}_serial"]),
        name=public_name(_operator(row, who)),
        kinds=row[f"{who}_kinds"],
        place=row[f"{who}_region"],
        contact=mask_name(row[f"{who}_contact"]),
        phone=mask_phone(decrypt(phone)) if phone else "",
        industries=row[f"{who}_industries"],
        uid=row[f"{who}_uid"],
    )


def _operator(row: dict[str, Any], who: str) -> Operator:
    """The operator as far as its public name depends on it."""
    return Operator(name=row[f"{who}_name"], kinds=row[f"{who}_kinds"], uscc=row[f"{who}_uscc"])


def _place(row: dict[str, Any]) -> Place | None:
    if row["base_uid"] is None and row["kind"] != CodeRange.Kind.OPERATOR:
        return None
    of_base = row["base_uid"] is not None
    owner = "grower" if row["grower_uid"] else "operator"
    longitude, latitude = (
        (row["longitude"], row["latitude"]) if of_base else (row["operator_longitude"], row["operator_latitude"])
    )
    return Place(
        path=row["base_region"] if of_base else row["operator_region"],
        region=row["base_region_code"] if of_base else row["operator_region_code"],
        base="" if not of_base or is_person(_operator(row, owner)) else row["base_name"],
        longitude=round(longitude, POINT_DECIMALS) if longitude is not None else None,
        latitude=round(latitude, POINT_DECIMALS) if latitude is not None else None,
        area_mu=row["area_mu"],
        varieties=row["varieties"] or "",
        measures=row["measures"] or "",
        methods=row["methods"] or [],
        certifications=row["certifications"] or [],
    )


def _promise(row: dict[str, Any], issuer: Party) -> Promise | None:
    if row["certificate_uid"] is None:
        return None
    if row["revoked_at"]:
        state = State.REVOKED
    elif row["recalled_at"]:
        state = State.RECALLED
    else:
        state = State.FROZEN if row["frozen_at"] else State.VALID
    return Promise(
        code=encode(row["certificate_serial"]),
        state=state,
        quantity=row["certificate_quantity"],
        issued_at=row["issued_at"],
        basis=row["basis"],
        basis_text=row["basis_labels"].get(row["basis"]) or Basis(row["basis"]).label,
        promises=row["buyer_promise"] if row["bought"] else row["producer_promise"],
        issuer=issuer,
        revoked_at=row["revoked_at"],
        revoke_reason=row["revoke_reason"],
        payload=row["payload"],
        signature=bytes(row["signature"]),
        key_id=row["key_id"],
    )


def _journey(row: dict[str, Any]) -> list[Step]:
    """The steps from the first to the last."""
    return [
        Step(
            step=step["step"],
            on=date.fromisoformat(step["on"]) if step["on"] else timezone.localdate(datetime.fromisoformat(step["at"])),
            place=step["place"] or "",
        )
        for step in reversed(row["journey"] or [])
    ]
