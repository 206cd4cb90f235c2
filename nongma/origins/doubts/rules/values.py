"""Scales and seasons that do not fit the product and the place (规模反常、时间不合理)."""

import math
from collections.abc import Iterator

from django.conf import settings

from nongma.catalogue.models import Unit
from nongma.origins.doubts.batch import Batch, Found, Kind, Row
from nongma.origins.doubts.limits import (
    SCALE_DEVIATIONS,
    SCALE_LEAST_SPREAD,
    SEASON_LONGEST_DAYS,
    SEASON_SHARE,
)
from nongma.origins.doubts.usual import usual_of
from nongma.origins.models import Usual
from nongma.regions.spans import level_of

NORMAL = 1.4826
"""A median distance of one is a standard deviation of so much where values are spread normally."""


def out_of_line(batch: Batch) -> Iterator[Found]:
    """Scales and months that hardly any other record of the product has in the county, or in its city."""
    if not batch.rows:
        return
    usual = usual_of(batch.rows)
    for row in batch.rows:
        one = usual.get((row.county, row.product, row.unit))
        if one is not None and (text := _scale(row, one)):
            yield Found(row.id, Kind.SCALE, text, f"{row.scale}{row.unit}")
        if text := _season(row, one):
            yield Found(row.id, Kind.SEASON, text, f"{row.planted_on}:{row.on_sale_on}:{row.off_sale_on}")


def _scale(row: Row, usual: Usual) -> str:
    away = math.log(float(row.scale)) - usual.middle
    times = math.exp(abs(away))
    spread = max(NORMAL * usual.spread, SCALE_LEAST_SPREAD)
    if abs(away) < SCALE_DEVIATIONS * spread or times < settings.DOUBT_SCALE_TIMES:
        return ""
    unit = Unit(row.unit).label
    share = f"{times:,.0f} 倍" if away > 0 else f"{times:,.0f} 分之一"
    return (
        f"规模 {row.scale.normalize():,f} {unit}，是{_where(usual)}{row.product_name} {usual.records:,} 条记录"
        f"中间值（{math.exp(usual.middle):,.4g} {unit}）的 {share}"
    )


def _season(row: Row, usual: Usual | None) -> str:
    if row.planted_on and row.on_sale_on and row.planted_on > row.on_sale_on:
        return f"移栽定植（{row.planted_on}）在上市（{row.on_sale_on}）以后"
    if not row.on_sale_on or not row.off_sale_on:
        return ""
    days = (row.off_sale_on - row.on_sale_on).days
    if days > SEASON_LONGEST_DAYS:
        return f"一茬{row.product_name}在市 {days} 天，超过 {SEASON_LONGEST_DAYS} 天；几茬应分开填"
    if usual is None or usual.records < 1:
        return ""
    month = row.on_sale_on.month
    around = [(month - 2) % 12, month - 1, month % 12]
    others = sum(usual.months[place] for place in around) - 1
    if others > SEASON_SHARE * usual.records:
        return ""
    named = f"{around[0] + 1} 至 {around[2] + 1} 月"
    return (
        f"{month} 月上市；{_where(usual)}{row.product_name} {usual.records:,} 条记录里，"
        f"{named}上市的另外只有 {max(others, 0)} 条"
    )


def _where(usual: Usual) -> str:
    return "本县" if level_of(usual.region_code) == 3 else "本市"
