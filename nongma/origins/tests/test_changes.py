"""What a record says otherwise than the one whose place it took."""

from datetime import date
from decimal import Decimal

import pytest

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.origins.models import Origin
from nongma.origins.reviewing.changes import changes_of
from nongma.registry.models import Base
from nongma.testing import client_of, make_origin


@pytest.fixture
def two(li_base: Base, cowpea: Product, wang: User) -> tuple[Origin, Origin]:
    old = make_origin(li_base, cowpea, collected_by=wang, scale=Decimal(10), state="superseded")
    new = make_origin(
        li_base, cowpea, collected_by=wang, scale=Decimal("12.50"), supersedes=old, planted_on=date(2026, 9, 1)
    )
    return old, new


def test_it_tells_how_much_more_it_is(two: tuple[Origin, Origin]) -> None:
    told = {change.label: change for change in changes_of(two[1])}
    assert told["种养规模"] == ("种养规模", "10 亩", "12.5 亩", "多了 25%")
    assert told["移栽定植"] == ("移栽定植", "没有填", "2026-09-01", "")
    assert set(told) == {"种养规模", "移栽定植"}


def test_it_tells_how_far_the_point_moved(two: tuple[Origin, Origin]) -> None:
    _, new = two
    assert new.latitude is not None
    new.latitude += Decimal("0.010000")
    (moved,) = [change for change in changes_of(new) if change.label == "点位经纬度"]
    assert moved.by == "移了 1.1 公里"


def test_it_masks_whom_it_tells_of(two: tuple[Origin, Origin]) -> None:
    _, new = two
    new.phone = "19900009935"
    new.contact = "李小山"
    told = {change.label: change for change in changes_of(new)}
    assert "19900009935" not in str(told)
    assert told["联系人"].by == "换了，隐去后看着一样"
    assert told["联系方式"].before != new.supersedes.phone if new.supersedes else False


def test_a_first_record_has_no_changes(li_origin: Origin, zhao: User) -> None:
    assert changes_of(li_origin) == []
    assert "和上次相比" not in client_of(zhao).get(li_origin.get_absolute_url()).content.decode()


def test_the_page_shows_them(two: tuple[Origin, Origin], zhao: User) -> None:
    assert "和上次相比，改了 2 项" in client_of(zhao).get(two[1].get_absolute_url()).content.decode()
