"""Keys that applications make: UUIDv7 (RFC 9562, 5.7), so that rows arrive in the order of their keys."""

import os
import time
import uuid

MILLISECOND = 1_000_000
"""Nanoseconds."""


def uuid7() -> uuid.UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, 12 bits of the fraction (RFC 9562, 6.2, method 3), 62 random bits."""
    milliseconds, rest = divmod(time.time_ns(), MILLISECOND)
    fraction = (rest << 12) // MILLISECOND
    chance = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | chance)
