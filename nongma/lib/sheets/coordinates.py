"""A place on the map as people type it into a sheet: one cell or two, decimals or degrees, in either order."""

import datetime
import re
from decimal import ROUND_HALF_UP, Decimal

from nongma.lib.sheets import cleaning
from nongma.lib.sheets.cleaning import NOTHING, BadValue, shortened
from nongma.lib.sheets.reading import Cell

LONGITUDES = (Decimal(73), Decimal(136))
LATITUDES = (Decimal(3), Decimal(54))
FEWEST_DECIMALS = 6
FEWEST_NUMERIC_DECIMALS = 4

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
