"""What the pages of other rooms say of certificates: a lot's page offers one, and its room may not import this."""

from decimal import Decimal

from django import template

from nongma.certificates import queries
from nongma.tracing.models import Lot

register = template.Library()


@register.simple_tag
def certifiable(lot: Lot) -> Decimal:
    """How much of a lot has no certificate yet: `{% certifiable lot as left %}`."""
    return queries.certifiable(lot)
