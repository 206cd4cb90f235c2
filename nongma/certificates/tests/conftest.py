from decimal import Decimal

import pytest

from nongma.certificates.models import Basis
from nongma.certificates.services import issue_certificate
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    """500 kg of Li's cowpeas."""
    return harvest(li_base, cowpea, li)


@pytest.fixture
def certificate(li, lot):
    """A certificate for 120.5 kg of them."""
    return issue_certificate(lot=lot, quantity=Decimal("120.5"), basis=Basis.SELF_TEST, actor=li)
