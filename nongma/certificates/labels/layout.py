"""The sizes of label that are sold, and where things go on them. All lengths in millimetres, text in points."""

import functools
import unicodedata
from dataclasses import dataclass

from nongma.lib.refused import Refused

POINT = 25.4 / 72
LEADING = 1.28
SMALLEST_TEXT = 3.6
STEP = 0.2


@dataclass(frozen=True)
class Size:
    """A size of label; `text` is its usual text, `per_sheet` how many columns and rows of it fit an A4 sheet."""

    name: str
    width: float
    height: float
    margin: float
    text: float
    title: float
    qr: float
    per_sheet: tuple[int, int]

    @property
    def inner_width(self) -> float:
        return self.width - 2 * self.margin

    @property
    def inner_height(self) -> float:
        return self.height - 2 * self.margin

    @property
    def gap(self) -> float:
        """Between the facts and the symbol."""
        return self.margin * 0.6

    def facts_width(self, symbols: int) -> float:
        """What is left beside so many symbols."""
        return self.inner_width - symbols * (self.qr + self.gap)


SIZES = {
    size.name: size
    for size in (
        Size("60x40", 60, 40, margin=1.6, text=5.2, title=9.0, qr=17.6, per_sheet=(3, 7)),
        Size("70x50", 70, 50, margin=2.0, text=6.2, title=11.0, qr=21.0, per_sheet=(2, 5)),
        Size("100x70", 100, 70, margin=2.6, text=8.4, title=15.0, qr=30.0, per_sheet=(2, 4)),
    )
}
DEFAULT_SIZE = "70x50"


def size_named(name: str) -> Size:
    """The size of that name. Refuses `size_unknown`."""
    if name not in SIZES:
        raise Refused("size_unknown", f"标签尺寸只有 {'、'.join(SIZES)} 毫米", field="size")
    return SIZES[name]


def fitted_text(size: Size, *, wide: list[str], narrow: list[str], symbols: int) -> float:
    """The largest text at which everything fits: `wide` runs over the label, `narrow` stands beside the symbols."""
    text = size.text
    while text > SMALLEST_TEXT and not _fits(size, text, wide, narrow, symbols):
        text = round(text - STEP, 2)
    return text


def _fits(size: Size, text: float, wide: list[str], narrow: list[str], symbols: int) -> bool:
    line = text * POINT * LEADING
    over = size.title * POINT * 1.5 + line * sum(_lines(each, text, size.inner_width) for each in wide)
    beside = line * sum(_lines(each, text, size.facts_width(symbols)) for each in narrow)
    caption = line if symbols else 0
    return over + max(beside, symbols and size.qr + caption) <= size.inner_height


def _lines(written: str, text: float, width: float) -> int:
    """How many lines a run of text takes."""
    return max(1, -int(-_ems(written) // (width / (text * POINT) - 0.6)))


@functools.lru_cache(maxsize=4096)
def _ems(written: str) -> float:
    """How wide a text is: a Chinese character is as wide as the text is high, a Latin one about half."""
    return sum(1.0 if unicodedata.east_asian_width(character) in "WFA" else 0.58 for character in written)
