"""Products by the names that people write into sheets (产品名称、别名)."""

import difflib

from nongma.catalogue.models import Product


class ProductNames:
    """All products by name and alias, read once; a name wins over an alias."""

    def __init__(self) -> None:
        self._products: dict[str, Product] = {}
        products = list(Product.objects.order_by("code"))
        for product in products:
            for alias in product.aliases:
                self._products.setdefault(alias, product)
        self._products |= {product.name: product for product in products}
        self._names = [product.name for product in products]

    def find(self, written: str) -> Product | None:
        """The product that is called so."""
        return self._products.get(written) or self._products.get("".join(written.split()))

    def unknown(self, written: str) -> str:
        """What to tell of a name that no product has."""
        near = difflib.get_close_matches(written, self._names, 2, 0.5)
        hint = f"，是不是{'、'.join(f'“{name}”' for name in near)}？" if near else "，请填 NY/T 3177 的产品名称"
        return f"没有“{written}”这种产品{hint}"
