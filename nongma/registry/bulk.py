"""Operators and bases by the thousand, for the import of official forms.

The same rules as one by one: an operator is told by county, name and phone, a base by operator, village and position;
what is on file already is found and not made again, also when two imports bring it at once. Each function takes a
batch (some thousand rows) and costs a fixed number of statements.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from nongma.accounts.models import User
from nongma.catalogue.models import Industry
from nongma.codes.models import CodeRange
from nongma.codes.services import take
from nongma.lib.copying import array
from nongma.lib.fields import blind_index_many, blind_indexes_many, encrypt_many, hold_keys
from nongma.lib.ids import uuid7
from nongma.registry.directory.marks import mark
from nongma.registry.models import COUNTY_WIDTH, Operator, OperatorKind

COUNTY_LOCK = 0x6F72_6967
"""First half of the advisory locks by county: two uploads about one county save their chunks one after the other."""


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """What tells one operator of an import from another: `county` is the region code divided by a county's width."""

    county: int
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class FoundOperator:
    """An operator on file."""

    id: int
    uid: UUID
    region_code: int


@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator as a form tells of it; `is_approved`: a reviewer of the place vouches for it."""

    kinds: tuple[OperatorKind, ...]
    name: str
    region_code: int
    contact: str
    phone: str
    industries: tuple[Industry, ...]
    address: str = ""
    uscc: str | None = None
    id_number: str = ""
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    is_approved: bool = False

    @property
    def key(self) -> OperatorKey:
        return key_of(self.region_code, self.name, self.phone)


@dataclass(frozen=True, slots=True)
class NewBase:
    """A base as a form tells of it; without a point it waits for a visit."""

    operator_id: int
    name: str
    region_code: int
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    quadkey: int | None = None
    area_mu: Decimal | None = None


def key_of(region_code: int, name: str, phone: str) -> OperatorKey:
    """The key of an operator that lives anywhere in the county of `region_code`."""
    return OperatorKey(region_code // COUNTY_WIDTH, name, phone)


def hold_counties(counties: Iterable[int]) -> None:
    """Wait for one's turn in counties (region codes divided by `COUNTY_WIDTH`) until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, county) FROM unnest(%s::int[]) AS county", [COUNTY_LOCK, sorted(counties)]
        )


def find_operators(keys: Iterable[OperatorKey]) -> dict[OperatorKey, FoundOperator]:
    """The operators on file among the keys, in one query by the unique index `registry_operator_once`."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    indexes = blind_indexes_many(key.phone for key in wanted)
    indexed = [(index, place) for place, found in enumerate(indexes) for index in found]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT key.place::bigint, found.id, found.uid, found.region_id
            FROM unnest(%s::bytea[], %s::text[], %s::bigint[], %s::bigint[]) AS key(phone, name, county, place)
            JOIN registry_operator AS found
              ON found.phone_index = key.phone AND found.name = key.name AND found.region_id / 1000000 = key.county
            """,
            [
                array(index for index, _ in indexed),
                array(wanted[place].name for _, place in indexed),
                array(wanted[place].county for _, place in indexed),
                array(place for _, place in indexed),
            ],
        )
        return {wanted[place]: FoundOperator(*row) for place, *row in cursor.fetchall()}


@transaction.atomic
def enrol_operators(rows: Sequence[NewOperator], *, actor: User) -> list[FoundOperator]:
    """Put operators on file as 待认领, each with a code; answers in the order of the rows.

    Rows of one operator get the same answer, an operator on file is left as it is. The audit entry is the import's.
    """
    if not rows:
        return []
    hold_keys()
    keys = [row.key for row in rows]
    first_rows = dict(zip(reversed(keys), reversed(rows), strict=True))
    known = find_operators(first_rows)
    missing = [(key, row) for key, row in first_rows.items() if key not in known]
    if missing:
        insert_operators([row for _, row in missing], actor=actor)
        known |= find_operators(key for key, _ in missing)
    return [known[key] for key in keys]


def insert_operators(rows: Sequence[NewOperator], *, actor: User) -> list[FoundOperator | None]:
    """Insert operators with their codes, in the order of the rows; None for what somebody else has on file.

    Their transaction is waited for. Whoever looked before what is on file has held the keys (`hold_keys`) since.
    """
    if not rows:
        return []
    first, uids = take(len(rows)), [uuid7() for _ in rows]
    status = Operator.Status
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO registry_operator (
                uid, serial, kinds, name, region_id, contact, phone, phone_index, industries, created_by_id,
                id_number, id_index, uscc, longitude, latitude, address, status, reviewed_by_id, reviewed_at,
                review_note, created_at
            )
            SELECT uid, serial, string_to_array(kinds, ','), name, region, contact, phone, phone_index,
                   string_to_array(industries, ','), %s, id_number, id_index, uscc, longitude, latitude, address,
                   status, CASE WHEN status = %s THEN %s END, CASE WHEN status = %s THEN now() END, '', now()
            FROM unnest(
                %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bytea[],
                %s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::numeric[], %s::numeric[], %s::text[]
            ) AS new(
                uid, serial, kinds, name, region, contact, phone, phone_index, industries, address, id_number, id_index,
                uscc, longitude, latitude, status
            )
            ON CONFLICT DO NOTHING
            RETURNING uid, serial, id, region_id
            """,
            [
                actor.pk,
                status.APPROVED.value,
                actor.pk,
                status.APPROVED.value,
                array(uids),
                array(range(first, first + len(rows))),
                array(",".join(row.kinds) for row in rows),
                array(row.name for row in rows),
                array(row.region_code for row in rows),
                array(row.contact for row in rows),
                array(encrypt_many(row.phone for row in rows)),
                array(blind_index_many(row.phone for row in rows)),
                array(",".join(row.industries) for row in rows),
                array(encrypt_many(row.address for row in rows)),
                array(encrypt_many(row.id_number for row in rows)),
                array(blind_index_many(row.id_number for row in rows)),
                array(row.uscc for row in rows),
                array(row.longitude for row in rows),
                array(row.latitude for row in rows),
                array((status.APPROVED if row.is_approved else status.IMPORTED).value for row in rows),
            ],
        )
        inserted = cursor.fetchall()
    assign_each(CodeRange.Kind.OPERATOR, [(uid, serial) for uid, serial, *_ in inserted])
    mark(number for _, _, number, _ in inserted)
    made = {uid: FoundOperator(number, uid, region) for uid, _, number, region in inserted}
    return [made.get(uid) for uid in uids]


@transaction.atomic
def enrol_bases(rows: Sequence[NewBase]) -> list[int]:
    """Put bases on file, each with a code; answers their ids in the order of the rows.

    A base of the same operator in the same village at the same position (zoom-24 cell, some 2 m) is the same base;
    without a position it is the one of the same name that still waits for its visit.
    """
    if not rows:
        return []
    keys = [_base_key(row) for row in rows]
    first_rows = dict(zip(reversed(keys), reversed(rows), strict=True))
    known = _find_bases(list(first_rows))
    missing = [(key, row) for key, row in first_rows.items() if key not in known]
    if missing:
        _insert_bases([row for _, row in missing])
        known |= _find_bases([key for key, _ in missing])
    return [known[key] for key in keys]


BaseKey = tuple[int, int, int | None, str]


def _base_key(row: NewBase) -> BaseKey:
    return row.operator_id, row.region_code, row.quadkey, "" if row.quadkey is not None else row.name


def _find_bases(keys: list[BaseKey]) -> dict[BaseKey, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT key.place, min(found.id)
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
                 WITH ORDINALITY AS key(operator, region, quadkey, name, place)
            JOIN registry_base AS found ON found.operator_id = key.operator AND found.region_id = key.region
              AND found.closed_on IS NULL AND (found.quadkey = key.quadkey OR
                   (key.quadkey IS NULL AND found.quadkey IS NULL AND found.name = key.name))
            GROUP BY key.place
            """,
            [array(part) for part in zip(*keys, strict=True)],
        )
        return {keys[place - 1]: base_id for place, base_id in cursor.fetchall()}


def _insert_bases(rows: list[NewBase]) -> None:
    first = take(len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO registry_base (
                uid, serial, operator_id, name, region_id, longitude, latitude, quadkey, area_mu, address, created_at
            )
            SELECT uid, serial, operator, name, region, longitude, latitude, quadkey, area_mu, '', now()
            FROM unnest(
                %s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::numeric[], %s::numeric[],
                %s::bigint[], %s::numeric[]
            ) AS new(uid, serial, operator, name, region, longitude, latitude, quadkey, area_mu)
            ON CONFLICT DO NOTHING
            RETURNING uid, serial
            """,
            [
                array(uuid7() for _ in rows),
                array(range(first, first + len(rows))),
                array(row.operator_id for row in rows),
                array(row.name for row in rows),
                array(row.region_code for row in rows),
                array(row.longitude for row in rows),
                array(row.latitude for row in rows),
                array(row.quadkey for row in rows),
                array(row.area_mu for row in rows),
            ],
        )
        assign_each(CodeRange.Kind.BASE, cursor.fetchall())
    mark(row.operator_id for row in rows)


def assign_each(kind: CodeRange.Kind, subjects: Sequence[tuple[Any, ...]]) -> None:
    """Let each serial stand for its subject: `subjects` are pairs of uid and serial, already taken."""
    if not subjects:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO codes_coderange (uid, start, stop, kind, subject, state, created_at)
            SELECT uid, serial, serial + 1, %s, subject, %s, now()
            FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS new(uid, serial, subject)
            """,
            [
                kind.value,
                CodeRange.State.ACTIVE.value,
                array(uuid7() for _ in subjects),
                array(serial for _, serial in subjects),
                array(uid for uid, _ in subjects),
            ],
        )
