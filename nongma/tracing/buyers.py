"""Who a lot may be sold to: the buyers that its seller knows, and those found by name or code (选购买方)."""

from collections.abc import Iterable
from dataclasses import dataclass

from nongma.codes.codec import decode
from nongma.regions.models import Region
from nongma.regions.queries import paths_of
from nongma.regions.spans import above, span_of
from nongma.registry.models import NOT_TRADING, Operator, OperatorKind, OperatorQuerySet
from nongma.registry.names import is_person, public_name
from nongma.tracing.models import Transfer

# Who buys what others grow. A grower that buys all the same is found by its code.
BUYING = (
    OperatorKind.ENTERPRISE,
    OperatorKind.COOPERATIVE,
    OperatorKind.BROKER,
    OperatorKind.PURCHASER,
    OperatorKind.WHOLESALE_MARKET,
    OperatorKind.RETAILER,
    OperatorKind.PROCESSOR,
    OperatorKind.E_COMMERCE,
)
MOST_FOUND = 10
MOST_KNOWN = 10
SALES_LOOKED_AT = 200


@dataclass(frozen=True)
class Buyer:
    """A buyer as any seller may know it: of a person the name is masked and the place told to the county."""

    code: str
    name: str
    place: str
    kinds: str
    known: bool = False


def known_buyers(seller: Operator) -> list[Buyer]:
    """Whom the seller sold to before and may sell to now, the last one first."""
    return _told(_known(seller), known=True)


def buyers_found(seller: Operator, text: str) -> list[Buyer]:
    """Buyers by part of the name, or anybody by the whole 主体码: known ones first, then those of the county.

    A person whom the seller does not know is found by the code alone: a search by name would tell who is on file.
    """
    text = " ".join(text.split())
    serial = decode(text.replace(" ", ""))
    others = _trading().exclude(pk=seller.pk)
    if serial is not None:
        return _told(others.filter(serial=serial).select_related("region"))
    if not text:
        return known_buyers(seller)
    known = [buyer for buyer in _known(seller) if text in buyer.name]
    looked = Operator.Status.APPROVED, Operator.Status.IMPORTED
    named = others.named(text).firms().filter(kinds__overlap=BUYING, status__in=looked)
    near = span_of(above(seller.region_id, Region.Level.COUNTY))
    found = {buyer.pk: buyer for buyer in known}
    found |= _first(named.filter(region_id__gte=near.start, region_id__lte=near.stop))
    if len(found) < MOST_FOUND:
        found |= _first(named)
    told = _told(known, known=True) + _told(buyer for buyer in found.values() if buyer not in known)
    return told[:MOST_FOUND]


def _known(seller: Operator) -> list[Operator]:
    sales = Transfer.objects.filter(seller=seller).exclude(buyer=None).order_by("-id")
    ids = list(dict.fromkeys(sales.values_list("buyer_id", flat=True)[:SALES_LOOKED_AT]))
    found = _trading().select_related("region").in_bulk([pk for pk in ids if pk][:MOST_KNOWN])
    return [found[pk] for pk in ids if pk in found]


def _trading() -> OperatorQuerySet:
    return Operator.objects.exclude(status__in=NOT_TRADING)


def _first(buyers: OperatorQuerySet) -> dict[int, Operator]:
    """The first buyers that turn up; unordered, so that a common word does not sort a nation's operators."""
    return {buyer.pk: buyer for buyer in buyers.select_related("region").order_by()[:MOST_FOUND]}


def _told(buyers: Iterable[Operator], *, known: bool = False) -> list[Buyer]:
    listed = list(buyers)
    counties = {buyer.pk: above(buyer.region_id, Region.Level.COUNTY) for buyer in listed if is_person(buyer)}
    names = paths_of(counties.values())
    return [
        Buyer(
            buyer.code,
            public_name(buyer),
            names.get(counties[buyer.pk], "") if buyer.pk in counties else buyer.region.full_name,
            buyer.kind_names,
            known,
        )
        for buyer in listed
    ]
