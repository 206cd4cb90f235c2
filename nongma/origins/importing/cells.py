"""One cell of 附件1 cleaned: what people type, as the value that is meant, or the reason why it can't be.

Works on plain values and knows no database, so that it runs in the bounded reader. Codes of choices are those of
`origins.models` and `catalogue.models`; a test holds them equal.
"""

import calendar
import datetime
import functools
import re
from decimal import ROUND_HALF_UP, Decimal

from nongma.lib.sheets import cleaning
from nongma.lib.sheets.amounts import amount
from nongma.lib.sheets.cleaning import NOTHING, BadValue, shortened
from nongma.lib.sheets.coordinates import point, separate_point
from nongma.lib.sheets.reading import Cell
from nongma.registry.intake.words import GROWERS, INDUSTRIES
from nongma.registry.intake.words import KINDS as ALL_KINDS

__all__ = ["INDUSTRIES", "KINDS", "point", "separate_point"]

KINDS = {word: code for word, code in ALL_KINDS.items() if code in GROWERS}
CERTIFICATIONS = {
    "绿色": "green",
    "绿色食品": "green",
    "有机": "organic",
    "有机产品": "organic",
    "有机农产品": "organic",
    "地标": "geographical",
    "地理标志": "geographical",
    "农产品地理标志": "geographical",
    "地理标志农产品": "geographical",
    "其他": "other",
    "其它": "other",
}
METHODS = {
    "露地": "open_field",
    "露天": "open_field",
    "露地栽培": "open_field",
    "设施": "protected",
    "设施栽培": "protected",
    "大棚": "protected",
    "温室": "protected",
}
TRACE_METHODS = {
    "承诺达标合格证": "certificate",
    "合格证": "certificate",
    "追溯码": "trace_code",
    "耳标": "ear_tag",
    "动物检疫合格证": "quarantine",
    "动物检疫合格证明": "quarantine",
    "检疫合格证": "quarantine",
    "包装标识": "package_mark",
    "其他": "other",
    "其它": "other",
}
UNITS = {"亩": "mu", "头": "head", "只": "bird", "羽": "bird"}
OTHER_UNITS = frozenset(
    (
        "吨",
        "千克",
        "公斤",
        "斤",
        "件",
        "箱",
        "公顷",
        "株",
        "棵",
        "尾",
        "条",
        "万只",
        "万头",
    )
)
SQUARE_METRES = frozenset(("平方米", "平米", "㎡", "m2"))
SQUARE_METRE, SQUARE_METRE_LABEL = "m2", "平方米"
"""What the scale of fishery is also known in; it is kept in 亩 (附件1, note 7)."""
UNITS_OF_INDUSTRY = {"planting": ("mu",), "livestock": ("head", "bird"), "fishery": ("mu",)}
INDUSTRY_LABELS = {"planting": "种植业", "livestock": "畜牧业", "fishery": "渔业"}
UNIT_LABELS = {"mu": "亩", "head": "头", "bird": "只"}

FIRST_YEAR, LAST_YEAR = 2000, 2099


def scale(value: Cell) -> tuple[Decimal, str]:
    """A positive amount with two decimals and the unit word that was written behind it, if one was."""
    return amount(value, "种养规模", UNITS.keys() | OTHER_UNITS | SQUARE_METRES)


def mu_of(square_metres: Decimal) -> Decimal:
    """Square metres as 亩, 1 亩 = 2000/3 m², with two decimals."""
    found = (square_metres * 3 / 2000).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if not found:
        raise BadValue("not-positive", f"{square_metres} 平方米折合不到 0.01 亩，请核对")
    return found


def unit(value: Cell, industry: str, written: str) -> str:
    """The unit of scale, which must be one of the industry's (`""`: the industry is not known); m² of fishery, too.

    `written` is the unit word that stood behind the amount.
    """
    found = value if isinstance(value, str) and value in UNITS else cleaning.compact(value)
    if not found and written:
        found = written
    if not found or found in NOTHING:
        raise BadValue("missing", "没有填种养规模单位")
    code = _unit_code(found)
    if code == SQUARE_METRE and industry == "fishery" and _unit_code(written or found) == code:
        return code
    allowed = UNITS_OF_INDUSTRY.get(industry, tuple(UNIT_LABELS))
    if code not in allowed:
        hint = "、".join(UNIT_LABELS[item] for item in allowed)
        if code is None and found not in OTHER_UNITS | SQUARE_METRES:
            raise BadValue("not-a-choice", f"种养规模单位不能填“{shortened(found)}”，只能填：{hint}")
        name = INDUSTRY_LABELS.get(industry, "这一行")
        raise BadValue("unit-does-not-fit-industry", f"{name}的规模单位是{hint}，不能填“{shortened(found)}”")
    if written and _unit_code(written) != code:
        raise BadValue("unit-does-not-fit-scale", f"种养规模里写的是“{written}”，与单位栏的“{found}”不一致")
    return code


def _unit_code(word: str) -> str | None:
    return SQUARE_METRE if word in SQUARE_METRES else UNITS.get(word)


_MONTH_WORDS = re.compile(r"(上旬|中旬|下旬|月初|月底|月末|初|底|左右)$")
_YEAR_MONTH = re.compile(r"(\d{4})\s*[-./年\s]\s*(\d{1,2})\s*月?(?:\s*[-./月\s]?\s*(\d{1,2})\s*日?)?(?:\s.*|T.*)?")
_JOINED = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_MONTH_ALONE = re.compile(r"\d{1,2}\s*月(?:份|\d{1,2}日?)?")
FIRST_DAY = datetime.date(1899, 12, 30)


def day(value: Cell, what: str, last: bool = False) -> datetime.date:
    """A day from a date cell or text; a month alone means its first day, or its last one when `last`."""
    if isinstance(value, datetime.datetime):
        return _sensible(value.date(), what)
    if isinstance(value, datetime.date):
        return _sensible(value, what)
    return _day(cleaning.required(value, what), what, last)


@functools.lru_cache(maxsize=4096)
def _day(found: str, what: str, last: bool) -> datetime.date:
    plain = cleaning.narrow(found).replace("月份", "月")
    plain = _MONTH_WORDS.sub(lambda match: "月" if match[1].startswith("月") else "", plain).strip()
    if _MONTH_ALONE.fullmatch(plain):
        raise BadValue("not-a-date", f"{what}“{shortened(found)}”没有写年份，请写成 2026-04 这样")
    match = _JOINED.fullmatch(plain) or _YEAR_MONTH.fullmatch(plain)
    if match:
        year, month = int(match[1]), int(match[2])
        if 1 <= month <= 12 and FIRST_YEAR <= year <= LAST_YEAR:
            most = calendar.monthrange(year, month)[1]
            number = int(match[3]) if match[3] else (most if last else 1)
            if 1 <= number <= most:
                return datetime.date(year, month, number)
    elif re.fullmatch(r"[34]\d{4}|5[0-4]\d{3}", plain):
        return _sensible(FIRST_DAY + datetime.timedelta(days=int(plain)), what)
    raise BadValue("not-a-date", f"{what}“{shortened(found)}”不是日期，请写成 2026-04 这样")


def _sensible(found: datetime.date, what: str) -> datetime.date:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise BadValue("not-a-date", f"{what}的年份 {found.year} 不对，请核对")
    return found
