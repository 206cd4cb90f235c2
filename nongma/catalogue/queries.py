"""Reading products and bans: by name for imports, as choices for forms, filtered for lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Ban, Product


@dataclass(frozen=True, slots=True)
class ProductIndex:
    """Every product by official name and by alias, read in one query: for imports that look up row after row."""

    names: dict[str, Product]
    aliases: dict[str, Product]

    @classmethod
    def load(cls) -> "ProductIndex":
        """Read the catalogue as it is now."""
        return cls.of(Product.objects.national())

    @classmethod
    def of(cls, products: Iterable[Product]) -> "ProductIndex":
        """The index of some products."""
        listed = list(products)
        return cls(
            {product.name: product for product in listed},
            {alias: product for product in listed for alias in product.aliases},
        )

    def named(self, name: str) -> Product | None:
        """The product of an official name (产品名称)."""
        return self.names.get(name)

    def find(self, text: str) -> Product | None:
        """The product of an official name or, failing that, of an alias (别名)."""
        return self.names.get(text) or self.aliases.get(text)


def find_product(text: str) -> Product | None:
    """The product of our code or of an official name, as the API takes it; what a county added goes by its code."""
    return Product.objects.filter(Q(code=text) | Q(name=text, region=None)).first()


def products_matching(*, text: str = "", industry: str = "", key_only: bool = False) -> QuerySet[Product]:
    """Products whose name, English name, alias or code holds the text."""
    products = Product.objects.national().select_related("parent")
    if text:
        # `icontains` on an array looks into its text form, which is enough for a list of some hundred products.
        products = products.filter(
            Q(name__icontains=text)
            | Q(english_name__icontains=text)
            | Q(aliases__icontains=text)
            | Q(code__iexact=text)
        )
    if industry:
        products = products.filter(industry=industry)
    return products.filter(is_key=True) if key_only else products


def county_products(user: User) -> QuerySet[Product]:
    """What counties of the person's area added, those in use first."""
    area = scope_of(user, Action.ADD_PRODUCTS).query("region_id")
    found = Product.objects.filter(area).exclude(region=None).select_related("region")
    return found.order_by(F("ended_on").asc(nulls_first=True), "code")


def bans_matching(*, on: date, text: str = "", kind: str = "", degree: str = "") -> QuerySet[Ban]:
    """Rules in force on a day whose substance, alias, scope or notice holds the text."""
    bans = Ban.objects.standing(on).select_related("substance")
    if text:
        bans = bans.filter(
            Q(substance__name__icontains=text)
            | Q(substance__english_name__icontains=text)
            | Q(substance__aliases__icontains=text)
            | Q(scope__icontains=text)
            | Q(notice__icontains=text)
        )
    if kind:
        bans = bans.filter(kind=kind)
    return bans.filter(degree=degree) if degree else bans
