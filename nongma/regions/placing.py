"""Where a line of an uploaded sheet lies: its written names, somebody's area, and its point in the county."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy.typing as npt

from nongma.regions.boundaries import TOLERANCE_METRES, outside_counties
from nongma.regions.names import Gazetteer, Written
from nongma.regions.spans import Span, above, span_of

OUTSIDE_AREA = "outside-area"


class Misplaced(NamedTuple):
    """What is wrong with one of the names: province, city, county, town or village."""

    field: str
    code: str
    message: str


class Placed(NamedTuple):
    """The division that a line's names stand for, as far as they could be followed (the county, where the town is at
    fault; 0 when not even that), and what is wrong with them.
    """

    code: int = 0
    name: str = ""
    faults: tuple[Misplaced, ...] = ()


class Placer:
    """Places the lines of one person's sheet; reads divisions as they come up."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._gazetteer = Gazetteer()
        self._spans = spans

    def prepare(self, written: Iterable[Written]) -> None:
        """Read every county that the names speak of, in one query."""
        self._gazetteer.prepare(written)

    def place(self, written: Written, *, is_exact: bool = False) -> Placed:
        """Where the names lie; a village that is not on file stands for its town, unless `is_exact`."""
        follow = self._gazetteer.stand if is_exact else self._gazetteer.resolve
        found = follow(*written)
        faults = [Misplaced(found.field, found.fault, found.message)] if found.fault else []
        if found.code and not found.fault:
            code, name = found.code, found.full_name
        elif county := self._gazetteer.county(*written[:3]):
            # The town is at fault; the county is known, so that the area and the point can still be judged.
            code, name = county.code, county.full_name
        else:
            return Placed(faults=tuple(faults))
        if not any(code in span for span in self._spans):
            faults += self._outside(code, name)
        return Placed(code, name, tuple(faults))

    def _outside(self, code: int, name: str) -> list[Misplaced]:
        """The division lies outside every area of the person; a county with a wrong town may still hold the area."""
        county = span_of(above(code, 3))
        overlaps = any(county.covers(span) for span in self._spans)
        if overlaps and code == county.start:
            return []
        return [Misplaced("town" if overlaps else "county", OUTSIDE_AREA, f"{name}不在您的管辖范围内，不能导入")]


def far_points(codes: npt.ArrayLike, longitudes: npt.ArrayLike, latitudes: npt.ArrayLike) -> list[str]:
    """For each point what is wrong with it, empty when it lies in the county of its code or within the tolerance."""
    outside = outside_counties(codes, longitudes, latitudes)
    return [_far(metres) if metres > TOLERANCE_METRES else "" for metres in outside.tolist()]


def _far(metres: float) -> str:
    return f"点位不在所填的县（市、区）内，差 {metres / 1000:,.1f} 公里，请核对地址或重新定位"
