"""How far the platform is rolled out in an area, and by when it shall be (推广进度)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from django.core.paginator import Page
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from nongma.accounts.models import Agency, Attendance, Figures, Target, Training, User
from nongma.accounts.rollout.figures import figures_code
from nongma.lib.pages import CappedPaginator
from nongma.regions.models import Region, RegionLoad
from nongma.regions.queries import children_of, find_region
from nongma.regions.spans import EVERYWHERE, Span, above, ancestors_of, level_of, span_of
from nongma.regions.wording import is_filler

Level = Region.Level
SOON_DAYS = 30
NAMES_SHOWN = 200
COUNTED = ("agencies", "agencies_with_account", "people", "people_in_use", "people_trained")

BY_PLACE = """
    SELECT code, sum(agencies), sum(manned), sum(people), sum(in_use), sum(trained) FROM (
        SELECT agency.region_id AS code, count(*) AS agencies,
            count(*) FILTER (WHERE administrator.is_active AND administrator.suspended_at IS NULL) AS manned,
            0 AS people, 0 AS in_use, 0 AS trained
        FROM accounts_agency AS agency LEFT JOIN accounts_user AS administrator
            ON administrator.id = agency.administrator_id
        WHERE agency.region_id BETWEEN %(start)s AND %(stop)s AND agency.suspended_at IS NULL GROUP BY 1
        UNION ALL
        SELECT place, 0, 0, count(*), count(last_login), count(trained_on)
        FROM accounts_user
        WHERE place BETWEEN %(start)s AND %(stop)s AND agency_id IS NOT NULL AND is_active GROUP BY 1
    ) AS parts GROUP BY code
"""


@dataclass(frozen=True)
class Due:
    """A date to be kept, and how it stands today: word and colour."""

    on: date | None
    is_done: bool

    @property
    def days(self) -> int | None:
        return (self.on - timezone.localdate()).days if self.on else None

    @property
    def label(self) -> str:
        if self.is_done:
            return "已完成"
        if self.days is None:
            return "没有定日期"
        if self.days < 0:
            return f"超期 {-self.days} 天"
        return f"还有 {self.days} 天" if self.days else "今天到期"

    @property
    def tone(self) -> str:
        if self.is_done:
            return "green"
        if self.days is None:
            return "grey"
        if self.days < 0:
            return "red"
        return "amber" if self.days <= SOON_DAYS else "blue"


@dataclass
class Line:
    """One division of the page: how many agencies and people, and how far they are."""

    region: Region
    label: str
    is_own: bool = False
    agencies: int = 0
    agencies_with_account: int = 0
    people: int = 0
    people_in_use: int = 0
    people_trained: int = 0
    counties_missing: int = 0
    towns_missing: int = 0
    accounts_due_on: date | None = None
    training_due_on: date | None = None

    @property
    def account_share(self) -> int | None:
        return share(self.agencies_with_account, self.agencies)

    @property
    def use_share(self) -> int | None:
        return share(self.people_in_use, self.people)

    @property
    def trained_share(self) -> int | None:
        return share(self.people_trained, self.people)

    @property
    def is_there(self) -> bool:
        """Whether it has an agency or a person at all."""
        return bool(self.agencies or self.people)

    @property
    def leads_on(self) -> bool:
        """Whether there is a page of its own to go to."""
        return not self.is_own and self.region.level <= Level.COUNTY

    @property
    def accounts_due(self) -> Due:
        everywhere = not self.counties_missing and not self.towns_missing
        done = everywhere and 0 < self.agencies == self.agencies_with_account
        return Due(self.accounts_due_on, done)

    @property
    def training_due(self) -> Due:
        return Due(self.training_due_on, 0 < self.people == self.people_trained)

    def add(self, numbers: Iterable[int]) -> None:
        """Add a row's numbers, in the order of `COUNTED`."""
        for name, number in zip(COUNTED, numbers, strict=True):
            setattr(self, name, getattr(self, name) + number)


@dataclass(frozen=True)
class Progress:
    """The page of one division: itself in sum, its own agencies, the divisions below."""

    region: Region
    total: Line
    lines: list[Line]
    missing: list[str] = field(default_factory=list)
    missing_count: int = 0
    target: Target | None = None


def share(part: int, whole: int) -> int | None:
    """Whole per cent, rounded down so that 100 means all; None of nothing."""
    return part * 100 // whole if whole else None


def areas_of(user: User) -> list[Region]:
    """The divisions whose progress the person follows, the widest first, none inside another.

    Those of the 监管 agencies administered: a 监测 or 执法 agency looks after its own people only.
    """
    own = {one.region_id: one.region for one in user.administers if one.kind == Agency.Kind.SUPERVISION}
    widest = [
        area for area in own.values() if not any(one.span.covers(area.span) for one in own.values() if one != area)
    ]
    return sorted(widest, key=lambda area: (area.level, area.code))


def find_area(code: str, areas: list[Region]) -> Region | None:
    """The division of a code inside the areas that somebody follows; without a code, the widest of them."""
    region = find_region(code) if code else next(iter(areas), None)
    return region if region and any(region.code in area.span for area in areas) else None


def progress_of(region: Region) -> Progress:
    """How far a division is, and each one below it.

    A few rows of `Figures` up from the counties; inside a county its agencies and people themselves, by town.
    """
    children = children_of(region.code)
    own = Line(region, "本级" if region.level < Level.COUNTY else f"{region.name}本级", is_own=True)
    lines = {child.code: Line(child, child.name) for child in children}
    known = divisions()
    if children and children[0].level < Level.TOWN:
        _add_figures(region, own, lines, known)
        missing = _missing_counties(region, known)
    else:
        _add_inside(region, own, lines)
        for line in lines.values():
            line.towns_missing = int(line.region.level == Level.TOWN and not line.agencies)
        missing = [line.label for line in lines.values() if line.towns_missing]
    total = Line(region, region.full_name or region.name)
    for line in (own, *lines.values()):
        total.add(getattr(line, name) for name in COUNTED)
        total.counties_missing += line.counties_missing
        total.towns_missing += line.towns_missing
    target = _set_dates([total, own, *lines.values()])
    # A village need not have an agency: one without is nothing to wait for.
    shown = [
        line
        for line in (own, *lines.values())
        if line.is_there or not (line.is_own or line.region.level == Level.VILLAGE)
    ]
    return Progress(region, total, shown, missing[:NAMES_SHOWN], len(missing), target)


def _add_figures(region: Region, own: Line, lines: dict[int, Line], known: "Divisions") -> None:
    span, level = region.span, level_of(region.code)
    rows = Figures.objects.filter(region_code__range=(span.start, span.stop))
    counted: dict[int, int] = {}
    for code, towns, *numbers in rows.values_list("region_code", "towns_with_agency", *COUNTED):
        counted[code] = towns
        line = own if code == region.code else _line_of(code, level, lines)
        if line:
            line.add(numbers)
            if numbers[0] and code in known.counties:
                line.counties_missing -= 1
    for code in known.counties_in(span):
        line = _line_of(code, level, lines)
        if line:
            line.counties_missing += 1
            line.towns_missing += max(0, known.towns[code] - counted.get(code, 0))


def _line_of(code: int, level: int, lines: dict[int, Line]) -> Line | None:
    """The line that a county belongs to: of the next level, or, where that does not exist, of the one below."""
    return lines.get(above(code, level + 1)) or lines.get(above(code, min(level + 2, Level.COUNTY)))


def _missing_counties(region: Region, known: "Divisions") -> list[str]:
    """The names of the counties without any agency, from the division down."""
    start, stop = region.span
    rows = Figures.objects.filter(region_code__range=(start, stop), agencies__gt=0)
    there = set(rows.values_list("region_code", flat=True))
    names = [known.counties[code] for code in known.counties_in(region.span) if code not in there]
    return [name.removeprefix(region.full_name) for name in names]


def _add_inside(region: Region, own: Line, lines: dict[int, Line]) -> None:
    """The counts of a county by its towns, and by village where a town only stands for a level that does not exist."""
    start, stop = region.span
    with connection.cursor() as cursor:
        cursor.execute(BY_PLACE, {"start": start, "stop": stop})
        found = cursor.fetchall()
    for code, *numbers in found:
        line = lines.get(above(code, Level.TOWN)) or lines.get(code) or own
        line.add(int(number) for number in numbers)


@dataclass(frozen=True)
class Divisions:
    """The counties that there are, with their full names and how many townships each has."""

    counties: dict[int, str]
    towns: Counter[int]
    codes: list[int]

    def counties_in(self, span: Span) -> list[int]:
        return [code for code in self.codes if code in span]


def divisions() -> Divisions:
    """As they were loaded last; read once for a load, by the index of levels."""
    last = RegionLoad.objects.order_by("-at").values_list("digest", flat=True).first()
    return _divisions(last or "")


@lru_cache(maxsize=1)
def _divisions(digest: str) -> Divisions:
    rows = Region.objects.current().filter(level__in=(Level.CITY, Level.COUNTY)).order_by("code")
    places = [row for row in rows.values_list("code", "level", "name", "full_name") if not is_filler(row[2])]
    counties = {code: full for code, level, _, full in places if level == Level.COUNTY}
    towns: Counter[int] = Counter()
    for code, name in Region.objects.current().filter(level=Level.TOWN).values_list("code", "name"):
        if not is_filler(name):
            towns[figures_code(code)] += 1
    # 东莞市 and its like have no counties and do a county's work themselves.
    counties |= {code: full for code, level, _, full in places if level == Level.CITY and towns[code]}
    return Divisions(counties, towns, sorted(counties))


def _set_dates(lines: list[Line]) -> Target | None:
    """Give every line the dates that hold there: its own, or those of the nearest above; the first line's target."""
    codes = {line.region.code for line in lines}
    wanted = codes | {EVERYWHERE.start} | {one for code in codes for one in ancestors_of(code)}
    targets = Target.objects.filter(agency__region_id__in=wanted, agency__kind=Agency.Kind.SUPERVISION)
    # The last one set stays where several agencies of a division have set one.
    set_by = {one.agency.region_id: one for one in targets.select_related("agency", "set_by").order_by("set_at")}
    for line in lines:
        target = _nearest(line.region.code, set_by)
        if target:
            line.accounts_due_on, line.training_due_on = target.accounts_due_on, target.training_due_on
    return _nearest(lines[0].region.code, set_by)


def _nearest(code: int, targets: dict[int, Target]) -> Target | None:
    for one in (code, *reversed(ancestors_of(code)), EVERYWHERE.start):
        if one in targets:
            return targets[one]
    return None


def path_for(region: Region, areas: Iterable[Region]) -> list[Region]:
    """The divisions above that the person may open too, the highest first."""
    spans = [area.span for area in areas]
    above_it = [code for code in (EVERYWHERE.start, *ancestors_of(region.code)) if code != region.code]
    seen = [code for code in above_it if any(span.covers(span_of(code)) for span in spans)]
    return [one for one in Region.objects.filter(pk__in=seen).order_by("code") if not is_filler(one.name)]


def trainings_of(user: User, number: str | None) -> Page[Training]:
    """A page of the trainings that the person's agencies held, the newest first, each with how many took part."""
    held = Training.objects.visible_to(user)
    shown = held.select_related("agency").annotate(attended=Count("attendances")).order_by("-held_on", "-pk")
    return CappedPaginator(held, shown).get_page(number)


def attendees_of(training: Training, number: str | None) -> Page[Attendance]:
    """A page of who took part, by name."""
    rows = training.attendances.select_related("user__agency")
    return CappedPaginator(rows, rows.order_by("user__name", "pk")).get_page(number)
