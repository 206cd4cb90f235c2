"""The printed form of a serial (码): 20 decimal digits that nobody without the key can make up or put in order.

One digit names the key, 19 are FF1 over the serial's 12 digits and seven zeros. A made-up code decrypts to something
else than seven zeros but for one in ten million, so that it is refused without a look at the database.
"""

import functools
import os
from collections.abc import Iterator

import numpy as np
from django.conf import settings

from nongma.lib import keys
from nongma.lib.ff1 import FF1Digits19, Words

LENGTH = 20
SERIAL_LIMIT = 10**12
REDUNDANCY = 10**7
KEY_BYTES = 16
KEY_VERSIONS = range(1, 10)
CHUNK = 16_384

_PAIRS = np.frombuffer(b"".join(b"%02d" % number for number in range(100)), dtype="<u2")
_QUADS = np.frombuffer(b"".join(b"%04d" % number for number in range(10_000)), dtype="<u4")


def encode(serial: int) -> str:
    """The code that is printed for a serial, under the newest key."""
    if not 0 <= serial < SERIAL_LIMIT:
        raise ValueError(f"serial {serial} is outside 0..{SERIAL_LIMIT - 1}")
    version, key = newest_key()
    return f"{version}{key.encrypt(serial * REDUNDANCY):019}"


def decode(text: str) -> int | None:
    """The serial that a code was printed for; None for every text that is no code of ours. Needs no database."""
    if not has_shape(text):
        return None
    version, number = divmod(int(text), 10**19)
    key = key_ring().get(version)
    if key is None:
        return None
    serial, rest = divmod(key.decrypt(number), REDUNDANCY)
    return None if rest else serial


def has_shape(text: str) -> bool:
    """Whether the text looks like a code at all: 20 ASCII digits."""
    return len(text) == LENGTH and text.isascii() and text.isdigit()


def encode_range(start: int, stop: int, *, before: bytes = b"", after: bytes = b"\n") -> Iterator[bytes]:
    """The codes of serials `start` to `stop - 1` as one text in chunks, each code between `before` and `after`."""
    if not 0 <= start <= stop <= SERIAL_LIMIT:
        raise ValueError(f"serials {start}..{stop} are outside 0..{SERIAL_LIMIT}")
    version, key = newest_key()
    digits = [(f"d{place}", "<u2" if place % 3 == 0 else "<u4") for place in range(6)]
    line = np.dtype([("before", f"S{len(before)}"), *digits, ("after", f"S{len(after)}")])
    for first in range(start, stop, CHUNK):
        serials = np.arange(first, min(first + CHUNK, stop), dtype=np.uint64)
        thousands = serials // np.uint64(1000)
        units = (serials - thousands * np.uint64(1000)) * np.uint64(REDUNDANCY)
        left, right = key.encrypt_many(thousands, units)
        lines = np.empty(len(serials), dtype=line)
        lines["before"], lines["after"] = before, after
        _print(left + np.uint64(version * FF1Digits19.LEFT), lines, 0)
        _print(right, lines, 3)
        yield lines.tobytes()


def _print(numbers: Words, lines: np.ndarray, place: int) -> None:
    """Write ten digits of each number into three fields of its line, by table: 2, 4 and 4 digits."""
    top = numbers // np.uint64(10**8)
    rest = numbers - top * np.uint64(10**8)
    middle = rest // np.uint64(10**4)
    lines[f"d{place}"] = _PAIRS[top.astype(np.intp)]
    lines[f"d{place + 1}"] = _QUADS[middle.astype(np.intp)]
    lines[f"d{place + 2}"] = _QUADS[(rest - middle * np.uint64(10**4)).astype(np.intp)]


@functools.cache
def key_ring() -> dict[int, FF1Digits19]:
    """The keys on hand by version. Version 1 is made when it is missing; a later one is there once its key is set.

    Codes are printed under the newest; those printed under an older one stay good for as long as its key is kept.
    """
    ring = {}
    for version in KEY_VERSIONS:
        name = "NONGMA_CODE_KEY" if version == 1 else f"NONGMA_CODE_KEY_{version}"
        if version == 1 or _is_set(name):
            key = keys.key_bytes(settings.DATA, name, KEY_BYTES)
            ring[version] = FF1Digits19(key, cipher=settings.CODE_CIPHER)
    return ring


@functools.cache
def newest_key() -> tuple[int, FF1Digits19]:
    """The version and key that new codes are printed under."""
    return max(key_ring().items())


def _is_set(name: str) -> bool:
    in_folder = settings.DATA / "keys" / name.removeprefix("NONGMA_").lower()
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE")) or in_folder.exists()
