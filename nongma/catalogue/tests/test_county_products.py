"""本县增设的产品：本县的表格和导入认得，别的县不认得；停用，不删除。"""

from decimal import Decimal
from typing import Any

import pytest

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.catalogue.naming import ProductNames
from nongma.catalogue.queries import find_product, products_matching
from nongma.catalogue.services import SCALE_UNITS, add_product, change_product, end_product
from nongma.lib.refused import Refused
from nongma.origins.importing.cells import UNITS_OF_INDUSTRY
from nongma.regions.models import Region
from nongma.testing import LIANDU, SANYA, YAZHOU, YAZHOU_VILLAGE

pytestmark = pytest.mark.django_db

GIVEN: dict[str, Any] = {
    "name": "火山石斛",
    "aliases": ["石斛花"],
    "industry": "planting",
    "unit": "mu",
    "threshold": Decimal("0.5"),
    "source": "崖州区农业农村局〔2026〕3号",
}


@pytest.fixture
def yazhou(db: None) -> Region:
    return Region.objects.get(pk=YAZHOU)


@pytest.fixture
def orchid(yazhou: Region, zhao: User) -> Product:
    return add_product(region=yazhou, actor=zhao, **GIVEN)


def test_the_county_knows_it_and_no_other_does(orchid: Product) -> None:
    names = ProductNames()
    for called in ("火山石斛", "石斛花"):
        assert names.find(called, YAZHOU_VILLAGE) == orchid
        assert names.find(called, LIANDU) is names.find(called) is None
    assert orchid in Product.objects.usable_at(YAZHOU_VILLAGE)
    assert orchid not in Product.objects.usable_at(LIANDU)
    assert not products_matching(text="石斛花").exists()
    assert find_product("火山石斛") is None
    assert find_product(orchid.code) == orchid
    assert (orchid.is_key, orchid.threshold_unit, orchid.code) == (False, "mu", "460205-01")
    assert Entry.objects.filter(action="product.added", region_code=YAZHOU).count() == 1


def test_another_county_may_call_its_own_so(orchid: Product, sun: User) -> None:
    own = add_product(region=Region.objects.get(pk=LIANDU), actor=sun, **GIVEN)
    names = ProductNames()
    assert (names.find("石斛花", YAZHOU), names.find("石斛花", LIANDU)) == (orchid, own)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": "豇豆"}, "name", "name_taken"),
        ({"name": "豆 角"}, "name", "name_taken"),
        ({"name": "另一种", "aliases": ["长豆角"]}, "aliases", "name_taken"),
        ({"name": "石斛花"}, "name", "name_taken"),
        ({"name": " "}, "name", "text_missing"),
        ({"name": "另一种", "aliases": [], "source": ""}, "source", "text_missing"),
        ({"name": "另一种", "aliases": [], "unit": "head"}, "unit", "unit_unknown"),
        ({"name": "另一种", "aliases": [], "threshold": Decimal(0)}, "threshold", "threshold_invalid"),
        ({"name": "另一种", "aliases": [str(n) for n in range(11)]}, "aliases", "too_many"),
    ],
)
def test_it_refuses_what_clashes_or_is_wrong(
    orchid: Product, yazhou: Region, zhao: User, change: dict[str, Any], field: str, code: str
) -> None:
    before = Product.objects.count()
    with pytest.raises(Refused) as refusal:
        add_product(region=yazhou, actor=zhao, **GIVEN | change)
    assert (refusal.value.field, refusal.value.code) == (field, code)
    assert Product.objects.count() == before


def test_only_the_countys_reviewer_may(orchid: Product, yazhou: Region, sun: User, wang: User, zhao: User) -> None:
    before = Product.objects.count()
    for actor, region, code in (
        (sun, yazhou, "outside_area"),
        (wang, yazhou, "not_allowed"),
        (zhao, Region.objects.get(pk=SANYA), "not_a_county"),
    ):
        with pytest.raises(Refused) as refusal:
            add_product(region=region, actor=actor, **GIVEN | {"name": "另一种", "aliases": []})
        assert refusal.value.code == code
    with pytest.raises(Refused):
        end_product(product=orchid, actor=sun)
    with pytest.raises(Refused) as national:
        end_product(product=Product.objects.get(name="豇豆"), actor=zhao)
    assert national.value.code == "not_allowed"
    assert Product.objects.count() == before
    assert not Product.objects.exclude(ended_on=None).exists()


def test_it_is_changed_and_ended_never_deleted(orchid: Product, zhao: User) -> None:
    changed = change_product(product=orchid, name="火山石斛", aliases=[], source="新文件", actor=zhao)
    assert (changed.aliases, changed.threshold, changed.threshold_unit) == ([], None, "")
    end_product(product=orchid, actor=zhao)
    assert ProductNames().find("火山石斛", YAZHOU) is None
    with pytest.raises(Refused) as refusal:
        change_product(product=orchid, name="别名", source="新文件", actor=zhao)
    assert refusal.value.code == "product_ended"
    assert Product.objects.get(pk=orchid.pk).name == "火山石斛"


def test_units_are_those_of_the_form() -> None:
    assert {industry.value: tuple(unit.value for unit in units) for industry, units in SCALE_UNITS.items()} == (
        UNITS_OF_INDUSTRY
    )
