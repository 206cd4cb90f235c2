"""QR symbols as rows of bits: made one by one, or by the thousand for the codes of one site.

A QR symbol of a fixed version, level and mask is an affine map over GF(2) of the bits of its text: the data bits are
placed as they are, the Reed-Solomon bits are linear in them, and the mask is a constant. So the symbol of any code is
the symbol of `000…0` with one known pattern laid over it (XOR) for each digit, which is a thousand times faster than
encoding it again. Digits are 0x30 to 0x39 in ASCII, so each is four bits away from `0`.
"""

import functools
import re
from dataclasses import dataclass
from typing import Literal

import segno

Level = Literal["l", "m", "q", "h"]
QUIET_ZONE = 4
RUN = re.compile("0*1+")


@dataclass(frozen=True)
class Symbol:
    """A QR symbol: `size` modules a side, all rows in one integer, the top left module in the highest bit."""

    size: int
    bits: int

    @property
    def rows(self) -> list[str]:
        """The rows from the top, a `1` for each dark module."""
        text = f"{self.bits:0{self.size * self.size}b}"
        return [text[start : start + self.size] for start in range(0, len(text), self.size)]


def symbol(text: str, *, level: Level = "m") -> Symbol:
    """The smallest symbol that holds the text."""
    return _symbol(segno.make_qr(text, error=level, boost_error=False))


class CodePrinter:
    """Symbols of `prefix` + code for codes of a fixed number of digits."""

    def __init__(self, prefix: str, digits: int, level: Level) -> None:
        zero = segno.make_qr(prefix + "0" * digits, error=level, boost_error=False, mode="byte")
        base = _symbol(zero)
        self.size = base.size
        self._base = base.bits
        self._digits = digits

        def drawn(text: str) -> int:
            same = segno.make_qr(
                text, error=level, boost_error=False, mode="byte", version=zero.version, mask=zero.mask
            )
            return _symbol(same).bits

        self._patterns: list[list[int]] = []
        for place in range(digits):
            one, two, four, eight = (
                drawn(f"{prefix}{'0' * place}{bit}{'0' * (digits - place - 1)}") ^ self._base for bit in "1248"
            )
            self._patterns.append(
                [
                    (digit & 1) * one ^ (digit >> 1 & 1) * two ^ (digit >> 2 & 1) * four ^ (digit >> 3) * eight
                    for digit in range(10)
                ]
            )

    def symbol(self, code: str) -> Symbol:
        """The symbol of one code."""
        if len(code) != self._digits or not code.isascii() or not code.isdigit():
            raise ValueError(f"{code!r} is not a code of {self._digits} digits")
        bits = self._base
        for pattern, digit in zip(self._patterns, code, strict=True):
            bits ^= pattern[int(digit)]
        return Symbol(self.size, bits)


@functools.lru_cache(maxsize=8)
def code_printer(prefix: str, *, digits: int = 20, level: Level = "m") -> CodePrinter:
    """The printer for a site's codes, kept: making one costs a tenth of a second."""
    return CodePrinter(prefix, digits, level)


class _Steps(dict[str, str]):
    """From light modules followed by dark ones (`0011`) to the pen's step: move over the light, draw the dark."""

    def __missing__(self, run: str) -> str:
        light = run.count("0")
        step = self[run] = f"m{light} 0h{len(run) - light}"
        return step


_STEPS = _Steps()


def svg_path(drawn: Symbol, *, quiet_zone: int = QUIET_ZONE) -> str:
    """The `d` of an SVG path to be stroked 1 wide, in modules, moved in by the quiet zone."""
    return "".join(
        f"M{quiet_zone} {y}.5{''.join(map(_STEPS.__getitem__, RUN.findall(row)))}"
        for y, row in enumerate(drawn.rows, quiet_zone)
    )


def svg(drawn: Symbol, *, quiet_zone: int = QUIET_ZONE) -> str:
    """The symbol as an SVG image, black on white, that scales without loss."""
    side = drawn.size + 2 * quiet_zone
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path stroke="#000" d="{svg_path(drawn, quiet_zone=quiet_zone)}"/></svg>'
    )


def _symbol(made: segno.QRCode) -> Symbol:
    rows = made.matrix
    return Symbol(len(rows), int("".join("1" if module else "0" for row in rows for module in row), 2))
