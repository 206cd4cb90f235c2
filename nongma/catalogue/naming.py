"""Products by the names that people write into sheets (产品名称、别名)."""

import difflib
from collections.abc import Iterable

from nongma.catalogue.models import Product
from nongma.regions.models import Region
from nongma.regions.spans import above


class ProductNames:
    """Products by name and alias, read once; a name wins over an alias, the nation's product over a county's."""

    def __init__(self) -> None:
        products = list(Product.objects.filter(ended_on=None).order_by("code"))
        self._national = _by_name([product for product in products if product.region_id is None])
        counties = {product.region_id for product in products if product.region_id is not None}
        self._local = {
            county: _by_name([product for product in products if product.region_id == county]) for county in counties
        }
        self._names = [product.name for product in products if product.region_id is None]

    def find(self, written: str, region_code: int = 0) -> Product | None:
        """The product that is called so in a division: the nation's, or one that the division's county added."""
        local = self._local.get(above(region_code, Region.Level.COUNTY), {}) if region_code else {}
        for name in (written, "".join(written.split())):
            if found := self._national.get(name) or local.get(name):
                return found
        return None

    def unknown(self, written: str, region_code: int = 0) -> str:
        """What to tell of a name that no product has."""
        local = self._local.get(above(region_code, Region.Level.COUNTY), {}) if region_code else {}
        near = difflib.get_close_matches(written, [*self._names, *local], 2, 0.5)
        hint = f"，是不是{'、'.join(f'“{name}”' for name in near)}？" if near else "，请填 NY/T 3177 的产品名称"
        return f"没有“{written}”这种产品{hint}"


def _by_name(products: Iterable[Product]) -> dict[str, Product]:
    listed = list(products)
    named: dict[str, Product] = {}
    for product in listed:
        for alias in product.aliases:
            named.setdefault(alias, product)
    return named | {product.name: product for product in listed}
