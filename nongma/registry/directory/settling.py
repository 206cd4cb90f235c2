"""Making the entries of marked operators anew, together with the counts of their townships (目录重算).

One batch is one transaction under one lock, so the counts are what the entries are at every moment; a crash leaves
the marks where they were.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from nongma.lib.copying import array
from nongma.regions.models import Region
from nongma.regions.spans import level_of
from nongma.registry.directory.fields import needs_of
from nongma.registry.directory.figures import recount
from nongma.registry.directory.marks import sweep
from nongma.registry.directory.months import Months, months_after, months_of
from nongma.registry.directory.scale import Weighed, rules_of, why_large
from nongma.registry.models import (
    COUNTY_WIDTH,
    Base,
    Certification,
    Correction,
    DirectoryEntry,
    DirectorySweep,
    Expected,
    Operator,
    Produce,
    ScaleRule,
    Uncoded,
)

BATCH = 1_000
DIRECTORY_LOCK = 0x6469_7265_6374
"""Advisory lock: one at a time, so that an older entry never overwrites a newer one."""
Status = Operator.Status
LISTED = {Status.APPROVED, Status.IMPORTED, Status.SUSPENDED}
"""Who is on file for good; whoever waits for review or was sent back is not in the directory yet."""
FOUND = {Status.APPROVED, Status.IMPORTED}
"""Whom an expected one may turn out to be."""

# ARRAY(…) is read once. With IN (…) a planner that takes the table for empty reads a batch anew for every mark.
TAKE = """
    DELETE FROM registry_directorymark WHERE id = ANY(ARRAY(
        SELECT id FROM registry_directorymark ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )) RETURNING operator_id, expected_id
"""
TO_CHANGE = """
    SELECT operator.id FROM registry_operator AS operator
    JOIN unnest(%s::bigint[], %s::text[]) AS new(id, large_for) USING (id)
    WHERE operator.large_for <> new.large_for ORDER BY operator.id FOR NO KEY UPDATE OF operator
"""
CHANGE = """
    UPDATE registry_operator AS operator SET large_for = new.large_for
    FROM unnest(%s::bigint[], %s::text[]) AS new(id, large_for)
    WHERE operator.id = new.id AND operator.large_for <> new.large_for
"""
COME_OF_AGE = """
    INSERT INTO registry_directorymark (operator_id)
    SELECT operator_id FROM registry_directoryentry
    WHERE stale_on <= %(today)s AND NOT is_stale AND operator_id IS NOT NULL
    UNION SELECT operator_id FROM registry_directoryentry
    WHERE idle_on <= %(today)s AND uncoded = '' AND operator_id IS NOT NULL
    UNION SELECT operator_id FROM registry_certification
    WHERE withdrawn_on IS NULL AND to_on BETWEEN %(today)s - 8 AND %(today)s - 1
"""


def settle() -> int:
    """Make anew every entry that is marked, then those of the divisions that are swept; how many operators."""
    total = 0
    while taken := _settle_batch():
        total += taken
    for region in DirectorySweep.objects.order_by("id").values_list("region_id", flat=True):
        while taken := _sweep_batch(region):
            total += taken
    return total


@transaction.atomic
def come_of_age(on: date | None = None) -> int:
    """Mark entries that are stale or unused from today on, and let rules that begin or ended take effect."""
    today = on or timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute(COME_OF_AGE, {"today": today})
        marked = int(cursor.rowcount)
    # A day on which nothing ran is made up for within a week.
    week = (today - timedelta(days=7), today)
    turned = ScaleRule.objects.filter(Q(valid_from__range=week) | Q(valid_to__range=(week[0], today - timedelta(1))))
    for region in set(turned.values_list("region_id", flat=True)):
        sweep(region)
    return marked


@transaction.atomic
def _settle_batch() -> int:
    _hold()
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [BATCH])
        taken = cursor.fetchall()
    if taken:
        _remake({one for one, _ in taken if one}, {one for _, one in taken if one})
    return len(taken)


@transaction.atomic
def _sweep_batch(region_code: int) -> int:
    """The next operators of a division, in the order of its index; at the end the sweep is done with."""
    _hold()
    swept = DirectorySweep.objects.select_for_update().select_related("region").filter(region=region_code).first()
    if swept is None:
        return 0
    span = swept.region.span
    after = Q(region_id=swept.last_region, pk__gt=swept.last_operator) | Q(region_id__gt=swept.last_region)
    rows = Operator.objects.filter(
        after, region_id__gte=max(span.start, swept.last_region), region_id__lte=span.stop
    ).order_by("region_id", "id")
    places = list(rows.values_list("region_id", "id")[:BATCH])
    if not places:
        swept.delete()
        return 0
    _remake({key for _, key in places}, set())
    DirectorySweep.objects.filter(pk=swept.pk).update(last_region=places[-1][0], last_operator=places[-1][1])
    return len(places)


def _hold() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DIRECTORY_LOCK])


@dataclass(frozen=True)
class Facts:
    """What entries are made of, of a batch of operators."""

    operators: dict[int, dict[str, Any]]
    weighed: dict[int, Weighed]
    based: Collection[int]
    expected: dict[int, Expected]
    months: dict[int, Months]
    wrong: Collection[int]


def _remake(operators: Collection[int], expected: Collection[int]) -> None:
    today = timezone.localdate()
    facts = _read(operators, today)
    loosened = _link(facts, expected)
    towns = set()
    before = DirectoryEntry.objects.filter(
        Q(operator__in=operators) | Q(expected__in={*expected, *loosened, *(one.pk for one in facts.expected.values())})
    )
    towns |= set(before.values_list("region_id", flat=True))
    made = [
        entry for key in sorted(facts.operators) if (entry := _entry_of(facts.operators[key], facts, today)) is not None
    ]
    wanting = list(Expected.objects.open().filter(pk__in={*expected, *loosened}, operator=None).order_by("pk"))
    kept = {entry.operator_id for entry in made}
    before.filter(Q(operator=None) | ~Q(operator__in=kept)).delete()
    made_missing = [_missing(one) for one in wanting]
    DirectoryEntry.objects.bulk_create(
        made,
        update_conflicts=True,
        unique_fields=["operator"],
        update_fields=[
            "region", "name", "why", "needs", "lacks", "stale_on", "is_stale", "is_wrong", "idle_on", "uncoded",
        ],
    )  # fmt: skip
    DirectoryEntry.objects.bulk_create(made_missing)
    towns |= {entry.region_id for entry in (*made, *made_missing)}
    recount(towns)


def _read(keys: Collection[int], today: date) -> Facts:
    """Everything that the entries depend on, with a fixed number of queries; brings `large_for` up to date."""
    rows = Operator.objects.filter(pk__in=keys).values(
        "id", "name", "kinds", "industries", "region_id", "status", "uscc", "id_index", "phone_index", "contact",
        "longitude", "confirmed_on", "used_on", "created_at", "reviewed_at",
    )  # fmt: skip
    operators: dict[int, dict[str, Any]] = {row["id"]: {**row} for row in rows}
    addressed = set(Operator.objects.filter(pk__in=operators).exclude(address="").values_list("pk", flat=True))
    weighed = {key: Weighed(row["kinds"], row["industries"]) for key, row in operators.items()}
    produce = Produce.objects.filter(operator__in=operators).order_by("operator", "product__code")
    for one in produce:
        product = one.product
        weighed[one.operator_id].produce.append((product.code, product.name, product.industry, one.scale, one.unit))
    bases = (
        Base.objects.in_use().filter(operator__in=operators).order_by().values("operator").annotate(area=Sum("area_mu"))
    )
    based: set[int] = set()
    for owner, area in bases.values_list("operator", "area"):
        based.add(owner)
        weighed[owner].area_mu = area or Decimal(0)
    held = Certification.objects.filter(Q(to_on=None) | Q(to_on__gte=today), operator__in=operators, withdrawn_on=None)
    for key, kind in held.values_list("operator", "kind"):
        weighed[key].certifications.add(kind)
    places = {row["region_id"] for row in operators.values()}
    rules = rules_of(places, today)
    for key, row in operators.items():
        row["address"] = key in addressed
        row["large_for"] = "" if row["status"] == Status.CANCELLED else why_large(weighed[key], rules[row["region_id"]])
    _write_large({key: row["large_for"] for key, row in operators.items()})
    listed = Expected.objects.open().filter(operator__in=operators)
    by_operator = {one.operator_id or 0: one for one in listed}
    told = Correction.objects.open().filter(operator__in=operators, matter=Correction.Matter.WRONG)
    wrong = set(told.values_list("operator", flat=True))
    return Facts(operators, weighed, based, by_operator, months_of(places), wrong)


def _write_large(words: dict[int, str]) -> None:
    """In the order of keys, as others lock operators."""
    columns = [array(words), array(words.values())]
    with connection.cursor() as cursor:
        cursor.execute(TO_CHANGE, columns)
        if cursor.fetchall():
            cursor.execute(CHANGE, columns)


def _link(facts: Facts, marked: Collection[int]) -> set[int]:
    """Let expected ones be the operators that they turn out to be; answers those that lost theirs."""
    gone = {key: one for key, one in facts.expected.items() if facts.operators[key]["status"] not in LISTED}
    for key in gone:
        del facts.expected[key]
    loosened = {one.pk for one in gone.values()}
    Expected.objects.filter(pk__in=loosened).update(operator=None)
    free = {key: row for key, row in facts.operators.items() if row["status"] in FOUND and key not in facts.expected}
    numbers = [row["uscc"] for row in free.values() if row["uscc"]]
    names = [row["name"] for row in free.values()]
    found = Expected.objects.open().filter(Q(uscc__in=numbers) | Q(name__in=names), operator=None).order_by("pk")
    for one in found.exclude(pk__in=loosened):
        same = next((key for key, row in free.items() if is_same(one, row)), None)
        if same is not None:
            one.operator_id = same
            one.save(update_fields=["operator"])
            facts.expected[same] = one
            del free[same]
    return loosened


def is_same(one: Expected, row: dict[str, Any]) -> bool:
    """Whether an operator is the expected one: by its 信用代码, or by its name within the county."""
    if one.uscc and row["uscc"]:
        return bool(one.uscc == row["uscc"])
    return bool(one.name == row["name"] and one.region_id // COUNTY_WIDTH == row["region_id"] // COUNTY_WIDTH)


def _entry_of(row: dict[str, Any], facts: Facts, today: date) -> DirectoryEntry | None:
    """The entry of an operator; None of one that need not be in the directory."""
    key, expected = row["id"], facts.expected.get(row["id"])
    if row["status"] not in LISTED or not (row["large_for"] or expected):
        return None
    months = facts.months[row["region_id"]]
    needs = needs_of(row["kinds"])
    held = {
        "contact": bool(row["contact"]),
        "phone": row["phone_index"] is not None,
        "address": row["address"],
        "village": level_of(row["region_id"]) >= Region.Level.VILLAGE,
        "point": row["longitude"] is not None,
        "industries": bool(row["industries"]),
        "uscc": bool(row["uscc"]),
        "id_number": row["id_index"] is not None,
        "produce": any(scale for _, _, _, scale, _ in facts.weighed[key].produce),
        "bases": key in facts.based,
    }
    stale_on = months_after(row["confirmed_on"] or timezone.localdate(row["created_at"]), months.fresh)
    return DirectoryEntry(
        operator_id=key,
        region_id=row["region_id"],
        name=row["name"],
        why=row["large_for"] or f"列入名单：{expected.source}" if expected else row["large_for"],
        needs=needs,
        lacks=[field for field in needs if not held[field]],
        stale_on=stale_on,
        is_stale=stale_on <= today,
        is_wrong=key in facts.wrong,
        **_use(row, months, today),
    )


def _use(row: dict[str, Any], months: Months, today: date) -> dict[str, Any]:
    """Whether the operator's code is in use; a suspended one must not use it."""
    if row["status"] == Status.IMPORTED:
        return {"idle_on": None, "uncoded": Uncoded.UNCLAIMED.value}
    if row["status"] != Status.APPROVED:
        return {"idle_on": None, "uncoded": ""}
    begun = timezone.localdate(row["reviewed_at"] or row["created_at"])
    idle_on = months_after(max(begun, row["used_on"] or begun), months.idle)
    return {"idle_on": idle_on, "uncoded": Uncoded.IDLE.value if idle_on <= today else ""}


def _missing(one: Expected) -> DirectoryEntry:
    return DirectoryEntry(
        expected=one,
        region_id=one.region_id,
        name=one.name,
        why=f"列入名单：{one.source}",
        uncoded=Uncoded.UNREGISTERED.value,
    )
