"""What phones say: how well one knew where it was, where that was, how it got there, and who answers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection

from nongma.lib.copying import array
from nongma.lib.distances import metres_between, told_metres
from nongma.origins.doubts.batch import Batch, Found, Kind, Row
from nongma.origins.doubts.limits import SPEED_HOURS, SPEED_KMH, SPEED_METRES

# The record before and the one after, each by the index of a collector's track.
TRACK = """
    SELECT asked.id, beside.*
    FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) AS asked(id, collector, at)
    CROSS JOIN LATERAL (
        (SELECT o.id, o.created_at, o.device_longitude, o.device_latitude FROM origins_origin AS o
        WHERE o.collected_by_id = asked.collector AND o.created_at < asked.at AND o.device_longitude IS NOT NULL
        ORDER BY o.collected_by_id DESC, o.created_at DESC LIMIT 1)
        UNION ALL
        (SELECT o.id, o.created_at, o.device_longitude, o.device_latitude FROM origins_origin AS o
        WHERE o.collected_by_id = asked.collector AND o.created_at > asked.at AND o.device_longitude IS NOT NULL
        ORDER BY o.collected_by_id, o.created_at LIMIT 1)
    ) AS beside
"""
# By the index of who is who; the first of each are enough to say "many".
SHARED = """
    SELECT asked.phone, count(DISTINCT same.id)
    FROM unnest(%s::bytea[]) AS asked(phone)
    CROSS JOIN LATERAL (
        SELECT w.id FROM registry_operator AS w
        WHERE w.phone_index = asked.phone AND w.status <> 'cancelled' LIMIT 100
    ) AS same
    GROUP BY 1 HAVING count(DISTINCT same.id) >= %s
"""


def poorly_located(batch: Batch) -> Iterator[Found]:
    """Points that the phone itself was not sure of."""
    worst = Decimal(settings.DOUBT_ACCURACY_METRES)
    for row in batch.located:
        if row.accuracy_m is not None and row.accuracy_m > worst:
            told = f"{row.accuracy_m.normalize():f} 米"
            text = f"定位精度 {told}，差于 {worst} 米；在空旷处等几秒再定位会准得多"
            yield Found(row.id, Kind.ACCURACY, text, told)


def taken_elsewhere(batch: Batch) -> Iterator[Found]:
    """Points far from where the phone was when the record was made."""
    for row in batch.located:
        if row.device is not None:
            metres = metres_between(row.point, row.device)
            if metres > settings.DOUBT_DEVICE_METRES:
                told = told_metres(metres)
                text = f"采集时手机离点位 {told}，超过 {settings.DOUBT_DEVICE_METRES} 米，可能没有到地里"
                yield Found(row.id, Kind.DEVICE, text, told)


def too_fast(batch: Batch) -> Iterator[Found]:
    """Records whose collector can't have come from the one before, or to the one after, in the time between."""
    rows = {row.id: row for row in batch.rows if row.device is not None}
    if not rows:
        return
    columns = zip(*((row.id, row.collector, row.created_at.isoformat()) for row in rows.values()), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(TRACK, [array(part) for part in columns])
        beside = cursor.fetchall()
    told: set[int] = set()
    for number, other, at, x, y in beside:
        row = rows[number]
        if number not in told and (text := _fast(row, at, (float(x), float(y)))):
            told.add(number)
            yield Found(number, Kind.SPEED, text, f"{other}", other)


def _fast(row: Row, at: datetime, there: tuple[float, float]) -> str:
    here = row.device
    gap = abs(at - row.created_at)
    if here is None or gap > timedelta(hours=SPEED_HOURS):
        return ""
    metres = metres_between(here, there)
    seconds = max(gap.total_seconds(), 1.0)
    speed = metres / seconds * 3.6
    if metres < SPEED_METRES or speed < SPEED_KMH:
        return ""
    minutes = f"{seconds / 60:.0f} 分钟" if seconds >= 60 else f"{seconds:.0f} 秒"
    when = "上一条" if at < row.created_at else "下一条"
    return f"同一采集员的{when}在 {told_metres(metres)}外，相隔只有 {minutes}，等于每小时 {speed:,.0f} 公里，走不到"


def shared_phone(batch: Batch) -> Iterator[Found]:
    """Operators of whom many have the same phone number."""
    phones = {row.phone_index for row in batch.rows if row.phone_index is not None}
    if not phones:
        return
    with connection.cursor() as cursor:
        cursor.execute(SHARED, [array(sorted(phones)), settings.DOUBT_PHONE_OPERATORS])
        many = {bytes(phone): number for phone, number in cursor.fetchall()}
    for row in batch.rows:
        number = many.get(row.phone_index or b"")
        if number:
            text = f"这个手机号登记在 {number} 家主体名下，达到 {settings.DOUBT_PHONE_OPERATORS} 家；每家应填自己的"
            yield Found(row.id, Kind.PHONE, text, _step(number))


def _step(number: int) -> str:
    """One more household is not a new doubt; twice as many is."""
    return f"{1 << (number.bit_length() - 1)} 家起"
