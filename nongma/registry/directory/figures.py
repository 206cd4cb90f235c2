"""How many entries of a place are what (目录统计): counted anew by town whenever entries change."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection

from nongma.regions.models import Region
from nongma.regions.queries import children_of
from nongma.regions.spans import WIDTHS, above, level_of
from nongma.registry.directory.fields import LABELS

Level = Region.Level
WHATS = {
    "listed": "应纳入",
    "present": "已登记",
    "missing": "缺失",
    "incomplete": "信息不全",
    "stale": "待更新",
    "wrong": "不准确",
    "uncoded": "未赋码",
    "sound": "没有问题",
}
"""What is counted; each is a filter of the list, too, so that each number adds up to a list."""
_KINDS = """
    LATERAL (
        SELECT 'listed' AS what
        UNION ALL SELECT 'present' WHERE entry.operator_id IS NOT NULL
        UNION ALL SELECT 'missing' WHERE entry.operator_id IS NULL
        UNION ALL SELECT 'incomplete' WHERE entry.lacks <> '{}'
        UNION ALL SELECT 'stale' WHERE entry.is_stale
        UNION ALL SELECT 'wrong' WHERE entry.is_wrong
        UNION ALL SELECT 'uncoded' WHERE entry.uncoded <> ''
        UNION ALL SELECT 'sound' WHERE entry.lacks = '{}' AND NOT entry.is_stale AND NOT entry.is_wrong
            AND entry.uncoded = ''
        UNION ALL SELECT 'need:' || need FROM unnest(entry.needs) AS need
        UNION ALL SELECT 'lack:' || lack FROM unnest(entry.lacks) AS lack
    ) AS kinds
"""
COUNT_TOWNS = f"""
    INSERT INTO registry_directorycount (level, region_code, what, number)
    SELECT {Level.TOWN}, town, what, count(*)
    FROM unnest(%(towns)s::bigint[]) AS town
    JOIN registry_directoryentry AS entry ON entry.region_id BETWEEN town AND town + {WIDTHS[Level.TOWN] - 1},
    {_KINDS}
    GROUP BY town, what
"""  # noqa: S608 (numbers and words of this module)
COUNT_COUNTIES = f"""
    INSERT INTO registry_directorycount (level, region_code, what, number)
    SELECT {Level.COUNTY}, county, what, sum(number)
    FROM unnest(%(counties)s::bigint[]) AS county
    JOIN registry_directorycount AS counted ON counted.level = {Level.TOWN}
        AND counted.region_code BETWEEN county AND county + {WIDTHS[Level.COUNTY] - 1}
    GROUP BY county, what
"""  # noqa: S608 (numbers of this module)
BY_PLACE = f"""
    SELECT entry.region_id, what, count(*) FROM registry_directoryentry AS entry, {_KINDS}
    WHERE entry.region_id BETWEEN %(start)s AND %(stop)s GROUP BY 1, 2
"""  # noqa: S608 (numbers and words of this module)
COUNTED = """
    SELECT region_code - region_code %% %(width)s, what, sum(number) FROM registry_directorycount
    WHERE level = %(level)s AND region_code BETWEEN %(start)s AND %(stop)s GROUP BY 1, 2
"""


def recount(places: Iterable[int]) -> None:
    """Count the townships of these divisions and their counties anew, in the transaction that changed the entries."""
    towns = sorted({above(place, Level.TOWN) for place in places})
    counties = sorted({above(town, Level.COUNTY) for town in towns})
    with connection.cursor() as cursor:
        for level, codes in ((Level.TOWN, towns), (Level.COUNTY, counties)):
            cursor.execute(
                "DELETE FROM registry_directorycount WHERE level = %s AND region_code = ANY(%s)", [level, codes]
            )
        cursor.execute(COUNT_TOWNS, {"towns": towns})
        cursor.execute(COUNT_COUNTIES, {"counties": counties})


@dataclass(frozen=True)
class FieldShare:
    """How far one field is filled."""

    name: str
    label: str
    needed: int
    lacking: int

    @property
    def filled(self) -> int:
        return self.needed - self.lacking

    @property
    def percent(self) -> int | None:
        return percent(self.filled, self.needed)


@dataclass
class Line:
    """One division of the page, with its counts."""

    region: Region
    label: str
    is_own: bool = False
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, number: int) -> None:
        self.numbers[what] = self.numbers.get(what, 0) + number

    def of(self, what: str) -> int:
        """How many are that."""
        return self.numbers.get(what, 0)

    @property
    def counts(self) -> list[tuple[str, str, int, int | None]]:
        """Name, label, number and share of all for each count."""
        listed = self.of("listed")
        return [(what, label, self.of(what), percent(self.of(what), listed)) for what, label in WHATS.items()]

    @property
    def shares(self) -> list[FieldShare]:
        """How far each field is filled, of those that some entry needs."""
        return [
            FieldShare(name, label, self.of(f"need:{name}"), self.of(f"lack:{name}"))
            for name, label in LABELS.items()
            if self.of(f"need:{name}")
        ]

    @property
    def leads_on(self) -> bool:
        """Whether there is a page of its own to go to."""
        return not self.is_own and self.region.level < Level.VILLAGE


@dataclass(frozen=True)
class Figures:
    """The counts of a division in sum, of itself, and of those below."""

    region: Region
    total: Line
    lines: list[Line]


def percent(part: int, whole: int) -> int | None:
    """Whole per cent, rounded down so that 100 means all; None of nothing."""
    return part * 100 // whole if whole else None


def figures_of(region: Region) -> Figures:
    """The counts of a division and of those below it, from the counts of townships and counties.

    Only where villages are the next below (a township, or a county without any) the entries themselves are counted.
    """
    level = level_of(region.code)
    children = children_of(region.code)
    lines = {child.code: Line(child, child.name) for child in children}
    own = Line(region, f"{region.name}本级", is_own=True)
    total = Line(region, region.full_name or region.name)
    for code, what, number in _rows(region, children):
        steps = range(level + 1, Level.VILLAGE + 1)
        line = next((lines[place] for step in steps if (place := above(code, step)) in lines), own)
        line.add(what, int(number))
        total.add(what, int(number))
    shown = [line for line in (own, *lines.values()) if line.of("listed") or not (line.is_own or _is_village(line))]
    return Figures(region, total, shown)


def _is_village(line: Line) -> bool:
    return line.region.level == Level.VILLAGE


def _rows(region: Region, children: list[Region]) -> list[tuple[int, str, int]]:
    span = {"start": region.span.start, "stop": region.span.stop}
    with connection.cursor() as cursor:
        if region.level >= Level.COUNTY and not (children and all(child.level == Level.TOWN for child in children)):
            cursor.execute(BY_PLACE, span)
        else:
            towns = region.level >= Level.COUNTY or any(child.level == Level.TOWN for child in children)
            # Of the country a province is as fine as the page is.
            width = WIDTHS[Level.PROVINCE] if region.level == Level.COUNTRY else 1
            level = Level.TOWN if towns else Level.COUNTY
            cursor.execute(COUNTED, span | {"width": width, "level": int(level)})
        return [(int(code), str(what), int(number)) for code, what, number in cursor.fetchall()]
