"""Dues of those who have stopped, or who take part again (已失效): bases closed, operators suspended or cancelled.

The registry knows nothing of the calendar, so the worker looks for both each day. A base's due ends on the day that
the base was closed, whenever the worker comes by.
"""

from datetime import date

from django.db import connection, transaction

from nongma.origins.due.calendar import CHUNK, bring_up_to_date

_STOPPED = """
    SELECT d.origin_id FROM registry_operator w
    JOIN origins_due d ON d.operator_id = w.id AND d.outcome = ''
    WHERE w.status IN ('suspended', 'cancelled')
    UNION
    SELECT d.origin_id FROM registry_base b
    JOIN origins_origin o ON o.base_id = b.id AND o.state <> 'superseded'
    JOIN origins_due d ON d.origin_id = o.id AND d.outcome = ''
    WHERE b.closed_on IS NOT NULL
"""
_BACK = """
    SELECT DISTINCT d.origin_id FROM origins_due d
    JOIN origins_origin o ON o.id = d.origin_id AND o.state <> 'superseded'
    JOIN registry_base b ON b.id = o.base_id AND b.closed_on IS NULL
    JOIN registry_operator w ON w.id = o.operator_id AND w.status NOT IN ('suspended', 'cancelled')
    WHERE d.outcome = 'lapsed' AND d.cause IN ('base_closed', 'operator_stopped')
        AND NOT EXISTS (SELECT 1 FROM origins_due n WHERE n.origin_id = d.origin_id AND n.outcome IN ('', 'ended'))
"""


def settle_standing(on: date | None = None) -> int:
    """End the dues of those who stopped and open those of who came back; how many records that touched."""
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED)
        found = {number for (number,) in cursor.fetchall()}
        cursor.execute(_BACK)
        found |= {number for (number,) in cursor.fetchall()}
    ordered = sorted(found)
    for start in range(0, len(ordered), CHUNK):
        with transaction.atomic():
            bring_up_to_date(ordered[start : start + CHUNK], today=on, with_others=False)
    return len(ordered)
