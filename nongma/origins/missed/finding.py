"""Comparing what operators declare with what is on file, a county at a time (漏采核对).

What has to be collected: the key products, and any other product for which a division of the place has set a 规模标准
of its own. The threshold is the nearest division's rule that holds today; the rule of a wider one that was counted out
asks for nothing.
"""

from collections.abc import Iterator
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from nongma.catalogue.models import Product, Unit
from nongma.lib.locks import take_turn
from nongma.origins.models import MissedCheck
from nongma.regions.spans import EVERYWHERE, WIDTHS
from nongma.registry.directory.scale import Basis, rules_of
from nongma.registry.models import Operator, ScaleRule

TURN = 0x6D69_7373
ANIMALS = [Unit.HEAD.value, Unit.BIRD.value]
"""The same animals are counted by 头 or by 只."""

# The rules go in as rows of products; what is no longer above a threshold goes, unless somebody excused it.
SETTLE = """
    WITH found AS MATERIALIZED (
        SELECT operator.id AS operator_id, produce.product_id, operator.region_id, produce.scale, produce.unit,
            rule.id AS rule_id
        FROM registry_operator operator
        JOIN registry_produce produce ON produce.operator_id = operator.id
        JOIN unnest(%(products)s::bigint[], %(thresholds)s::numeric[], %(units)s::text[], %(rules)s::bigint[])
            AS rule (product_id, threshold, unit, id) ON rule.product_id = produce.product_id
        WHERE operator.region_id BETWEEN %(start)s AND %(stop)s AND operator.status = 'approved'
            AND produce.scale >= rule.threshold
            AND (produce.unit = rule.unit OR (produce.unit = ANY(%(animals)s) AND rule.unit = ANY(%(animals)s)))
            AND NOT EXISTS (
                SELECT FROM origins_origin origin
                WHERE origin.operator_id = operator.id AND origin.product_id = produce.product_id
                    AND origin.state <> 'superseded'
            )
    ), gone AS (
        DELETE FROM origins_missed missed
        WHERE missed.region_id BETWEEN %(start)s AND %(stop)s AND missed.waived_at IS NULL AND NOT EXISTS (
            SELECT FROM found
            WHERE found.operator_id = missed.operator_id AND found.product_id = missed.product_id
        )
    ), put AS (
        INSERT INTO origins_missed (uid, operator_id, product_id, region_id, scale, unit, rule_id, found_on, waived_for)
        SELECT gen_random_uuid(), operator_id, product_id, region_id, scale, unit, rule_id, %(today)s, '' FROM found
        ON CONFLICT (operator_id, product_id) DO UPDATE SET
            region_id = excluded.region_id, scale = excluded.scale, unit = excluded.unit, rule_id = excluded.rule_id
        WHERE (origins_missed.region_id, origins_missed.scale, origins_missed.unit, origins_missed.rule_id)
            IS DISTINCT FROM (excluded.region_id, excluded.scale, excluded.unit, excluded.rule_id)
    )
    SELECT count(*) FROM found
"""


def check_county(county: int) -> int:
    """Compare a county anew, in one statement; how many are missing, the excused ones included."""
    today = timezone.localdate()
    rules = wanted_in(county, today)
    with transaction.atomic(), connection.cursor() as cursor:
        take_turn(TURN, str(county))
        cursor.execute(
            SETTLE,
            {
                "start": county,
                "stop": county + WIDTHS[3] - 1,
                "today": today,
                "animals": ANIMALS,
                "products": [product for product, _ in rules],
                "thresholds": [rule.threshold for _, rule in rules],
                "units": [rule.unit for _, rule in rules],
                "rules": [rule.pk for _, rule in rules],
            },
        )
        (count,) = cursor.fetchone()
        MissedCheck.objects.update_or_create(county_id=county, defaults={"checked_at": timezone.now()})
    return int(count)


def check_everywhere() -> int:
    """Compare every county that has operators, each by itself, so that a kill costs one county; how many missing."""
    return sum(check_county(county) for county in _counties())


def wanted_in(county: int, on: date) -> list[tuple[int, ScaleRule]]:
    """What has to be collected in a county on a day: the products by key, with the rule that holds."""
    held = rules_of([county], on)[county]
    products = Product.objects.filter(code__in=[subject for basis, subject in held if basis == Basis.PRODUCT])
    return [
        (key, rule)
        for key, code, is_key in products.order_by("pk").values_list("pk", "code", "is_key")
        if (rule := held[Basis.PRODUCT, code]).counts
        and rule.threshold is not None
        and (is_key or rule.region_id != EVERYWHERE.start)
    ]


def _counties() -> Iterator[int]:
    """The counties with operators, found by leaping from one to the next along the index of places."""
    last = 0
    while region := (
        Operator.objects.filter(region_id__gte=last).order_by("region_id").values_list("region_id", flat=True).first()
    ):
        county = region - region % WIDTHS[3]
        yield county
        last = county + WIDTHS[3]
