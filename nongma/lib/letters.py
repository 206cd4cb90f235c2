"""Random letters that a person reads out, writes down or types once: first passwords, recovery codes."""

import secrets

# Without those that are taken for one another: 0 o, 1 l i.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUP = 4
DASH = "-"


def random_letters(count: int) -> str:
    """So many letters in groups of four (`k7mp-3xza`): 4.95 bits each, from the system's source of randomness."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(count))
    return DASH.join(drawn[start : start + GROUP] for start in range(0, count, GROUP))
