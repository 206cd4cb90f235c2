"""A region is a range of 12-digit division codes: province 2 digits, city 2, county 2, town 3, village 3."""

from typing import NamedTuple

WIDTHS = (10**12, 10**10, 10**8, 10**6, 10**3, 1)


class Span(NamedTuple):
    """An inclusive range of division codes."""

    start: int
    stop: int

    def __contains__(self, code: object) -> bool:
        return isinstance(code, int) and self.start <= code <= self.stop

    def covers(self, other: "Span") -> bool:
        """Whether the other span lies wholly inside this one."""
        return self.start <= other.start and other.stop <= self.stop


EVERYWHERE = Span(0, 10**12 - 1)
NOWHERE = Span(1, 0)


def level_of(code: int) -> int:
    """The level that a division code is written for: 0 country … 5 village."""
    for level, width in enumerate(WIDTHS):
        if code % width == 0:
            return level
    return 5


def span_of(code: int) -> Span:
    """The codes inside a division: `span_of(330000000000)` is 330000000000…339999999999."""
    return Span(code, code + WIDTHS[level_of(code)] - 1)


def above(code: int, level: int) -> int:
    """The code of the division of a level (1 province … 5 village) that a code lies in."""
    return code - code % WIDTHS[level]


def ancestors_of(code: int) -> list[int]:
    """The codes above a division, province first, the country left out.

    A town of 东莞, which has no counties, has two: the province and the city.
    """
    return list(dict.fromkeys(above(code, level) for level in range(1, level_of(code))))
