"""Issuing certificates one after the other, as one worker does, beside a bare transaction with as many INSERTs.

Both go by turns, and each figure is the median of the rounds: the first finds the indexes cold. The lots are at hand,
as they are to a page or an endpoint, which read them to answer; reading one costs some two milliseconds more.
"""

import itertools
import statistics
from decimal import Decimal
from typing import Any

from bench.figures import figure, seconds
from bench.lots import certify, fill_lots

ROUNDS = 5
ISSUED = 500
LOTS = ROUNDS * ISSUED
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
    lots = iter(list(with_all(newest)))

    def issue() -> None:
        for lot in itertools.islice(lots, ISSUED):
            issue_certificate(lot=lot, quantity=Decimal("0.001"), basis=Basis.QUALITY_CONTROL, actor=user)

    def insert() -> None:
        for number in range(ISSUED):
            with transaction.atomic(), connection.cursor() as cursor:
                for _ in range(INSERTS):
                    cursor.execute("INSERT INTO bench_rows VALUES (%s, %s)", [number, "x" * 500])

    issued, bare = [], []
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_rows (number bigint, text text)")
    for _ in range(ROUNDS):
        issued.append(ISSUED / seconds(issue))
        bare.append(ISSUED / seconds(insert))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_rows")
    rate, limit = statistics.median(issued), statistics.median(bare)
    return [figure("certificates issued, one worker", rate, "a second", f"a transaction of {INSERTS} INSERTs", limit)]
