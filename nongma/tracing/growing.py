"""Reading what is grown where, so that a harvest is registered with few taps."""

from nongma.accounts.models import User
from nongma.catalogue.models import Industry, Product
from nongma.origins.models import Origin
from nongma.registry.models import Base
from nongma.tracing.models import Lot

HARVESTS_LOOKED_AT = 200
ORIGINS_LOOKED_AT = 1_000

ProductGroups = list[tuple[str, list[Product]]]


def grown_on_bases(user: User) -> dict[int, list[int]]:
    """The products of each of the user's bases, by id: what was harvested there lately, then what its origins say."""
    harvests = Lot.objects.visible_to(user).filter(kind=Lot.Kind.HARVEST).order_by("-id")
    origins = Origin.objects.visible_to(user).current().order_by("id")
    grown: dict[int, dict[int, None]] = {}
    for rows in (
        harvests.values_list("base_id", "product_id")[:HARVESTS_LOOKED_AT],
        origins.values_list("base_id", "product_id")[:ORIGINS_LOOKED_AT],
    ):
        for base_id, product_id in rows:
            if base_id is not None:
                grown.setdefault(base_id, {})[product_id] = None
    return {base_id: list(products) for base_id, products in grown.items()}


def product_groups(products: list[Product], grown: dict[int, list[int]], base: Base | None) -> ProductGroups:
    """The products as a grower looks for them: those of the base, those of the other bases, the rest by industry."""
    by_id = {product.pk: product for product in products}
    here = grown.get(base.pk, []) if base else []
    elsewhere = {pk for products_there in grown.values() for pk in products_there} - set(here)
    own = {*here, *elsewhere}
    groups = [
        ("这个基地的产品", [by_id[pk] for pk in here if pk in by_id]),
        ("其他基地的产品", [product for product in products if product.pk in elsewhere]),
        *(
            (industry.label, [each for each in products if each.industry == industry and each.pk not in own])
            for industry in Industry
        ),
    ]
    return [(label, members) for label, members in groups if members]
