"""Lots for tests, made the way the trade makes them."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.registry.models import Base
from nongma.tracing.models import Lot
from nongma.tracing.services import harvest_lot


def harvest(base: Base, product: Product, actor: User, quantity: str = "500") -> Lot:
    """A lot of kilograms, harvested a month ago."""
    return harvest_lot(
        base=base,
        product=product,
        quantity=Decimal(quantity),
        unit="kg",
        harvested_on=timezone.localdate() - timedelta(days=30),
        actor=actor,
    )
