"""Writing what happens to lots (追溯事件): one append-only line each, found again by the lot's code."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from nongma.tracing.models import Lot, TraceEvent

COLUMNS = ("lot_serial", "id", "step", "at", "region_code", "operator_uid")
APPEND = f"""
    INSERT INTO tracing_traceevent ({", ".join(COLUMNS)}, details) VALUES ({", ".join(["%s"] * len(COLUMNS))}, %s)
"""  # noqa: S608 (names of columns, nothing from outside)


def note(lot: Lot, step: TraceEvent.Step, **details: Any) -> TraceEvent:
    """Append what happened to a lot just now. `details` must be JSON; no personal data in them."""
    event = TraceEvent(**_values(lot, step, details))
    values = [getattr(event, column) for column in COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(APPEND, [*values, json.dumps(details, ensure_ascii=False)])
    return event


def note_all(lots: Iterable[Lot], step: TraceEvent.Step, **details: Any) -> None:
    """Append the same for many lots, in one statement."""
    TraceEvent.objects.bulk_create([TraceEvent(**_values(lot, step, details)) for lot in lots])


def _values(lot: Lot, step: TraceEvent.Step, details: dict[str, Any]) -> dict[str, Any]:
    operator_uid: UUID = lot.operator.uid
    return {
        "lot_serial": lot.serial,
        "step": step,
        "at": timezone.now(),
        "region_code": lot.base.region_id if lot.base else lot.region_id,
        "operator_uid": operator_uid,
        "details": details,
    }
