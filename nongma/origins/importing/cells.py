"""One cell of 附件1 cleaned: what people type, as the value that is meant, or the reason why it can't be.

Works on plain values and knows no database, so that it runs in the bounded reader. Codes of choices are those of
`origins.models` and `catalogue.models`; a test holds them equal.
"""

import calendar
import datetime
import functools
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from nongma.lib.sheets import cleaning
from nongma.lib.sheets.cleaning import NOTHING, BadValue, shortened
from nongma.lib.sheets.reading import Cell

KINDS = {
    "农产品生产企业": "enterprise",
    "生产企业": "enterprise",
    "企业": "enterprise",
    "农民专业合作社": "cooperative",
    "专业合作社": "cooperative",
    "合作社": "cooperative",
    "家庭农场": "family_farm",
    "农户": "household",
    "农村经纪人": "broker",
}
INDUSTRIES = {
    "种植业": "planting",
    "种植": "planting",
    "畜牧业": "livestock",
    "畜牧": "livestock",
    "渔业": "fishery",
    "水产业": "fishery",
}
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
        "平方米",
        "平米",
        "㎡",
        "m2",
        "株",
        "棵",
        "尾",
        "条",
        "万只",
        "万头",
    )
)
UNITS_OF_INDUSTRY = {"planting": ("mu",), "livestock": ("head", "bird"), "fishery": ("mu",)}
INDUSTRY_LABELS = {"planting": "种植业", "livestock": "畜牧业", "fishery": "渔业"}
UNIT_LABELS = {"mu": "亩", "head": "头", "bird": "只"}

MOST_SCALE = Decimal(10) ** 10
FIRST_YEAR, LAST_YEAR = 2000, 2099
LONGITUDES = (Decimal(73), Decimal(136))
LATITUDES = (Decimal(3), Decimal(54))
FEWEST_DECIMALS = 6
FEWEST_NUMERIC_DECIMALS = 4

_NUMBER = re.compile(r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*([^\d\s.]*)")


def scale(value: Cell) -> tuple[Decimal, str]:
    """A positive amount with two decimals and the unit word that was written behind it, if one was."""
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta, bool)):
        raise BadValue("not-a-number", "种养规模要填数字，这一格是日期或是非值，请改单元格格式")
    if isinstance(value, float):
        return _amount(repr(value)), ""
    found = cleaning.required(value, "种养规模")
    plain = re.sub(r"(?<=\d)[,，](?=\d{3}(?!\d))", "", cleaning.narrow(found).replace("，", ","))
    match = _NUMBER.fullmatch(plain)
    if not match or (match[2] and match[2] not in UNITS and match[2] not in OTHER_UNITS):
        raise BadValue("not-a-number", f"种养规模要填数字，“{shortened(found)}”不是数字")
    return _amount(match[1]), match[2]


def _amount(written: str) -> Decimal:
    try:
        amount = Decimal(written)
        if amount.is_finite() and abs(amount) < MOST_SCALE:
            amount = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    except InvalidOperation:
        raise BadValue("not-a-number", "种养规模要填数字") from None
    if not amount.is_finite():
        raise BadValue("not-a-number", "种养规模要填数字")
    if amount <= 0:
        raise BadValue("not-positive", "种养规模要大于 0（最少 0.01）")
    if amount >= MOST_SCALE:
        raise BadValue("not-a-number", "种养规模大得不合理，请核对")
    return amount


def unit(value: Cell, industry: str, written: str) -> str:
    """The unit of scale, which must be one of the industry's (`""`: the industry is not known).

    `written` is the unit word that stood behind the amount.
    """
    found = value if isinstance(value, str) and value in UNITS else cleaning.compact(value)
    if not found and written:
        found = written
    if not found or found in NOTHING:
        raise BadValue("missing", "没有填种养规模单位")
    code = UNITS.get(found)
    allowed = UNITS_OF_INDUSTRY.get(industry, tuple(UNIT_LABELS))
    if code not in allowed:
        hint = "、".join(UNIT_LABELS[item] for item in allowed)
        if code is None and found not in OTHER_UNITS:
            raise BadValue("not-a-choice", f"种养规模单位不能填“{shortened(found)}”，只能填：{hint}")
        name = INDUSTRY_LABELS.get(industry, "这一行")
        raise BadValue("unit-does-not-fit-industry", f"{name}的规模单位是{hint}，不能填“{shortened(found)}”")
    if written and UNITS.get(written) != code:
        raise BadValue("unit-does-not-fit-scale", f"种养规模里写的是“{written}”，与单位栏的“{found}”不一致")
    return code


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


_DEGREES = re.compile(
    r"(?P<before>[NSEW])?(?P<degrees>\d{1,3})[°度](?:(?P<minutes>\d{1,2})['′分])?(?:(?P<seconds>\d{1,2}(?:\.\d+)?)"
    r"(?:\"|″|''|′′|秒))?(?P<after>[NSEW])?"
)
_DECIMALS = re.compile(r"(?P<before>[NSEW])?(?P<number>[+-]?\d{1,3}(?:\.\d+)?)°?(?P<after>[NSEW])?")
_PLAIN_POINT = re.compile(r"([0-9]{2,3}\.[0-9]{6}),([0-9]{1,2}\.[0-9]{6})")
_LABELS = (
    ("东经", "E"),
    ("北纬", "N"),
    ("经度", "E"),
    ("纬度", "N"),
    ("经", "E"),
    ("纬", "N"),
    ("LON", "E"),
    ("LAT", "N"),
)


def point(value: Cell) -> tuple[Decimal, Decimal] | None:
    """Longitude and latitude in degrees (WGS84/CGCS2000); None when the cell is empty."""
    plainly = _PLAIN_POINT.fullmatch(value) if isinstance(value, str) else None
    if plainly:
        longitude, latitude = Decimal(plainly[1]), Decimal(plainly[2])
        if _within(longitude, LONGITUDES) and _within(latitude, LATITUDES):
            return longitude, latitude
    found = cleaning.text(value)
    if not found or found in NOTHING:
        return None
    if isinstance(value, (float, datetime.date, datetime.time, datetime.timedelta)):
        raise BadValue("not-a-coordinate", "点位经纬度要填“经度,纬度”两个数，如 109.098267,18.376267")
    plain = cleaning.narrow(found).upper()
    for word, letter in _LABELS:
        plain = plain.replace(word, letter)
    plain = re.sub(r"[,;、，；|/]+", " ", plain).replace(":", "").replace("。", ".")
    plain = re.sub(r"\s+(?=['′\"″°度分秒NSEW](?:\s|$))", "", plain)
    plain = re.sub(r"(?<=[NSEW°度'′分])\s+(?=\d)(?=[^NSEW]*[°度'′分\"″秒])", "", plain)
    parts = _pair(plain)
    if parts is None:
        raise BadValue(
            "not-a-coordinate", f"“{shortened(found)}”不是经纬度，请写成“经度,纬度”，如 109.098267,18.376267"
        )
    return _ordered(*parts)


_Part = tuple[Decimal, int, str]


def _pair(plain: str) -> tuple[_Part, _Part] | None:
    """The two numbers of a coordinate, each with its count of decimals and its letter."""
    for pattern, read in ((_DECIMALS, _decimal_part), (_DEGREES, _degree_part)):
        matches = list(pattern.finditer(plain))
        rest = pattern.sub("", plain)
        if len(matches) == 2 and not rest.strip(" ()[]（）"):
            first, second = (read(match) for match in matches)
            return first, second
    return None


def _decimal_part(match: re.Match[str]) -> _Part:
    number = match["number"]
    return Decimal(number), len(number.partition(".")[2]), match["before"] or match["after"] or ""


def _degree_part(match: re.Match[str]) -> _Part:
    seconds = match["seconds"] or "0"
    degrees = Decimal(match["degrees"]) + Decimal(match["minutes"] or 0) / 60 + Decimal(seconds) / 3600
    exact = FEWEST_DECIMALS if len(seconds.partition(".")[2]) >= 2 else 4
    return degrees, exact, match["before"] or match["after"] or ""


def separate_point(longitude: Cell, latitude: Cell) -> tuple[Decimal, Decimal] | None:
    """Longitude and latitude from two cells. A number cell has lost its last zeros, so fewer decimals do."""
    parts = []
    for value in (longitude, latitude):
        found = cleaning.narrow(cleaning.text(value)).strip("°NSEWnsew东经北纬 ")
        if not found or found in NOTHING:
            continue
        if not re.fullmatch(r"[+-]?\d{1,3}(?:\.\d+)?", found):
            raise BadValue("not-a-coordinate", f"“{shortened(found)}”不是经纬度，请写成 109.098267 这样的数")
        decimals = len(found.partition(".")[2])
        if isinstance(value, float) and decimals >= FEWEST_NUMERIC_DECIMALS:
            decimals = FEWEST_DECIMALS
        parts.append((Decimal(found), decimals, ""))
    if not parts:
        return None
    if len(parts) == 1:
        raise BadValue("not-a-coordinate", "经度和纬度要一起填")
    return _ordered(parts[0], parts[1])


def _ordered(first: _Part, second: _Part) -> tuple[Decimal, Decimal]:
    if (first[2] in ("N", "S") and second[2] in ("E", "W", "")) or (second[2] in ("E", "W") and not first[2]):
        first, second = second, first
    longitude, latitude = first[0], second[0]
    if not _within(longitude, LONGITUDES) or not _within(latitude, LATITUDES):
        if _within(longitude, LATITUDES) and _within(latitude, LONGITUDES):
            raise BadValue("swapped-or-out-of-range", "经度和纬度写反了，请写成“经度,纬度”")
        raise BadValue("swapped-or-out-of-range", "经纬度不在中国范围内，请核对")
    if min(first[1], second[1]) < FEWEST_DECIMALS:
        raise BadValue("too-few-decimals", "经纬度要保留小数点后 6 位，请到现场用手机重新定位")
    exact = Decimal("0.000001")
    return longitude.quantize(exact, ROUND_HALF_UP), latitude.quantize(exact, ROUND_HALF_UP)


def _within(value: Decimal, limits: tuple[Decimal, Decimal]) -> bool:
    return limits[0] <= value <= limits[1]
