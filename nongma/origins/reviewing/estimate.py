"""What a draw says of the whole: how large the share of wrong records may be (抽样推断)."""

from math import comb

CONFIDENCE = 0.95
STEPS = 40
"""Halvings of the interval: far below what a percentage shows."""


def share_at_most(wrong: int, looked: int) -> float:
    """The largest share of wrong records in the whole that a draw leaves room for, at 95 % confidence.

    The upper Clopper-Pearson limit: the share at which so few wrong ones or fewer would come up in one draw of
    twenty. Exact for a draw from very many, and on the safe side for one from few. 1 when nothing was looked at.
    """
    if wrong >= looked:  # nothing was looked at, or all of it was wrong
        return 1.0
    low, high = wrong / looked, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _at_most(wrong, looked, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, looked: int, share: float) -> float:
    """How likely a draw has so many wrong ones or fewer."""
    return sum(comb(looked, k) * share**k * (1 - share) ** (looked - k) for k in range(wrong + 1))
