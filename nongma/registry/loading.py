"""The rules of scale that hold nationwide (规模标准): by type and certification from the policies, by product from
the catalogue's thresholds. Loading again ends what has changed as of yesterday and begins the new as of today."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from nongma.catalogue.models import Product
from nongma.regions.spans import EVERYWHERE
from nongma.registry.directory.marks import sweep
from nongma.registry.models import ScaleRule

Basis = ScaleRule.Basis
BEGUN = date(2026, 1, 1)
TYPES = "浙农码赋能土特产全覆盖三年行动计划 二（一）1；湘农发〔2018〕154号 三：农产品生产企业、合作社、家庭农场等"
CERTIFIED = "粤农农办〔2018〕42号 四（二）：绿色食品、有机农产品和地理标志农产品等规模生产经营主体"
Row = tuple[str, str, Decimal | None, str, str, bool]

FIXED: tuple[Row, ...] = (
    *((Basis.KIND.value, kind, None, "", TYPES, False) for kind in ("enterprise", "cooperative", "family_farm")),
    *((Basis.CERTIFICATION.value, kind, None, "", CERTIFIED, False) for kind in ("green", "organic", "geographical")),
)


@transaction.atomic
def load() -> str:
    """Load the nationwide rules; returns a line that says what was loaded."""
    products = Product.objects.national().filter(threshold__isnull=False).order_by("code")
    rows = [
        *FIXED,
        *(
            (Basis.PRODUCT.value, one.code, one.threshold, one.threshold_unit, one.source, one.verified)
            for one in products
        ),
    ]
    today = timezone.localdate()
    open_rules = ScaleRule.objects.select_for_update().filter(region=EVERYWHERE.start, valid_to=None)
    held = {(rule.basis, rule.subject): rule for rule in open_rules}
    changed = False
    for basis, subject, threshold, unit, source, verified in rows:
        rule = held.pop((basis, subject), None)
        if rule and (rule.threshold, rule.unit, rule.source) == (threshold, unit, source):
            continue
        changed = True
        if rule:
            _end(rule, today)
        ScaleRule.objects.create(
            region_id=EVERYWHERE.start,
            basis=basis,
            subject=subject,
            threshold=threshold,
            unit=unit,
            source=source,
            verified=verified,
            valid_from=today if rule else BEGUN,
        )
    if changed:
        sweep(EVERYWHERE.start)
    return f"规模标准 {len(rows)} 条"


def _end(rule: ScaleRule, today: date) -> None:
    """A rule that was to begin today or later has never held."""
    if rule.valid_from >= today:
        rule.delete()
    else:
        rule.valid_to = today - timedelta(days=1)
        rule.save(update_fields=["valid_to"])
