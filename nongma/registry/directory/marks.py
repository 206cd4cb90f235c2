"""Noting whose entry in the directory has to be made anew: one row in the transaction of the change."""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

from nongma.lib.copying import array
from nongma.registry.models import DirectorySweep, Operator

MARK = "INSERT INTO registry_directorymark (operator_id, expected_id) SELECT * FROM unnest(%s::bigint[], %s::bigint[])"


def mark(operators: Iterable[int] = (), *, expected: Iterable[int] = ()) -> None:
    """Let the worker weigh operators and expected ones anew, after the caller's transaction has committed."""
    ids = [(key, None) for key in sorted(set(operators))] + [(None, key) for key in sorted(set(expected))]
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(MARK, [array(part) for part in zip(*ids, strict=True)])
    transaction.on_commit(_defer, robust=True)


def touch(*operators: int) -> None:
    """Note that operators were changed or confirmed today; call it after everything else of them is saved."""
    today = timezone.localdate()
    stale = Operator.objects.filter(pk__in=operators).exclude(confirmed_on=today, confirmed_on__isnull=False)
    stale.update(confirmed_on=today)
    mark(operators)


def note_code_used(operator: Operator) -> None:
    """Note that an operator put a code on something today (赋码、开证); only the first of a day writes."""
    today = timezone.localdate()
    if operator.used_on == today:
        return
    earlier = Operator.objects.filter(Q(used_on=None) | Q(used_on__lt=today), pk=operator.pk)
    if earlier.update(used_on=today):
        mark([operator.pk])
    operator.used_on = today


def sweep(region_code: int) -> None:
    """Let the worker weigh every operator of a division anew; one that is under way begins again."""
    DirectorySweep.objects.update_or_create(
        region_id=region_code, defaults={"last_region": -1, "last_operator": 0, "asked_at": timezone.now()}
    )
    transaction.on_commit(_defer, robust=True)


def _defer() -> None:
    """Ask the worker, unless it is asked already; what is lost in between is found within a minute."""
    from nongma.registry.tasks import settle_directory

    try:
        with transaction.atomic():
            settle_directory.defer()
    except AlreadyEnqueued:
        pass
