from collections.abc import Callable, Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.quadkeys import quadkey
from nongma.origins.doubts.looking import look
from nongma.origins.doubts.marks import mark
from nongma.origins.models import Doubt, DoubtMark, DoubtTally, Origin
from nongma.registry.models import Base
from nongma.testing import LI_PHONE, LI_POINT, YAZHOU, YAZHOU_VILLAGE, make_base, make_operator, make_origin

LEDONG = 469027000000

Make = Callable[..., Origin]


def at(east_m: float = 0, north_m: float = 0) -> tuple[Decimal, Decimal]:
    """A point so many metres from Li's."""
    degrees = 1 / 111_320
    return (
        Decimal(float(LI_POINT[0]) + east_m * degrees / 0.9487).quantize(Decimal("0.000001")),
        Decimal(float(LI_POINT[1]) + north_m * degrees).quantize(Decimal("0.000001")),
    )


@pytest.fixture
def make(cowpea: Product, wang: User) -> Make:
    """A record of an operator of its own, so many metres from Li's point."""

    def made(
        east_m: float = 0, north_m: float = 0, *, region: int = YAZHOU_VILLAGE, product: Product = cowpea, **fields: Any
    ) -> Origin:
        owner = fields.pop("operator", None) or make_operator(
            region=region, phone=fields.pop("phone", ""), phone_index=fields.pop("phone_index", None)
        )
        base = make_base(owner, region=region, point=at(east_m, north_m))
        return make_origin(base, product, collected_by=fields.pop("collected_by", wang), **{"phone": LI_PHONE} | fields)

    return made


def looked(*origins: Origin) -> Collection[str]:
    """Look at the records, and the kinds that stand open on the last."""
    mark(origin.pk for origin in origins)
    look()
    return set(Doubt.objects.open().filter(origin=origins[-1]).values_list("kind", flat=True))


def text_of(origin: Origin, kind: str) -> str:
    return Doubt.objects.open().get(origin=origin, kind=kind).text


@pytest.fixture
def elsewhere(db: None) -> int:
    """A village of 乐东县, whose townships begin where 崖州区 ends (which has villages and no townships)."""
    from nongma.regions.models import Region

    return Region.objects.filter(level=5, code__gte=LEDONG, code__lt=LEDONG + 10**6).order_by("code")[0].code


# 乡镇、县


def test_it_doubts_a_point_among_those_of_another_township(make: Make, elsewhere: int) -> None:
    own = [make(9_000 + 100 * step) for step in range(3)]
    theirs = [make(200 * step, 150, region=elsewhere) for step in range(3)]
    wrong = make(0, 0)
    assert looked(*own, *theirs, wrong) == {"town"}
    text = text_of(wrong, "town")
    assert "9.0 公里" in text
    assert "150 米" in text
    assert Doubt.objects.get(origin=wrong).other == theirs[0]
    assert not Doubt.objects.filter(kind="town").exclude(origin=wrong).exists()


@pytest.mark.parametrize(("own_m", "others"), [(1_500, 3), (9_000, 2)])
def test_it_leaves_a_point_near_its_own_or_beside_few_others(
    make: Make, elsewhere: int, own_m: float, others: int
) -> None:
    own = make(own_m)
    theirs = [make(200 * step, 150, region=elsewhere) for step in range(others)]
    assert looked(own, *theirs, make(0, 0)) == set()


def test_it_says_nothing_of_a_township_without_points(make: Make, elsewhere: int) -> None:
    theirs = [make(200 * step, 150, region=elsewhere) for step in range(4)]
    assert looked(*theirs, make(0, 0)) == set()


def test_it_doubts_a_point_just_outside_its_county(make: Make) -> None:
    # 乐东 lies west of 崖州; the border runs near 108.99°E here.
    from nongma.regions.boundaries import distance_outside_county

    metres = next(
        step for step in range(0, -60_000, -100) if distance_outside_county(YAZHOU, *map(float, at(step))) > 300
    )
    assert looked(make(metres)) == {"county"}
    assert looked(make(metres + 1_500)) == set()


# 别家


def test_it_doubts_a_point_on_another_operators(make: Make, li_origin: Origin) -> None:
    assert looked(make(4, 3)) == {"other_point"}
    assert "5.0 米" in Doubt.objects.open().get(origin=Origin.objects.latest("pk")).text
    # Li's record is looked at in turn, since the doubt is as much about it.
    assert set(Doubt.objects.open().filter(origin=li_origin).values_list("kind", flat=True)) == {"other_point"}


def test_it_leaves_a_neighbour_and_another_product_of_ones_own(make: Make, li_origin: Origin) -> None:
    pepper = Product.objects.exclude(pk=li_origin.product_id).filter(industry="planting").first()
    assert pepper
    assert looked(make(12)) == set()
    assert looked(make(-4, operator=li_origin.operator, product=pepper)) == set()


def test_it_doubts_a_point_inside_anothers_base(make: Make, li_base: Base, li_origin: Origin) -> None:
    x, y = float(LI_POINT[0]), float(LI_POINT[1])
    ring = [[x - 0.002, y - 0.002], [x + 0.002, y - 0.002], [x + 0.002, y + 0.002], [x - 0.002, y + 0.002]]
    Base.objects.filter(pk=li_base.pk).update(
        outline={"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, outline_mu=Decimal(240)
    )
    assert looked(make(100)) == {"other_base"}
    assert looked(make(300)) == set()
    assert looked(li_origin) == set()


def test_it_says_once_that_many_stand_on_one_spot(make: Make) -> None:
    four = [make(step / 2) for step in range(4)]
    assert looked(*four) == {"other_point"}
    assert looked(make(2)) == {"pile"}
    assert "5 家" in text_of(Origin.objects.latest("pk"), "pile")
    assert looked(*four) == {"pile"}
    assert Doubt.objects.get(origin=four[0], kind="other_point").state == "gone"


# 手机


@pytest.mark.parametrize(("metres", "kinds"), [("15.0", set()), ("15.1", {"accuracy"}), (None, set())])
def test_it_doubts_a_point_that_the_phone_was_not_sure_of(make: Make, metres: str | None, kinds: set[str]) -> None:
    assert looked(make(accuracy_m=metres and Decimal(metres))) == kinds


def test_a_county_may_want_another_accuracy(make: Make, settings: Any) -> None:
    settings.DOUBT_ACCURACY_METRES = 30
    assert looked(make(accuracy_m=Decimal(25))) == set()


@pytest.mark.parametrize(("metres", "kinds"), [(190, set()), (230, {"device"})])
def test_it_doubts_a_point_far_from_the_phone(make: Make, metres: float, kinds: set[str]) -> None:
    x, y = at(metres)
    assert looked(make(device_longitude=x, device_latitude=y)) == kinds


@pytest.mark.parametrize(("minutes", "kinds"), [(2, {"speed"}), (30, set()), (180, set())])
def test_it_doubts_a_collector_who_flew(make: Make, minutes: int, kinds: set[str]) -> None:
    (x, y), (far_x, far_y) = at(), at(8_000)
    make(device_longitude=x, device_latitude=y)
    later = make(8_000, device_longitude=far_x, device_latitude=far_y)
    Origin.objects.filter(pk=later.pk).update(created_at=timezone.now() + timedelta(minutes=minutes))
    assert looked(later) == kinds


def test_it_doubts_a_phone_of_many(make: Make) -> None:
    index = bytes(16)
    three = [make(100 * step, phone="19900001111", phone_index=index) for step in range(3)]
    assert looked(*three) == set()
    assert looked(make(500, phone="19900001111", phone_index=index)) == {"phone"}
    assert "4 家" in text_of(Origin.objects.latest("pk"), "phone")
    assert looked(make(600, phone="", phone_index=None)) == set()


# What a look does


def test_it_takes_back_what_does_not_hold_any_more(make: Make) -> None:
    origin = make(accuracy_m=Decimal(40))
    assert looked(origin) == {"accuracy"}
    Origin.objects.update(accuracy_m=Decimal(5))
    assert looked(origin) == set()
    assert Doubt.objects.get().state == "gone"


def test_it_leaves_settled_what_was_settled_and_asks_anew_what_changed(make: Make) -> None:
    origin = make(accuracy_m=Decimal(40))
    looked(origin)
    Doubt.objects.update(state="wrong", closed_at=timezone.now())
    assert looked(origin) == set()
    Origin.objects.update(accuracy_m=Decimal(60))
    assert looked(origin) == {"accuracy"}
    assert sorted(Doubt.objects.values_list("state", flat=True)) == ["open", "wrong"]


def test_it_closes_the_doubts_of_a_record_whose_place_was_taken(make: Make) -> None:
    origin = make(accuracy_m=Decimal(40))
    looked(origin)
    Origin.objects.update(state="superseded")
    assert looked(origin) == set()


def test_a_look_that_fails_leaves_its_marks(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from nongma.origins.doubts import looking

    origin = make(accuracy_m=Decimal(40))
    mark([origin.pk])

    def broken(*arguments: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(looking, "_write", broken)
    with pytest.raises(RuntimeError):
        look()
    monkeypatch.undo()
    assert DoubtMark.objects.count() == 1
    look()
    assert not DoubtMark.objects.exists()
    assert Doubt.objects.open().count() == 1


def test_it_counts_what_a_county_has(make: Make) -> None:
    looked(make(accuracy_m=Decimal(40)), make(500, accuracy_m=Decimal(50)))
    tally = DoubtTally.objects.get()
    assert (tally.county, tally.kind, tally.waiting, tally.right, tally.wrong) == (YAZHOU, "accuracy", 2, 0, 0)


def test_points_are_where_the_tests_say(make: Make) -> None:
    assert make(0, 0).quadkey == quadkey(float(LI_POINT[0]), float(LI_POINT[1]))
