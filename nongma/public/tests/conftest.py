"""A resolver that runs, and Li's certificate to scan."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.certificates.models import Basis, Certificate
from nongma.certificates.services import issue_certificate
from nongma.public.resolver import Resolver
from nongma.public.tests.asgi import Running, Shopper, eventually
from nongma.registry.models import Base
from nongma.tracing.models import Lot
from nongma.tracing.services import harvest_lot


@pytest.fixture
def lot(transactional_db: None, li: User, li_base: Base, cowpea: Product) -> Lot:
    """200 kg of Li's cowpeas."""
    return harvest_lot(
        base=li_base, product=cowpea, quantity=Decimal("200"), unit="kg", harvested_on=timezone.localdate(), actor=li
    )


@pytest.fixture
def certificate(lot: Lot, li: User) -> Certificate:
    """Li's promise for half of the lot."""
    return issue_certificate(lot=lot, quantity=Decimal("100.5"), basis=Basis.SELF_TEST, actor=li)


@pytest.fixture
def resolver(transactional_db: None) -> Iterator[Resolver]:
    """A resolver that hears changes."""
    running = Running()
    resolver = Resolver()
    running.do(resolver.start())
    eventually(lambda: resolver.cache.listening)
    resolver.running = running
    yield resolver
    running.do(resolver.stop())
    running.stop()


@pytest.fixture
def shopper(resolver: Resolver) -> Shopper:
    """Somebody with a phone."""
    return Shopper(resolver.running, resolver)
