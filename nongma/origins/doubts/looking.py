"""Looking at marked records: every rule over a batch, then what is new is written and what is over is closed.

One batch is one transaction under one lock that takes its marks with it: a worker that is killed leaves them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from nongma.lib.copying import array, copy_rows
from nongma.lib.ids import uuid7
from nongma.origins.doubts.batch import COUNTY_WIDTH, Batch, Found, Kind, read_batch
from nongma.origins.doubts.rules import land, phones, pictures, places, sheets, shifts, spots, values
from nongma.origins.models import Doubt

AT_ONCE = 1_000
DOUBTS_LOCK = 0x646F_7562_7473
"""Advisory lock: one look at a time, so that an older one never overwrites a newer one."""
State = Doubt.State

RULES: tuple[Callable[[Batch], Iterator[Found]], ...] = (
    places.outside_county,
    places.other_town,
    spots.others_on_spot,
    spots.in_other_base,
    phones.poorly_located,
    phones.taken_elsewhere,
    phones.too_fast,
    phones.shared_phone,
    values.out_of_line,
    sheets.round_points,
    sheets.copied_down,
    shifts.phone_map_points,
    land.on_water_or_in_town,
    pictures.used_again,
)
MUTUAL = {Kind.OTHER_POINT, Kind.PILE, Kind.PHOTO}
"""Where a doubt about one record is one about the other, too."""

TAKE = """
    DELETE FROM origins_doubtmark WHERE id IN (
        SELECT id FROM origins_doubtmark ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ) RETURNING origin_id, county
"""
KNOWN = """
    SELECT id, origin_id, kind, state, figure, text, other_id, region_id FROM origins_doubt
    WHERE origin_id = ANY(%s) AND state <> 'gone'
"""
OVER = "UPDATE origins_doubt SET state = 'gone', closed_at = %s WHERE id = ANY(%s) AND state = 'open'"
SAY = """
    UPDATE origins_doubt AS d SET text = new.text, figure = new.figure, other_id = new.other
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS new(id, text, figure, other)
    WHERE d.id = new.id AND d.state = 'open'
"""
MARK_OTHERS = """
    INSERT INTO origins_doubtmark (origin_id)
    SELECT DISTINCT o.id FROM unnest(%s::bigint[], %s::text[]) AS asked(id, kind)
    JOIN origins_origin AS o USING (id)
    WHERE o.state = 'submitted'
        AND NOT EXISTS (SELECT FROM origins_doubt AS d WHERE d.origin_id = o.id AND d.kind = asked.kind)
"""
MARK_COUNTIES = "INSERT INTO origins_doubtmark (county) SELECT unnest(%s::bigint[])"
FORGET_TALLIES = "DELETE FROM origins_doubttally WHERE county = ANY(%s)"
# From the index of place alone.
TALLY = """
    INSERT INTO origins_doubttally (kind, county, waiting, "right", wrong)
    SELECT d.kind, asked.county, count(*) FILTER (WHERE d.state = 'open'), count(*) FILTER (WHERE d.state = 'right'),
        count(*) FILTER (WHERE d.state = 'wrong')
    FROM unnest(%s::bigint[]) AS asked(county)
    JOIN origins_doubt AS d ON d.region_id BETWEEN asked.county AND asked.county + 999999
    GROUP BY 1, 2
"""
COLUMNS = ("uid", "origin_id", "region_id", "kind", "text", "figure", "other_id", "state", "found_at", "closed_for")


def look() -> int:
    """Look at every record that is marked; how many marks that was."""
    total = 0
    while taken := _look_batch():
        total += taken
    return total


@transaction.atomic
def _look_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DOUBTS_LOCK])
        cursor.execute(TAKE, [AT_ONCE])
        taken = cursor.fetchall()
    ids = sorted({key for key, _ in taken if key is not None})
    counties = {county for _, county in taken if county is not None}
    if ids:
        batch = read_batch(ids)
        _write(ids, batch, [found for rule in RULES for found in rule(batch)])
    if counties:
        _count(counties)
    return len(taken)


def _write(ids: list[int], batch: Batch, found: Iterable[Found]) -> None:
    """Raise what is new, say anew what stands, close what does not hold any more. What was settled stays settled."""
    now = timezone.now()
    raised = {(one.origin, one.kind.value): one for one in found}
    regions = {row.id: row.region for row in batch.rows}
    standing: dict[tuple[int, str], int] = {}
    settled: set[tuple[int, str, str]] = set()
    said: dict[int, tuple[str, str, int | None]] = {}
    touched = set()
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [ids])
        for number, origin, kind, state, figure, text, other, region in cursor.fetchall():
            if state == State.OPEN:
                standing[origin, kind] = number
                said[number] = text, figure, other
                if (origin, kind) not in raised:
                    touched.add(region)
            else:
                settled.add((origin, kind, figure))
    over = [number for key, number in standing.items() if key not in raised]
    # Where the settled reason is back, what stands open for another is over, too.
    new, again = [], []
    for key, one in raised.items():
        is_settled = (*key, one.figure) in settled
        if key in standing:
            number = standing[key]
            if is_settled:
                over.append(number)
                touched.add(regions[one.origin])
            elif said[number] != (one.text, one.figure, one.other):
                again.append((number, one.text, one.figure, one.other))
        elif not is_settled:
            new.append(one)
            touched.add(regions[one.origin])
    with connection.cursor() as cursor:
        if over:
            cursor.execute(OVER, [now, over])
        if again:
            cursor.execute(SAY, [array(part) for part in zip(*again, strict=True)])
    copy_rows("origins_doubt", COLUMNS, [_row(one, regions[one.origin], now) for one in new])
    _mark(new, touched)


def _row(one: Found, region: int, now: datetime) -> tuple[object, ...]:
    return (
        uuid7(),
        one.origin,
        region,
        one.kind.value,
        one.text[:300],
        one.figure[:120],
        one.other,
        State.OPEN.value,
        now,
        "",
    )


def _mark(new: list[Found], regions: Collection[int]) -> None:
    """The other record of a mutual doubt is to be looked at, too; the counties are to be counted after all."""
    others = [(one.other, one.kind.value) for one in new if one.other is not None and one.kind in MUTUAL]
    with connection.cursor() as cursor:
        if others:
            cursor.execute(MARK_OTHERS, [array(part) for part in zip(*others, strict=True)])
        counties = sorted({region - region % COUNTY_WIDTH for region in regions})
        if counties:
            cursor.execute(MARK_COUNTIES, [counties])


def _count(counties: Collection[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FORGET_TALLIES, [sorted(counties)])
        cursor.execute(TALLY, [sorted(counties)])
