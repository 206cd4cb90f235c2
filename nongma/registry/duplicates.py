"""Who on file may be the same operator as one that waits (可能重复的主体); a person decides, none is merged alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nongma.accounts.models import User
from nongma.lib.fields import blind_indexes
from nongma.lib.grams import grams_of
from nongma.regions.models import Region
from nongma.regions.queries import path_of
from nongma.regions.spans import Span, above, span_of
from nongma.registry.models import Operator, OperatorQuerySet

MOST_SHOWN = 5
MOST_COMPARED = 400
"""Neighbours of a village whose names are compared: villages have some hundred operators."""
ALIKE = 0.5
COMMON = re.compile(
    "农民专业合作社联合社|农民专业合作社|专业合作社|合作联社|合作社|家庭农场|有限责任公司|股份有限公司|有限公司|公司"
    "|种植|养殖|种养|农业|农产品|科技|发展|开发|生态|果蔬|蔬菜|水果|（.*?）|\\(.*?\\)|\\s"
)
"""What names of operators have in common, so that it tells nothing."""


@dataclass(frozen=True)
class Likeness:
    """An operator on file and why it may be the same."""

    operator: Operator
    reasons: tuple[str, ...]


def likely_duplicates(operator: Operator, user: User) -> list[Likeness]:
    """The operators that the user may see and that are most like this one, the likeliest first; a few reads by index.

    By the same phone; by a name that has the same core in the county; by a similar name among the first
    `MOST_COMPARED` of the same village or town, where the operator stands at one.
    """
    others = Operator.objects.visible_to(user).exclude(pk=operator.pk).exclude(merged_into=operator.pk)
    others = others.select_related("region").order_by()
    reasons: dict[int, list[str]] = {}
    found: dict[int, Operator] = {}

    def note(one: Operator, reason: str) -> None:
        found[one.pk] = one
        reasons.setdefault(one.pk, []).append(reason)

    if operator.phone_index:
        for one in others.filter(phone_index__in=blind_indexes(operator.phone))[:MOST_SHOWN]:
            note(one, "手机号相同")
    places = [place.name for place in path_of(operator.region_id)]
    core = core_of(operator.name, places)
    county = span_of(above(operator.region_id, Region.Level.COUNTY))
    if len(core) > 1:
        for one in _within(others.named(core), county)[: MOST_SHOWN * 4]:
            note(one, "名称相同" if one.name == operator.name else f"名称里都有“{core}”")
    near = operator.region.level >= Region.Level.TOWN
    neighbours = _within(others, operator.region.span).order_by("region_id", "id") if near else others.none()
    for one in neighbours.defer("id_number", "phone", "address")[:MOST_COMPARED]:
        if one.pk not in found and alike(core, core_of(one.name, places)) >= ALIKE:
            note(one, "同一个地方，名称相近")
    ordered = sorted(found.values(), key=lambda one: (-len(reasons[one.pk]), one.name != operator.name, one.pk))
    return [Likeness(one, tuple(reasons[one.pk])) for one in ordered[:MOST_SHOWN]]


def core_of(name: str, places: Sequence[str]) -> str:
    """What of a name tells it from its neighbours': without the place and the words that all have (春晖豇豆)."""
    for place in places:
        name = name.replace(place, "")
        if len(place) > 2:
            name = name.replace(place[:-1], "")
    return COMMON.sub("", name) or name


def alike(one: str, other: str) -> float:
    """How much two names have in common: shared pairs of characters of all, 0 to 1."""
    left, right = set(grams_of(one)), set(grams_of(other))
    return len(left & right) / len(left | right)


def _within(operators: OperatorQuerySet, span: Span) -> OperatorQuerySet:
    return operators.filter(region_id__gte=span.start, region_id__lte=span.stop)
