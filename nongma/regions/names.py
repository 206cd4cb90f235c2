"""From written names to a division: what people put into 省、市、县、乡（镇）、村 of a form.

Sources of the omissions that are tolerated: the official form (附件1) and sheets filled in by counties. Nothing is
guessed: a name that fits two divisions is a fault, and so is one that fits none.
"""

import contextlib
import difflib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import connection

from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS, above, level_of
from nongma.regions.wording import fold, is_filler, short_forms, village_base, village_form

Written = tuple[str, str, str, str, str]

COUNTIES_KEPT = 400
ANSWERS_KEPT = 200_000
NEAR_NAMES = 3
NEAR_ENOUGH = 0.5

MISSING = "missing"
UNKNOWN = "unknown-division"
AMBIGUOUS = "ambiguous-division"

# What the column of the city holds for a county that belongs to the province itself.
_SPLIT_BY_PROVINCE = re.compile(r"^(省|自治区)?直辖(县|县级|县级行政区划|县级行政单位)?$")


class Resolved(NamedTuple):
    """The division that written names stand for, as deep as they could be followed.

    `code` is a village or a town when there is no fault; `exact` is False when a village was written that the list
    does not have, so that the town stands for it. With a fault, `field` (province, city, county, town, village) says
    which name is wrong, `fault` how (missing, unknown-division, ambiguous-division), and `message` tells the person.
    """

    code: int | None = None
    level: int = 0
    full_name: str = ""
    exact: bool = True
    field: str = ""
    fault: str = ""
    message: str = ""
    near: tuple[str, ...] = ()

    @property
    def county(self) -> int | None:
        """The county (or, where there is none, the city) that the division lies in, once it is known."""
        return above(self.code, 3) if self.code is not None and self.level >= Region.Level.COUNTY else None


class Place(NamedTuple):
    """What the gazetteer keeps of a written name: the code and full name that it has today."""

    code: int
    level: int
    name: str
    full_name: str
    current: bool


class _Fault(Exception):
    """A written name that can't be followed."""

    def __init__(self, field: str, fault: str, message: str, near: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.resolved = Resolved(field=field, fault=fault, message=message, near=tuple(near))


class _Index:
    """Places of one level, by every form of their names. An official name wins over a short form."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places: list[Place] = []
        self._official: dict[str, list[Place]] = {}
        self._short: dict[str, list[Place]] = {}
        for place in places:
            name = fold(place.name)
            self._official.setdefault(name, []).append(place)
            for form in short_forms(name):
                self._short.setdefault(form, []).append(place)
            if place.current:
                self.places.append(place)

    def find(self, text: str) -> list[Place]:
        """The places that the folded text may mean: none, one, or several."""
        return _once(self._official.get(text) or self._short.get(text) or ())

    def heads(self, text: str) -> Iterator[tuple[Place, str]]:
        """Each place whose name the text begins with, and the rest of the text; longest name first."""
        for length in range(len(text) - 1, 1, -1):
            for place in self.find(text[:length]):
                yield place, text[length:]


class _Villages:
    """The villages of one town, by full name, by name without the committee's title, and by bare name."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = list(places)
        self._by_form: tuple[dict[str, list[Place]], ...] = ({}, {}, {})
        for place in self.places:
            for known, form in zip(self._by_form, _village_forms(fold(place.name)), strict=True):
                known.setdefault(form, []).append(place)

    def find(self, text: str) -> list[Place]:
        """The villages that the folded text may mean, by the most precise form that has any."""
        for known, form in zip(self._by_form, _village_forms(text), strict=True):
            if form in known:
                return _once(known[form])
        return []


class _County:
    """The towns and villages of one county."""

    def __init__(self, places: Iterable[Place]) -> None:
        rows = list(places)
        self.towns = _Index(place for place in rows if place.level == Region.Level.TOWN)
        self._rows: dict[int, list[Place]] = {}
        for place in rows:
            if place.level == Region.Level.VILLAGE:
                self._rows.setdefault(above(place.code, 4), []).append(place)
        self._villages: dict[int, _Villages] = {}

    def villages(self, town: int) -> _Villages:
        """The villages of a town."""
        known = self._villages.get(town)
        if known is None:
            known = self._villages[town] = _Villages(self._rows.get(town, ()))
        return known

    def anywhere(self, text: str) -> list[Place]:
        """The villages of the whole county that the folded text may mean, when the town was left out."""
        return [place for town in self._rows for place in self.villages(town).find(text)] if text else []


class Gazetteer:
    """All names down to the county, and those below for the counties that were asked for lately.

    Made once for an import or a form: it holds what the divisions were at that time.
    """

    def __init__(self) -> None:
        rows = _read("regions_region AS region", "region.level BETWEEN 1 AND 3")
        self._places = {place.code: place for place in rows if place.current}
        self._provinces = _Index(place for place in rows if place.level == 1)
        # By the code of a province or a city.
        self._cities: dict[int, _Index] = {}
        self._counties: dict[int, _Index] = {}
        cities, counties = ([place for place in rows if place.level == level] for level in (2, 3))
        for province in self._provinces.places:
            inside = [place for place in cities if above(place.code, 1) == province.code]
            self._cities[province.code] = _Index(place for place in inside if not is_filler(place.name))
            own = [place for place in counties if above(place.code, 1) == province.code]
            for city in inside:
                below = [place for place in own if above(place.code, 2) == city.code]
                # 东莞, 中山 and 儋州 have no counties: the city stands where a county would.
                self._counties[city.code] = _Index(below or [city])
                own += [] if below else [city]
            self._counties[province.code] = _Index(own)
        self._below: dict[int, _County] = {}
        self._answers: dict[Written, Resolved] = {}

    def resolve(self, province: str, city: str, county: str, town: str, village: str = "") -> Resolved:
        """The division that the written names stand for, or the first name that is at fault."""
        written = (province, city, county, town, village)
        known = self._answers.get(written)
        if known is None:
            if len(self._answers) >= ANSWERS_KEPT:
                self._answers.clear()
            known = self._answers[written] = self._follow(written)
        return known

    def county(self, province: str, city: str, county: str) -> Place | None:
        """The county that the written names stand for, whatever is written below it; None when one is at fault."""
        with contextlib.suppress(_Fault):
            return self._county(fold(province), fold(city), fold(county))[0]
        return None

    def stand(self, province: str, city: str, county: str, town: str = "", village: str = "") -> Resolved:
        """The division that the names stand for as far down as they are written: a province, a city … a village.

        A village that is not on file is a fault.
        """
        if town or village:
            return _known(self.resolve(province, city, county, town, village))
        try:
            if county:
                place, misplaced_town = self._county(fold(province), fold(city), fold(county))
                return _known(self.resolve(province, city, county, "")) if misplaced_town else _answer(place)
            return _answer(self._upper(fold(province), fold(city)))
        except _Fault as fault:
            return fault.resolved

    def _upper(self, province: str, city: str) -> Place:
        """A province, or a city; a county of the province itself (省直辖县) may be written as a city."""
        found = self._provinces.find(province)
        if not city and len(found) == 1:
            return found[0]
        if len(found) == 1:
            named = self._cities[found[0].code].find(city) or self._cities[found[0].code].find(_without(city, found[0]))
            if len(named) == 1:
                return named[0]
        return self._county(province, city, "")[0]

    def resolve_many(self, rows: Iterable[Written]) -> list[Resolved]:
        """`resolve` for each row, with one query for all counties that are not in memory yet."""
        written = list(rows)
        self.prepare(written)
        return [self.resolve(*names) for names in written]

    def prepare(self, rows: Iterable[Written]) -> None:
        """Read the towns and villages of every county that the rows name, in one query."""
        wanted = set()
        for province, city, county in {names[:3] for names in rows if names not in self._answers}:
            with contextlib.suppress(_Fault):
                wanted.add(self._county(fold(province), fold(city), fold(county))[0].code)
        self._read_counties(wanted - self._below.keys())

    def _follow(self, written: Written) -> Resolved:
        province, city, county, town, village = (fold(text) for text in written)
        try:
            place, misplaced_town = self._county(province, city, county)
            if place.code not in self._below:
                self._read_counties({place.code})
            if misplaced_town:
                town, village = self._town_of_a_city(place, misplaced_town, town, village)
            return self._inside(place, town, village)
        except _Fault as fault:
            return fault.resolved

    # 省、市、县

    def _county(self, province: str, city: str, county: str) -> tuple[Place, str]:
        """The county, and what was written in its column if that may be a town of a city without counties."""
        if not province:
            raise _Fault("province", MISSING, "没有填省（自治区、直辖市）")
        found = self._provinces.find(province)
        if len(found) != 1:
            raise _unknown("province", province, "全国", "省（自治区、直辖市）", self._provinces.places)
        state = found[0]
        where = self._city(state, city, county)
        choices = self._counties[where.code]
        alone = choices.places[0] if len(choices.places) == 1 else None
        if not county:
            # A 县级市 is often written into the column of the city, and 东莞 has no county to write.
            named = [alone] if alone else self._counties[state.code].find(city)
            if len(named) == 1:
                return named[0], ""
            raise _Fault("county", MISSING, "没有填县（市、区）")
        found = choices.find(county) or self._after_city(state, where, county)
        if len(found) == 1:
            return found[0], ""
        if alone and alone == where:
            return where, county
        if found:
            names = [place.full_name for place in found]
            message = f"{where.full_name}有几个“{county}”，请填市（州、盟）：{'、'.join(names)}"
            raise _Fault("county", AMBIGUOUS, message, names)
        elsewhere = [place.full_name for place in self._counties[state.code].find(county)]
        if elsewhere:
            message = f"“{county}”不属于{where.full_name}，它是{'、'.join(elsewhere)}"
            raise _Fault("county", UNKNOWN, message, elsewhere)
        raise _unknown("county", county, where.full_name, "县（市、区）", choices.places)

    def _city(self, state: Place, city: str, county: str) -> Place:
        """The city that is written, or the province when its column holds none of the province's cities."""
        if not city:
            return state
        cities = self._cities[state.code]
        found = cities.find(city) or cities.find(_without(city, state))
        if len(found) == 1:
            return found[0]
        if _SPLIT_BY_PROVINCE.match(city):
            return state
        if not cities.places and (is_filler(city) or self._provinces.find(city) == [state]):
            return state
        # A county of the province itself (or a 县级市) in the column of the city, repeated in its own or not.
        counties = self._counties[state.code]
        if len(counties.find(city)) == 1 and (not county or counties.find(county) == counties.find(city)):
            return state
        raise _unknown("city", city, state.full_name, "市（州、盟）", cities.places)

    def _after_city(self, state: Place, where: Place, county: str) -> list[Place]:
        """A county with its province or city written before it: 三亚市崖州区."""
        county = _without(county, state)
        found = self._counties[where.code].find(county)
        if found:
            return found
        for city, rest in self._cities[state.code].heads(county):
            if where in (city, state):
                found = self._counties[city.code].find(rest)
                if found:
                    return found
        return []

    def _town_of_a_city(self, city: Place, misplaced: str, town: str, village: str) -> tuple[str, str]:
        """东莞 and its like have no counties, so people write the town into the column of the county."""
        towns = self._below[city.code].towns
        if not towns.find(misplaced):
            raise _unknown("county", misplaced, city.full_name, "县（市、区）", towns.places)
        if not town or towns.find(town):
            return town or misplaced, village
        return misplaced, village or town

    # 乡（镇）、村

    def _inside(self, county: Place, town: str, village: str) -> Resolved:
        below = self._below[county.code]
        if not below.towns.places:
            return _answer(county, exact=not town and not village)
        if not town:
            found = below.anywhere(village)
            if len(found) == 1:
                return _answer(found[0])
            if village and not found and all(is_filler(place.name) for place in below.towns.places):
                villages = [place for town in below.towns.places for place in below.villages(town.code).places]
                raise _unknown("village", village, county.full_name, "村（社区）", villages)
            raise _Fault("town", MISSING, "没有填乡（镇、街道）")
        for text in (town, self._without_path(county, town)):
            found = below.towns.find(text)
            if len(found) == 1:
                return self._village(below, found[0], village)
            if found:
                names = [place.name for place in found]
                message = f"{county.full_name}有几个“{text}”，请写全称：{'、'.join(names)}"
                raise _Fault("town", AMBIGUOUS, message, names)
            answer = self._with_village(below, text, village)
            if answer is not None:
                return answer
        found = below.anywhere(self._without_path(county, town))
        if len(found) == 1:
            return _answer(found[0])
        if found:
            names = [place.full_name for place in found[:NEAR_NAMES]]
            message = f"{county.full_name}有几个“{town}”，请写明乡（镇、街道）：{'、'.join(names)}"
            raise _Fault("town", AMBIGUOUS, message, names)
        fillers = [place for place in below.towns.places if is_filler(place.name)]
        if village and fillers and town == fold(county.name):
            return self._village(below, fillers[0], village)
        raise _unknown("town", town, county.full_name, "乡（镇、街道）", below.towns.places)

    def _with_village(self, below: _County, town: str, village: str) -> Resolved | None:
        """A village written behind its town in the town's column: 仙渡乡南源村委会."""
        heads = list(below.towns.heads(town))
        for place, rest in heads:
            found = below.villages(place.code).find(rest)
            if len(found) == 1:
                return _answer(found[0])
        for place, rest in heads:
            # 太平洋街道 is not 太平镇: what leads must end like a town's name, or be the whole official one.
            head = town.removesuffix(rest)
            if head == fold(place.name) or head[-1] in "乡镇道":
                return self._village(below, place, village or rest)
        return None

    def _village(self, below: _County, town: Place, village: str) -> Resolved:
        if not village:
            return _answer(town)
        villages = below.villages(town.code)
        found = villages.find(village) or villages.find(village.removeprefix(fold(town.name)))
        if len(found) == 1:
            return _answer(found[0])
        near = _near(village, villages.places)
        message = f"{town.full_name}没有“{village}”这个村（社区），先记到乡（镇、街道）{_hint(near)}"
        return _answer(town, exact=False)._replace(message=message, near=near)

    def _without_path(self, county: Place, town: str) -> str:
        """The town without the names of province, city and county written before it."""
        for code in dict.fromkeys(above(county.code, level) for level in (1, 2, 3)):
            town = _without(town, self._places[code])
        return town

    def _read_counties(self, counties: Iterable[int]) -> None:
        wanted = sorted(counties)
        if not wanted:
            return
        rows: dict[int, list[Place]] = {county: [] for county in wanted}
        source = (
            "unnest(%s::bigint[]) AS county JOIN regions_region AS region ON region.code BETWEEN county AND county + %s"
        )
        for place in _read(source, "region.level > 3", wanted, WIDTHS[3] - 1):
            rows.setdefault(above(place.code, 3), []).append(place)
        self._below.update((county, _County(places)) for county, places in rows.items())
        surplus = len(self._below) - max(COUNTIES_KEPT, len(wanted))
        for county in list(itertools.islice(self._below, max(0, surplus))):
            del self._below[county]


def _read(source: str, condition: str, *parameters: list[int] | int) -> list[Place]:
    """Divisions of today, and closed ones under their old name with the code that stands for them now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(now.code, region.code), region.level, region.name,"  # noqa: S608 (our own words)
            f" COALESCE(now.full_name, region.full_name), region.valid_to IS NULL FROM {source}"
            " LEFT JOIN regions_region AS now ON now.code = region.replaced_by"
            f" WHERE {condition} AND (region.valid_to IS NULL OR now.code IS NOT NULL) ORDER BY region.code",
            list(parameters),
        )
        return [Place(*row) for row in cursor.fetchall()]


def _once(places: Iterable[Place]) -> list[Place]:
    return list({place.code: place for place in places}.values())


def _village_forms(text: str) -> tuple[str, str, str]:
    return text, village_form(text), village_base(text)


def _without(text: str, place: Place) -> str:
    """The text without the place's name before it; the whole text when nothing would be left."""
    return text.removeprefix(fold(place.name)) or text


def _known(found: Resolved) -> Resolved:
    """As it was found, but what could only be followed to the town is a fault of the village."""
    if found.fault or found.exact:
        return found
    message = found.message.replace("，先记到乡（镇、街道）", "") or "没有找到这个村（社区）"
    return Resolved(field="village", fault=UNKNOWN, message=message, near=found.near)


def _answer(place: Place, *, exact: bool = True) -> Resolved:
    return Resolved(code=place.code, level=level_of(place.code), full_name=place.full_name, exact=exact)


def _unknown(field: str, text: str, where: str, label: str, places: list[Place]) -> _Fault:
    near = _near(text, places)
    return _Fault(field, UNKNOWN, f"{where}没有“{text}”这个{label}{_hint(near)}", near)


def _near(text: str, places: Iterable[Place]) -> tuple[str, ...]:
    names = list(dict.fromkeys(place.name for place in places))
    if len(names) <= NEAR_NAMES:
        return tuple(names)
    return tuple(difflib.get_close_matches(text, names, NEAR_NAMES, NEAR_ENOUGH))


def _hint(near: tuple[str, ...]) -> str:
    return f"，是不是{'、'.join(f'“{name}”' for name in near)}？" if near else ""
