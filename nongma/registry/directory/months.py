"""How long what is on file holds (更新期限、用码期限), by division."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from nongma.regions.spans import EVERYWHERE, ancestors_of
from nongma.registry.models import DirectoryTerms


@dataclass(frozen=True)
class Months:
    """After how many months an entry is stale, and a code unused."""

    fresh: int
    idle: int


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def places_above(code: int) -> tuple[int, ...]:
    """The division and those above it, the nearest first, the country last."""
    return tuple(dict.fromkeys((code, *reversed(ancestors_of(code)), EVERYWHERE.start)))


def months_of(codes: Iterable[int]) -> dict[int, Months]:
    """What holds in each of the divisions: set there, or by the nearest above, or by the platform's settings."""
    chains = {code: places_above(code) for code in set(codes)}
    wanted = {place for chain in chains.values() for place in chain}
    held = {
        terms.region_id: Months(terms.fresh_months, terms.idle_months)
        for terms in DirectoryTerms.objects.filter(region__in=wanted)
    }
    usual = Months(settings.FRESH_MONTHS, settings.IDLE_MONTHS)
    return {code: next((held[place] for place in chain if place in held), usual) for code, chain in chains.items()}
