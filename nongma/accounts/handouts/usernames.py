"""Usernames that the platform makes (用户名): the initials of the county and a running number, as `yzq0012`."""

import re
from collections import Counter
from collections.abc import Sequence

from django.db import connection
from django.db.models.functions import Upper

from nongma.accounts.models import User
from nongma.regions.models import Region
from nongma.regions.spans import above

OTHERWISE = "nm"
LONGEST = 12
TAKE = """
    INSERT INTO accounts_usernameseries AS series (prefix, last)
    SELECT prefix, wanted FROM unnest(%s::text[], %s::int[]) AS asked (prefix, wanted) ORDER BY prefix
    ON CONFLICT (prefix) DO UPDATE SET last = series.last + excluded.last
    RETURNING prefix, last
"""


def take_usernames(region_codes: Sequence[int]) -> list[str]:
    """One free username for each of the divisions, in their order.

    Numbers are taken under a row lock, prefixes in their order, so that two hand-outs at once never get the same one;
    a number is skipped when somebody typed that very name before.
    """
    prefixes = _prefixes(region_codes)
    wanted = [prefixes[code] for code in region_codes]
    free: dict[str, list[str]] = {prefix: [] for prefix in prefixes.values()}
    missing = Counter(wanted)
    while missing:
        made = _take(missing)
        taken = _taken([name for names in made.values() for name in names])
        for prefix, names in made.items():
            free[prefix] += [name for name in names if name.upper() not in taken]
        missing = Counter(wanted) - Counter({prefix: len(names) for prefix, names in free.items()})
    return [free[prefix].pop(0) for prefix in wanted]


def _take(missing: Counter[str]) -> dict[str, list[str]]:
    prefixes = sorted(missing)
    counts = [missing[prefix] for prefix in prefixes]
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [prefixes, counts])
        last = dict(cursor.fetchall())
    return {
        prefix: [f"{prefix}{number:04}" for number in range(last[prefix] - count + 1, last[prefix] + 1)]
        for prefix, count in zip(prefixes, counts, strict=True)
    }


def _taken(names: list[str]) -> set[str]:
    """Those of the names that somebody has, whatever their case, in capitals."""
    upper = User.objects.annotate(upper=Upper("username")).values_list("upper", flat=True)
    return set(upper.filter(upper__in=[name.upper() for name in names]))


def _prefixes(region_codes: Sequence[int]) -> dict[int, str]:
    """What the usernames of each division begin with: the initials of its county, or of itself where it is above."""
    homes = {code: above(code, Region.Level.COUNTY) for code in region_codes}
    initials = dict(Region.objects.filter(code__in=set(homes.values())).values_list("code", "initials"))
    letters = {home: re.sub("[^a-z]", "", text.lower())[:LONGEST] for home, text in initials.items()}
    return {code: letters.get(home) or OTHERWISE for code, home in homes.items()}
