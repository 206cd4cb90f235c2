"""Mapbox Vector Tiles 2.1 with points: the few bytes of protobuf that a tile of points needs.

A tile of a thousand points takes about two milliseconds; general encoders, which build and check geometries, take
fifty and more (docs/adr/0008).
"""

from collections.abc import Iterable
from typing import NamedTuple

EXTENT = 4096

_LENGTH = 2
_FEATURE = bytes([2 << 3 | _LENGTH])
_TAGS = bytes([2 << 3 | _LENGTH])
_POINT_GEOMETRY = bytes([3 << 3, 1, 4 << 3 | _LENGTH])
_MOVE_TO_ONCE = bytes([9])


class Point(NamedTuple):
    """One point: `x` and `y` inside the tile (0…4095, y downward), and what is known of it."""

    x: int
    y: int
    properties: dict[str, str | int]


def encode_points(layer: str, points: Iterable[Point]) -> bytes:
    """A tile with one layer of points. No points: an empty tile, which is no bytes at all."""
    keys: dict[str, int] = {}
    values: dict[str | int, int] = {}
    tags: dict[tuple[str, str | int], bytes] = {}
    features: list[bytes] = []
    for x, y, properties in points:
        written = []
        for pair in properties.items():
            tag = tags.get(pair)
            if tag is None:
                key, value = pair
                tag = tags[pair] = _varint(keys.setdefault(key, len(keys))) + _varint(
                    values.setdefault(value, len(values))
                )
            written.append(tag)
        about = b"".join(written)
        place = _varint(x << 1 ^ x >> 63) + _varint(y << 1 ^ y >> 63)
        body = b"".join(
            (_TAGS, _varint(len(about)), about, _POINT_GEOMETRY, _varint(len(place) + 1), _MOVE_TO_ONCE, place)
        )
        features.append(_FEATURE + _varint(len(body)) + body)
    if not features:
        return b""
    parts = [_field(1, layer.encode()), *features]
    parts += [_field(3, key.encode()) for key in keys]
    parts += [_field(4, _value(value)) for value in values]
    parts += [bytes([5 << 3]), _varint(EXTENT), bytes([15 << 3, 2])]
    return _field(3, b"".join(parts))


def _value(value: str | int) -> bytes:
    if isinstance(value, str):
        return _field(1, value.encode())
    return bytes([6 << 3]) + _varint(value << 1 ^ value >> 63)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | _LENGTH]) + _sized(content)


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    if number < len(_SMALL):
        return _SMALL[number]
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


_SMALL = [
    bytes((number,)) if number < 0x80 else bytes((number & 0x7F | 0x80, number >> 7)) for number in range(1 << 14)
]
