"""Deadlines of collecting and reviewing by division (采集期限): the nearest division's hold, else the usual ones."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from django.db import transaction

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.refused import Misfilled, Refused
from nongma.origins.models import CollectionTerms
from nongma.regions.models import Region
from nongma.registry.directory.months import places_above


@dataclass(frozen=True)
class Terms:
    """The deadlines that hold somewhere, in days."""

    planting_days: int = 30
    review_days: int = 5
    correct_days: int = 7
    town_after: int = 3
    county_after: int = 10


USUAL = Terms()
"""What holds where no division has set anything: numbers of ours, the policy names none (六(三): 及时审核、限期内)."""
MOST = Terms(planting_days=120, review_days=60, correct_days=60, town_after=60, county_after=60)
NAMES = tuple(field.name for field in fields(Terms))


def terms_of(codes: Iterable[int]) -> dict[int, Terms]:
    """What holds in each of the divisions: set there, or by the nearest above, or the usual."""
    chains = {code: places_above(code) for code in set(codes)}
    wanted = {place for chain in chains.values() for place in chain}
    held = {one.region_id: _terms(one) for one in CollectionTerms.objects.filter(region__in=wanted)}
    return {code: next((held[place] for place in chain if place in held), USUAL) for code, chain in chains.items()}


@transaction.atomic
def set_terms(*, region: Region, terms: Terms, actor: User) -> CollectionTerms:
    """Set the deadlines of a division. What is due later there is reckoned anew; what was late stays late.

    Refuses `outside_area` (only the division's own reviewers set them), `region_too_narrow`, `days_invalid`,
    `county_first` (the county is told after the township).
    """
    if not may_set_terms(actor, region):
        raise Refused("outside_area", "只有本地区的审核人员能定", field="region")
    if region.level > Region.Level.COUNTY:
        raise Misfilled("region_too_narrow", "期限由县级以上定", field="region")
    for name, days in asdict(terms).items():
        most = getattr(MOST, name)
        if not 1 <= days <= most:
            raise Misfilled("days_invalid", f"请填 1 到 {most} 天", field=name)
    if terms.county_after < terms.town_after:
        raise Misfilled("county_first", "提示县级不能早于提示乡镇", field="county_after")
    held, _ = CollectionTerms.objects.update_or_create(region=region, defaults=asdict(terms))
    record("collection_terms.set", actor=actor, target=held, region_code=region.pk, **asdict(terms))
    from nongma.origins.due.sweeping import sweep

    sweep(region.pk)
    return held


def may_set_terms(user: User, region: Region) -> bool:
    """Whether the user reviews the whole of a division."""
    return any(span.covers(region.span) for span in scope_of(user, Action.REVIEW_ORIGINS).spans)


def _terms(held: CollectionTerms) -> Terms:
    return Terms(**{name: getattr(held, name) for name in NAMES})
