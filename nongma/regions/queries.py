"""Reading divisions: paths, children, and search as a person types."""

from collections.abc import Iterable

from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE, Span, above, ancestors_of, level_of, span_of
from nongma.regions.wording import fold, is_filler

CODE_DIGITS = 12
LEVELS = (1, 2, 3, 4, 5)
MOST_WORDS = 4


def code_of(text: str) -> int | None:
    """The code that was written: 12 digits, or the first 2, 4, 6 or 9 of them; None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) in (2, 4, 6, 9, CODE_DIGITS)):
        return None
    return int(text.ljust(CODE_DIGITS, "0"))


def find_region(text: str) -> Region | None:
    """The division of a code as `code_of` reads it."""
    code = code_of(text)
    return None if code is None else Region.objects.filter(pk=code).first()


def path_of(code: int) -> list[Region]:
    """A division and those above it, province first; levels that don't exist (市辖区) are left out."""
    rows = Region.objects.filter(pk__in=[*ancestors_of(code), code])
    return [region for region in rows if region.code == code or not is_filler(region.name)]


def paths_of(codes: Iterable[int]) -> dict[int, str]:
    """The full names of many divisions by code (one query); unknown codes are left out."""
    return dict(Region.objects.filter(pk__in=set(codes)).values_list("code", "full_name"))


def children_of(code: int) -> list[Region]:
    """The divisions directly below, by code: 海南省 has 三亚市 and, its county without a city, 五指山市.

    Where a level does not exist, the level below stands in for it: 东莞市 has towns, 崖州区 villages.
    """
    level = level_of(code)
    rows = list(
        Region.objects.current()
        .within(span_of(code))
        .filter(level__in=(level + 1, level + 2))
        .exclude(pk=code)
        .order_by("code")
    )
    below = [region for region in rows if region.level == level + 1]
    if not below:
        return rows
    fillers = fillers_in(below)
    stand_ins = [region for region in rows if region.level == level + 2 and above(region.code, level + 1) in fillers]
    shown = [region for region in below if region.code not in fillers]
    return sorted(shown + stand_ins, key=lambda region: region.code)


def fillers_in(regions: Iterable[Region]) -> set[int]:
    """The codes of those that only stand for a level that does not exist."""
    return {region.code for region in regions if is_filler(region.name)}


def fillers_below(code: int) -> set[int]:
    """The codes directly below a division that only stand for a level that does not exist (崖州区直辖村级区划)."""
    return fillers_in(Region.objects.within(span_of(code)).filter(level=level_of(code) + 1).only("code", "name"))


def search(text: str, within: Span | None = None, level: int | None = None, limit: int = 20) -> list[Region]:
    """Divisions that stand today, best first, by the beginning of code, name, pinyin or initials.

    Exact names come first, then higher levels. Several words, or a path written in one (三亚市崖州区), narrow down from
    left to right.
    """
    span = within or EVERYWHERE
    words = [word for word in (fold(part).lower() for part in text.split()[:MOST_WORDS]) if word]
    if not words or limit < 1:
        return []
    if all(word.isascii() for word in words):
        words = ["".join(words)]
    for word in words[:-1]:
        found = _starting_with(word, span, None, 1)
        if not found:
            return []
        span = found[0].span
    return _starting_with(words[-1], span, level, limit) or _along_path(words[-1], span, level, limit)


def _starting_with(word: str, span: Span, level: int | None, limit: int) -> list[Region]:
    if word.isascii() and word.isdigit():
        return _by_code(word, span, level, limit)
    columns = ("pinyin", "initials") if word.isascii() else ("name",)
    levels = LEVELS if level is None else (level,)
    pattern = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    # One short scan in index order for each level and column; a plain OR would sort every village that fits.
    scan = (
        "(SELECT * FROM regions_region WHERE level = %s AND {column} LIKE %s AND code BETWEEN %s AND %s"
        " AND valid_to IS NULL ORDER BY {column} USING ~<~ LIMIT %s)"
    )
    scans = [(scan.format(column=column), one) for one in levels for column in columns]
    parameters = [value for _, one in scans for value in (one, pattern, span.start, span.stop, limit)]
    found = {
        region.code: region for region in Region.objects.raw(" UNION ALL ".join(sql for sql, _ in scans), parameters)
    }
    ranked = sorted(found.values(), key=lambda region: _rank(region, word))
    return [region for region in ranked if not is_filler(region.name)][:limit]


def _rank(region: Region, word: str) -> tuple[bool, int, int, int]:
    exact = word in (region.name, region.pinyin, region.initials)
    return not exact, region.level, len(region.name), region.code


def _by_code(digits: str, span: Span, level: int | None, limit: int) -> list[Region]:
    if len(digits) > CODE_DIGITS:
        return []
    start = int(digits.ljust(CODE_DIGITS, "0"))
    rows = Region.objects.current().within(span).within(Span(start, int(digits.ljust(CODE_DIGITS, "9"))))
    if level is not None:
        rows = rows.filter(level=level)
    return list(rows.order_by("code")[:limit])


def _along_path(word: str, span: Span, level: int | None, limit: int) -> list[Region]:
    """Search of a path written in one word: the longest name that it begins with, then the rest inside of that."""
    beginnings = [word[:length] for length in range(2, len(word))]
    if word.isascii() or not beginnings:
        return []
    named = Region.objects.current().within(span).filter(level__in=LEVELS[:-1], name__in=beginnings)
    heads = sorted(named.order_by("level", "code")[:50], key=lambda region: (-len(region.name), region.level))
    for head in heads[:3]:
        rest = word[len(head.name) :]
        found = _starting_with(rest, head.span, level, limit) or _along_path(rest, head.span, level, limit)
        if found:
            return found
    return []
