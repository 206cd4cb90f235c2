"""Issuing certificates one after the other, as one worker does, beside a bare transaction with as many INSERTs."""

import itertools
from decimal import Decimal
from typing import Any

from bench.figures import figure, seconds
from bench.lots import certify, fill_lots

LOTS = 2_000
ISSUED = 1_000
INSERTS = 4  # the code's range, the certificate, the trace event, the audit entry


def measure() -> list[dict[str, Any]]:
    """Certificates a second, of lots at hand: lock, check, ledger, code, sign, write, audit, commit."""
    import django

    django.setup()
    from django.db import connection, transaction

    from nongma.accounts.models import User
    from nongma.certificates.models import Basis
    from nongma.certificates.services import issue_certificate
    from nongma.tracing.models import Lot
    from nongma.tracing.queries import with_all

    fill_lots(LOTS)
    certify(1)
    user = User.objects.get(username="bench")
    newest = Lot.objects.filter(created_by=user).order_by("-id")[:LOTS]
    lots = itertools.cycle(list(with_all(newest)))

    def issue() -> None:
        for lot in itertools.islice(lots, ISSUED):
            issue_certificate(lot=lot, quantity=Decimal("0.001"), basis=Basis.QUALITY_CONTROL, actor=user)

    def insert() -> None:
        for number in range(ISSUED):
            with transaction.atomic(), connection.cursor() as cursor:
                for _ in range(INSERTS):
                    cursor.execute("INSERT INTO bench_rows VALUES (%s, %s)", [number, "x" * 500])

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_rows (number bigint, text text)")
    issued = ISSUED / seconds(issue)
    bare = ISSUED / seconds(insert)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_rows")
    return [figure("certificates issued, one worker", issued, "a second", f"a transaction of {INSERTS} INSERTs", bare)]
