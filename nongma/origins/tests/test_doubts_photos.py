import hashlib
from decimal import Decimal

import pytest

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.origins.doubts.looking import look
from nongma.origins.doubts.marks import mark
from nongma.origins.models import Doubt, Origin, OriginPhoto
from nongma.registry.models import Base
from nongma.testing import LI_POINT, make_base, make_operator, make_origin

LOOK = -0x0123_4567_89AB_CDEF


def photo(origin: Origin, content: str, fingerprint: int) -> OriginPhoto:
    return OriginPhoto.objects.create(
        origin=origin,
        photo="origin-photos/none.jpg",
        digest=hashlib.sha256(content.encode()).digest(),
        look=fingerprint,
        uploaded_by=origin.collected_by,
    )


@pytest.fixture
def other(li_origin: Origin, cowpea: Product, wang: User) -> Origin:
    """A neighbour's record; Li's has a photo."""
    photo(li_origin, "field", LOOK)
    base = make_base(
        make_operator(phone=""), region=li_origin.region_id, point=(LI_POINT[0], LI_POINT[1] + Decimal("0.002"))
    )
    return make_origin(base, cowpea, collected_by=wang)


def looked(origin: Origin) -> set[str]:
    mark([origin.pk])
    look()
    return set(Doubt.objects.open().filter(origin=origin).values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("content", "fingerprint", "kinds"),
    [
        ("field", 5, {"photo"}),
        ("saved again", LOOK, {"photo"}),
        ("saved again", LOOK ^ 4, {"photo"}),
        ("saved again", LOOK ^ 6, set()),
        ("another", 0x7777_0000_1111_2222, set()),
    ],
)
def test_it_doubts_a_photo_that_another_base_has(
    other: Origin, li_origin: Origin, content: str, fingerprint: int, kinds: set[str]
) -> None:
    photo(other, content, fingerprint)
    assert looked(other) == kinds
    if kinds:
        assert Doubt.objects.open().get(origin=other).other == li_origin
        assert Doubt.objects.open().filter(origin=li_origin, kind="photo").exists()


def test_it_leaves_a_photo_of_ones_own_base_and_one_without_features(
    other: Origin, li_origin: Origin, li_base: Base, wang: User
) -> None:
    again = make_origin(li_base, Product.objects.get(name="韭菜"), collected_by=wang)
    photo(again, "field", LOOK)
    assert looked(again) == set()
    photo(li_origin, "night", 1)
    photo(other, "another night", 1)
    assert looked(other) == set()
