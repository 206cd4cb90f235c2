"""Merkle trees as in RFC 6962, 2.1: leaves and nodes are hashed apart, so that neither passes for the other."""

import hashlib
from collections.abc import Sequence

DIGEST_BYTES = 32


def leaf(content: bytes) -> bytes:
    """The digest of one entry."""
    return hashlib.sha256(b"\x00" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The digest of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The head of the tree over leaf digests; of no leaves, the digest of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        pairs = [node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of one leaf, nearest first: with it the leaf leads to the root without the other leaves."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    level, place, steps = list(leaves), index, []
    while len(level) > 1:
        sibling = place ^ 1
        if sibling < len(level):
            steps.append(level[sibling])
        pairs = [node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
        place //= 2
    return steps


def root_from_path(digest: bytes, index: int, size: int, steps: Sequence[bytes]) -> bytes:
    """The root that a leaf digest, its place among `size` leaves and its audit path lead to.

    Raises ValueError when the path is too short or too long for the place.
    """
    left = list(steps)
    place, last = index, size - 1
    while last > 0:
        if place != last or place % 2:
            if not left:
                raise ValueError("the audit path is too short")
            sibling = left.pop(0)
            digest = node(sibling, digest) if place % 2 else node(digest, sibling)
        place, last = place // 2, last // 2
    if left:
        raise ValueError("the audit path is too long")
    return digest
