"""Noting which records are to be looked at: one row each, in the transaction of the change."""

from collections.abc import Iterable

from django.db import connection, transaction
from procrastinate.exceptions import AlreadyEnqueued

from nongma.lib.copying import array

MARK = "INSERT INTO origins_doubtmark (origin_id, county) SELECT * FROM unnest(%s::bigint[], %s::bigint[])"


def mark(ids: Iterable[int] = (), *, counties: Iterable[int] = ()) -> None:
    """Let the worker look at records, and count the tallies of counties anew, after the caller's transaction."""
    rows = [(key, None) for key in sorted(set(ids))] + [(None, code) for code in sorted(set(counties))]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(MARK, [array(part) for part in zip(*rows, strict=True)])
    transaction.on_commit(_defer, robust=True)


def _defer() -> None:
    """Ask the worker, unless it is asked already; what is lost in between is found within a minute."""
    from nongma.origins.tasks import look_for_doubts

    try:
        with transaction.atomic():
            look_for_doubts.defer()
    except AlreadyEnqueued:
        pass
