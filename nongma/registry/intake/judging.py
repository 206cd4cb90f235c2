"""What a line of a load means here: its division, its products, its point, and whether the sheet has it twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from nongma.accounts.access import Scope
from nongma.catalogue.models import Product
from nongma.catalogue.naming import ProductNames
from nongma.lib.fields import digest_of
from nongma.lib.sheets.faults import Fault
from nongma.regions.names import Written
from nongma.regions.placing import OUTSIDE_AREA, Placer, far_points
from nongma.regions.queries import path_of
from nongma.regions.spans import EVERYWHERE
from nongma.registry.intake.sheet import LABELS, Line
from nongma.registry.intake.words import DOUBLED
from nongma.registry.models import COUNTY_WIDTH, IntakeRow, Operator

Outcome = IntakeRow.Outcome
PLACES = ("province", "city", "county", "town", "village")


@dataclass(slots=True)
class Judged:
    """A line with everything that is wrong with it, what its words stand for, and what would become of it."""

    line: Line
    faults: list[Fault]
    outcome: IntakeRow.Outcome = Outcome.NEW
    region_code: int = 0
    region_name: str = ""
    products: list[tuple[Product, str, Decimal | None]] = field(default_factory=list)
    industries: list[str] = field(default_factory=list)
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    operator: Operator | None = None

    @property
    def county(self) -> int:
        """The region code of the county divided by a county's width."""
        return self.region_code // COUNTY_WIDTH

    def keys(self) -> list[tuple[str, int]]:
        """What tells its operator apart, each as the column that tells it and a keyed hash of 8 bytes."""
        line = self.line
        parts = {"uscc": line.uscc, "id_number": line.id_number}
        if line.phone:
            parts["phone"] = f"{self.county}\x1f{line.name}\x1f{line.phone}"
        return [
            (name, int.from_bytes(digest_of(f"{name}\x1f{part}")[:8], "big")) for name, part in parts.items() if part
        ]


class Judge:
    """Judges the lines of one person's sheet, in their order; reads products once and divisions as they come up."""

    def __init__(self, scope: Scope) -> None:
        self._placer = Placer(scope.spans)
        self._products = ProductNames()
        self._seen = Seen()
        self._home: dict[str, str] = {}
        if len(scope.spans) == 1 and scope.spans[0] != EVERYWHERE:
            path = path_of(scope.spans[0].start)
            self._home = {PLACES[region.level - 1]: region.name for region in path}

    def judge(self, lines: Sequence[Line]) -> list[Judged]:
        """The lines judged; every line before these has been judged by this judge."""
        judged = [Judged(line, [Fault(*fault) for fault in line.faults]) for line in lines]
        written = [self._written(line) for line in lines]
        self._placer.prepare(written)
        for one, names in zip(judged, written, strict=True):
            self._place(one, names)
            self._name_products(one)
        _check_points(judged)
        for one in judged:
            if one.faults:
                one.outcome = Outcome.FAULTY
        self._seen.mark(judged)
        return judged

    def _written(self, line: Line) -> Written:
        """The names of the division; what is left out above them is the person's own place, level by level."""
        names = [getattr(line, level) or "" for level in PLACES]
        for number, level in enumerate(PLACES):
            own = self._home.get(level)
            if own and names[number] and names[number] != own:
                break
            names[number] = names[number] or own or ""
        province, city, county, town, village = names
        return province, city, county, town, village

    def _place(self, one: Judged, names: Written) -> None:
        told = {fault.field for fault in one.faults}
        if told & set(PLACES):
            return
        placed = self._placer.place(names, is_exact=True)
        one.faults += [
            Fault(*wrong, getattr(one.line, wrong.field) or "")
            for wrong in placed.faults
            if wrong.code == OUTSIDE_AREA or wrong.field not in told
        ]
        one.region_code, one.region_name = placed.code, placed.name
        if not names[3] and not names[4] and not placed.faults:
            one.faults.append(Fault("town", "missing", "没有填乡（镇、街道）"))

    def _name_products(self, one: Judged) -> None:
        """The products; the scale is that of the first, in a unit that it is counted in."""
        line = one.line
        one.industries = list(line.industries or [])
        for written in line.products or []:
            product = self._products.find(written)
            if product is None:
                one.faults.append(Fault("products", "unknown-product", self._products.unknown(written), written))
            elif all(product != known for known, _, _ in one.products):
                one.products.append((product, product.scale_units[0], None))
        if not line.industries:
            one.industries = list(dict.fromkeys(product.industry for product, _, _ in one.products))
        if not one.products:
            if line.scale and line.products == []:
                one.faults.append(Fault("products", "missing", "填了规模，要填是什么产品的规模"))
            return
        first, unit, _ = one.products[0]
        if line.unit and line.unit not in first.scale_units:
            message = f"{first.name}的规模单位是{first.scale_unit_names}"
            one.faults.append(Fault("unit", "unit-does-not-fit", message))
        elif line.scale:
            one.products[0] = (first, line.unit or unit, Decimal(line.scale))


def _check_points(judged: Sequence[Judged]) -> None:
    """Points outside the county that the line names; one pass over the chunk."""
    located = [one for one in judged if one.line.longitude and one.line.latitude]
    for one in located:
        one.longitude, one.latitude = Decimal(one.line.longitude or 0), Decimal(one.line.latitude or 0)
    placed = [one for one in located if one.region_code]
    if not placed:
        return
    far = far_points(
        [one.region_code for one in placed],
        np.array([one.longitude for one in placed], np.float64),
        np.array([one.latitude for one in placed], np.float64),
    )
    for one, message in zip(placed, far, strict=True):
        if message:
            one.faults.append(Fault("longitude", "outside-county", message, f"{one.longitude},{one.latitude}"))


class Seen:
    """The keys of the sound lines so far and their rows, 12 bytes each: a whole sheet stays within megabytes."""

    def __init__(self) -> None:
        self._keys: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._rows: npt.NDArray[np.int32] = np.empty(0, np.int32)

    def mark(self, judged: Sequence[Judged]) -> None:
        """Mark the sound lines whose operator an earlier line has; the first of them counts."""
        sound = [(one, one.keys()) for one in judged if one.outcome != Outcome.FAULTY]
        earlier = self._earlier([key for _, keys in sound for _, key in keys])
        fresh: dict[int, int] = {}
        for one, keys in sound:
            before = [(name, earlier.get(key) or fresh.get(key, 0)) for name, key in keys]
            doubled = [(name, row) for name, row in before if row]
            if doubled:
                name, row = doubled[0]
                same = "县、名称和手机" if name == "phone" else LABELS[name]
                message = f"和第 {row} 行是同一个主体（{same}相同），只按第 {row} 行登记"
                one.faults.append(Fault(name, DOUBLED, message))
                one.outcome = Outcome.DOUBLED
            else:
                fresh |= {key: one.line.row for _, key in keys}
        self._add(fresh)

    def _earlier(self, keys: Sequence[int]) -> dict[int, int]:
        if not len(self._keys) or not keys:
            return {}
        wanted = np.array(keys, np.uint64)
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        hits = np.flatnonzero(self._keys[places] == wanted)
        return {keys[hit]: int(self._rows[places[hit]]) for hit in hits.tolist()}

    def _add(self, fresh: dict[int, int]) -> None:
        keys = np.array(sorted(fresh), np.uint64)
        rows = np.array([fresh[key] for key in sorted(fresh)], np.int32)
        places = np.searchsorted(self._keys, keys)
        self._keys, self._rows = np.insert(self._keys, places, keys), np.insert(self._rows, places, rows)
