"""What a grower is certified for, as long as it holds: no page outlives the day of its end."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from nongma.catalogue.models import Product
from nongma.public import queries, resolver
from nongma.public.tests.asgi import BROWSER, Shopper, eventually
from nongma.registry.certifications.services import (
    add_certification,
    confirm_certification,
    withdraw_certification,
)

TODAY = timezone.localdate()
UNCHECKED = "由主体登记，平台未核验"


@pytest.fixture
def green(li, li_operator, cowpea):
    return held(li_operator, cowpea, li)


def page_of(shopper: Shopper, code: str) -> str:
    return shopper.get(f"/t/{code}", accept=BROWSER).text


def held(operator: Any, product: Product, actor: Any, **changes: Any) -> Any:
    values: dict[str, Any] = {"kind": "green", "number": "LB-15-1", "products": [product], "from_on": TODAY}
    return add_certification(operator=operator, actor=actor, **values | {"to_on": TODAY} | changes)


def test_the_lot_shows_what_holds_for_its_product(certificate, green, shopper, li, li_operator, lot):
    other = Product.objects.exclude(pk=lot.product_id).first()
    held(li_operator, other, li, kind="gap", number="GAP-77")
    soon = TODAY + timedelta(days=1)
    held(li_operator, lot.product, li, kind="organic", number="LATER-1", from_on=soon, to_on=soon)
    page = page_of(shopper, certificate.code)
    assert "LB-15-1" in page
    assert UNCHECKED in page
    assert f"{TODAY}" in page
    assert "GAP-77" not in page
    assert "LATER-1" not in page
    own = page_of(shopper, li_operator.code)
    assert "LB-15-1" in own
    assert "GAP-77" in own
    assert f'href="/operators/{li_operator.code}/"' in own
    assert "/operators/" not in page


def test_it_goes_at_once_when_it_is_withdrawn(certificate, green, shopper, li, zhao):
    assert UNCHECKED in page_of(shopper, certificate.code)
    confirm_certification(certification=green, actor=zhao)
    eventually(lambda: UNCHECKED not in page_of(shopper, certificate.code))
    assert "LB-15-1" in page_of(shopper, certificate.code)
    withdraw_certification(certification=green, reason="收回", actor=li)
    eventually(lambda: "LB-15-1" not in page_of(shopper, certificate.code))


def test_it_is_gone_when_its_last_day_is_over(certificate, green, shopper, monkeypatch):
    now = datetime.combine(TODAY, datetime.max.time(), timezone.get_current_timezone())
    monkeypatch.setattr(queries.timezone, "now", lambda: now)
    data = shopper.data(f"/t/{certificate.code}").json
    assert [one["number"] for one in data["certifications"]] == ["LB-15-1"]
    assert data["certifications"][0] | {"valid_until": str(TODAY), "confirmed": False} == data["certifications"][0]
    now += timedelta(microseconds=2)
    assert shopper.data(f"/t/{certificate.code}").json["certifications"] == []


def test_a_page_is_kept_no_longer_than_its_day(monkeypatch):
    midnight = datetime.combine(TODAY + timedelta(days=1), datetime.min.time(), timezone.get_current_timezone())
    monkeypatch.setattr(resolver.timezone, "now", lambda: midnight - timedelta(seconds=3))
    assert resolver._seconds_of_day_left(TODAY) == 3
    monkeypatch.setattr(resolver.timezone, "now", lambda: midnight)
    assert resolver._seconds_of_day_left(TODAY) == 0
