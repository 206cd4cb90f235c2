"""Millions of lots on file, for the benches that need them: written by the database itself, in minutes.

Each lot has its code, its ledger line and a base, spread over a thousand operators. A few get real certificates,
issued by the service, so that their pages are whole. The bench's own database goes without the constraint that keeps
code ranges apart: no scan and no trace touches it, and checking ten million ranges at once takes longer than the rest.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

OPERATORS = 1_000
COUNTY = 460205000000
NAME = "基准主体"
BATCH = 1_000_000

LOTS = """
INSERT INTO tracing_lot (uid, serial, operator_id, product_id, region_id, unit, kind, base_id, bought, made_on,
                         freeze_reason, recall_reason, created_by_id, created_at)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n, base.operator_id,
       %(product)s, base.region_id, 'kg', 'harvest', base.id, false,
       date '2026-03-01', '', '', %(user)s, now()
FROM generate_series(%(start)s::bigint, %(stop)s::bigint - 1) n
JOIN bench_bases base ON base.number = n %% %(operators)s
ORDER BY n
"""
CODES = """
INSERT INTO codes_coderange (uid, start, stop, kind, subject, state, created_at)
SELECT ('01900000-0000-7001-8000-' || lpad(to_hex(serial), 12, '0'))::uuid,
       serial, serial + 1, 'lot', uid, 'active', now()
FROM tracing_lot WHERE serial >= %(start)s AND serial < %(stop)s
"""
ENTRIES = """
INSERT INTO tracing_lotentry (lot_id, quantity, reason, actor_id, at)
SELECT id, 500, 'harvest', %(user)s, now() FROM tracing_lot WHERE serial >= %(start)s AND serial < %(stop)s
"""


def fill_lots(count: int) -> int:
    """Have at least `count` lots with consecutive serials on file; the first of those serials."""
    from django.db import connection

    from nongma.catalogue.models import Product
    from nongma.codes.services import take
    from nongma.registry.models import Base

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_lots (first bigint, count bigint)")
        cursor.execute("SELECT first, count FROM bench_lots WHERE count >= %s ORDER BY count LIMIT 1", [count])
        known = cursor.fetchone()
        if known:
            return int(known[0])
        user = _grower()
        bases = list(Base.objects.filter(operator__name__startswith=NAME).order_by("id").values_list("id", flat=True))
        cursor.execute("DROP TABLE IF EXISTS bench_bases")
        cursor.execute(
            "CREATE TABLE bench_bases AS SELECT row_number() OVER (ORDER BY id) - 1 AS number, id, operator_id,"
            " region_id FROM registry_base WHERE id = ANY(%s)",
            [bases],
        )
        first = take(count)
        values = {"product": Product.objects.get(name="豇豆").pk, "user": user.pk, "operators": len(bases)}
        started = time.monotonic()
        cursor.execute("ALTER TABLE codes_coderange DROP CONSTRAINT IF EXISTS codes_range_apart")
        with without_key_checks(cursor):
            for start in range(first, first + count, BATCH):
                piece = values | {"start": start, "stop": min(start + BATCH, first + count)}
                for statement in (LOTS, CODES, ENTRIES):
                    cursor.execute(statement, piece)
                print(f"  {piece['stop'] - first:,} lots, {time.monotonic() - started:.0f} s", flush=True)
        cursor.execute("INSERT INTO bench_lots VALUES (%s, %s)", [first, count])
        for table in ("tracing_lot", "tracing_lotentry", "codes_coderange", "registry_operator", "registry_base"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    return first


@contextmanager
def without_key_checks(cursor: Any) -> Iterator[None]:
    """No look at the referenced row for every row written: they are all the same thousand."""
    cursor.execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        cursor.execute("RESET session_replication_role")


def certify(count: int) -> list[str]:
    """The codes of so many certificates of lots on file, issued now where they are missing."""
    from nongma.certificates.models import Basis, Certificate
    from nongma.certificates.services import issue_certificate
    from nongma.tracing.models import Lot
    from nongma.tracing.queries import with_all

    user = _grower()
    issued = list(Certificate.objects.filter(issued_by=user).order_by("id")[:count])
    lots = Lot.objects.filter(created_by=user, certificates=None).order_by("id")[: count - len(issued)]
    for lot in with_all(lots):
        issued.append(issue_certificate(lot=lot, quantity=Decimal(100), basis=Basis.QUALITY_CONTROL, actor=user))
    return [certificate.code for certificate in issued]


def _grower() -> Any:
    """The person of a thousand operators with a base each, made when absent."""
    from nongma.accounts.models import User
    from nongma.codes.models import CodeRange
    from nongma.codes.services import take
    from nongma.lib.quadkeys import quadkey
    from nongma.registry.models import Base, Operator, OperatorMember

    user, made = User.objects.get_or_create(username="bench", defaults={"name": "基准", "is_operator": True})
    if not made:
        return user
    first = take(2 * OPERATORS)
    operators = Operator.objects.bulk_create(
        Operator(
            serial=first + number,
            kinds=[Operator.Kind.COOPERATIVE],
            name=f"{NAME}{number}",
            region_id=COUNTY,
            industries=["planting"],
            contact="基准",
            phone="19900000000",
            status=Operator.Status.APPROVED,
            created_by=user,
        )
        for number in range(OPERATORS)
    )
    OperatorMember.objects.bulk_create(
        OperatorMember(operator=operator, user=user, role=OperatorMember.Role.OWNER) for operator in operators
    )
    longitude, latitude = Decimal("109.158151"), Decimal("18.435040")
    bases = Base.objects.bulk_create(
        Base(
            serial=first + OPERATORS + number,
            operator=operator,
            name=f"{operator.name}基地",
            region_id=COUNTY,
            longitude=longitude,
            latitude=latitude,
            quadkey=quadkey(float(longitude), float(latitude)),
        )
        for number, operator in enumerate(operators)
    )
    kinds = [(CodeRange.Kind.OPERATOR, operators), (CodeRange.Kind.BASE, bases)]
    CodeRange.objects.bulk_create(
        CodeRange(start=one.serial, stop=one.serial + 1, kind=kind, subject=one.uid)
        for kind, ones in kinds
        for one in ones
    )
    return user
