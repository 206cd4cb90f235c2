"""Labels in ZPL, the language of label printers: the form as a picture, the symbol drawn by the printer itself.

Few printers carry a Chinese font, so everything but the symbol goes over as pixels (`^GFA`), in ZPL's own
run-length form, which printers that only imitate ZPL know as well.
"""

import re
import struct
import zlib

import numpy as np

from nongma.certificates.labels.content import Label
from nongma.certificates.labels.layout import Size
from nongma.certificates.labels.printing import png
from nongma.lib import qr

DOTS_PER_INCH = (203, 300)
DARK = 140
REPEATS = [(400 - 20 * step, chr(ord("z") - step)) for step in range(20)] + [
    (19 - step, chr(ord("Y") - step)) for step in range(19)
]
RUN = re.compile(r"(.)\1*")


def zpl(label: Label, size: Size, *, copies: int = 1, dots_per_inch: int = 203) -> str:
    """One label, `copies` times."""
    dots = dots_per_inch / 25.4
    pixels = _pixels(png(label, size, dots_per_inch=dots_per_inch))
    module = max(1, int(size.qr * dots) // (label.symbol.size + 2 * qr.QUIET_ZONE))
    drawn = module * label.symbol.size
    caption = round(size.text * 0.92 * dots_per_inch / 72)
    left = round((size.width - size.margin) * dots) - (round(size.qr * dots) + drawn) // 2
    top = round((size.height - size.margin) * dots) - caption - (round(size.qr * dots) + drawn) // 2
    return "\n".join(
        [
            "^XA",
            "^CI28",
            f"^PW{round(size.width * dots)}",
            f"^LL{round(size.height * dots)}",
            "^LH0,0",
            f"^FO0,0{_graphic(pixels)}^FS",
            f"^FO{left},{top}^BQN,2,{module}^FDMA,{label.url}^FS",
            f"^PQ{copies}",
            "^XZ",
            "",
        ]
    )


def _graphic(pixels: np.ndarray) -> str:
    """The picture as a `^GFA` field."""
    rows = np.packbits(pixels, axis=1)
    height, width = rows.shape
    lines = []
    before = None
    for row in rows:
        line = row.tobytes().hex().upper()
        lines.append(":" if line == before else _shortened(line))
        before = line
    return f"^GFA,{height * width},{height * width},{width},{''.join(lines)}"


def _shortened(line: str) -> str:
    """A row of hexadecimal digits with runs as letters: `,` fills it with zeros, `!` with ones."""
    text = line.rstrip("0")
    end = "," if len(text) < len(line) else ""
    if not end and (stripped := line.rstrip("F")) != line:
        text, end = stripped, "!"
    return "".join(_repeated(run.group(1), len(run.group(0))) for run in RUN.finditer(text)) + end


def _repeated(digit: str, count: int) -> str:
    parts = []
    while count > 2:
        step, letter = next(item for item in REPEATS if item[0] <= count)
        parts.append(letter)
        count -= step
        if count == 0 or step < 20:
            return "".join(parts) + digit + digit * count
    return "".join(parts) + (digit * count if not parts else _tail(digit, count))


def _tail(digit: str, count: int) -> str:
    """What follows the letters of twenties: the rest of the count, then the digit."""
    return (chr(ord("F") + count) if count else "") + digit


def _pixels(picture: bytes) -> np.ndarray:
    """The dark pixels of a PNG of 8-bit RGBA, which is what Typst makes."""
    chunks: dict[bytes, bytes] = {}
    position = 8
    while position < len(picture):
        (length,) = struct.unpack_from(">I", picture, position)
        kind = picture[position + 4 : position + 8]
        chunks[kind] = chunks.get(kind, b"") + picture[position + 8 : position + 8 + length]
        position += length + 12
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    channels = {2: 3, 6: 4}[colour]
    if depth != 8:
        raise ValueError("not a PNG of 8 bits a channel")
    raw = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    colours = _unfiltered(raw, channels).reshape(height, width, channels)[:, :, :3]
    dark: np.ndarray = colours.mean(axis=2) < DARK
    return dark


def _unfiltered(raw: np.ndarray, channels: int) -> np.ndarray:
    """Undo the row filters of PNG (ISO/IEC 15948, 9.2)."""
    lines = np.zeros((len(raw), raw.shape[1] - 1), np.uint8)
    above = np.zeros(raw.shape[1] - 1, np.uint8)
    for line, row in zip(lines, raw, strict=True):
        kind, data = row[0], row[1:]
        if kind == 0:
            line[:] = data
        elif kind == 1:
            pixels = data.reshape(-1, channels)
            line[:] = np.cumsum(pixels, axis=0, dtype=np.uint8).reshape(-1)
        elif kind == 2:
            line[:] = data + above
        else:
            _predicted(line, data, above, channels, int(kind))
        above = line
    return lines


def _predicted(line: np.ndarray, data: np.ndarray, above: np.ndarray, channels: int, kind: int) -> None:
    """Rows whose pixels depend on their left neighbours: average (3) and Paeth (4)."""
    for index, value in enumerate(data.tolist()):
        left = int(line[index - channels]) if index >= channels else 0
        over = int(above[index])
        corner = int(above[index - channels]) if index >= channels else 0
        if kind == 3:
            guess = (left + over) // 2
        else:
            guess = min((left, over, corner), key=lambda near: abs(left + over - corner - near))
        line[index] = (value + guess) & 0xFF
