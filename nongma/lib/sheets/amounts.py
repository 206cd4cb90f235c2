"""How much of something, as people type it into a sheet."""

import datetime
import re
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from nongma.lib.sheets import cleaning
from nongma.lib.sheets.cleaning import BadValue, shortened
from nongma.lib.sheets.reading import Cell

MOST = Decimal(10) ** 10

_NUMBER = re.compile(r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*([^\d\s.]*)")


def amount(value: Cell, what: str, units: Collection[str]) -> tuple[Decimal, str]:
    """A positive amount with two decimals and the unit word that was written behind it, if one was (of `units`)."""
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta, bool)):
        raise BadValue("not-a-number", f"{what}要填数字，这一格是日期或是非值，请改单元格格式")
    if isinstance(value, float):
        return _amount(repr(value), what), ""
    found = cleaning.required(value, what)
    plain = re.sub(r"(?<=\d)[,，](?=\d{3}(?!\d))", "", cleaning.narrow(found).replace("，", ","))
    match = _NUMBER.fullmatch(plain)
    if not match or (match[2] and match[2] not in units):
        raise BadValue("not-a-number", f"{what}要填数字，“{shortened(found)}”不是数字")
    return _amount(match[1], what), match[2]


def _amount(written: str, what: str) -> Decimal:
    try:
        number = Decimal(written)
        if number.is_finite() and abs(number) < MOST:
            number = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    except InvalidOperation:
        raise BadValue("not-a-number", f"{what}要填数字") from None
    if not number.is_finite():
        raise BadValue("not-a-number", f"{what}要填数字")
    if number <= 0:
        raise BadValue("not-positive", f"{what}要大于 0（最少 0.01）")
    if number >= MOST:
        raise BadValue("not-a-number", f"{what}大得不合理，请核对")
    return number
