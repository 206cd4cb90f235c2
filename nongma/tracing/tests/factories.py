"""Lots for tests, made the way the trade makes them."""

from datetime import date
from decimal import Decimal

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.registry.models import Base
from nongma.tracing.models import Lot
from nongma.tracing.services import harvest_lot


def harvest(base: Base, product: Product, actor: User, quantity: str = "500") -> Lot:
    """A lot of kilograms, harvested on 1 March 2026."""
    return harvest_lot(
        base=base, product=product, quantity=Decimal(quantity), unit="kg", harvested_on=date(2026, 3, 1), actor=actor
    )
