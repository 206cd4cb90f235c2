import random
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.quadkeys import cell, quadkey
from nongma.origins.models import DirtyCell, Origin, OriginCell
from nongma.origins.services.cells import (
    COARSEST,
    FINEST,
    SCALES,
    TAKE,
    county_of,
    mark_dirty,
    rebuild_cells,
    recount_dirty,
)
from nongma.registry.models import Base
from nongma.testing import at_once, make_origin

COUNTIES = (460205198004, 460204198004, 331102001001)


def months_between(first: date | None, last: date | None) -> Iterator[str]:
    if first and last:
        month = first.year * 12 + first.month - 1
        while month <= last.year * 12 + last.month - 1:
            yield f"m{month // 12}{month % 12 + 1:02}"
            month += 1


def by_hand(level: int) -> dict[tuple[int, int], tuple[Counter[str], list[int]]]:
    """What the cells of a level should say, counted one origin at a time."""
    cells: dict[tuple[int, int], tuple[Counter[str], list[int]]] = {}
    for origin in Origin.objects.exclude(state="superseded").exclude(quadkey=None).select_related("product"):
        assert origin.quadkey is not None
        counts, scales = cells.setdefault(
            (cell(origin.quadkey, level), county_of(origin.region_id)), (Counter(), [0] * len(SCALES))
        )
        keys = ["", f"p{origin.product_id}", f"i{origin.product.industry}", f"s{origin.state}"]
        counts.update([*keys, *months_between(origin.on_sale_on, origin.off_sale_on)])
        for index, edge in enumerate(SCALES):
            scales[index] += origin.scale >= edge
    return cells


def assert_exact() -> None:
    for level in range(COARSEST, FINEST + 1):
        stored = {
            (row.cell, row.county): (
                Counter(row.counts),
                [
                    next((n for band, n in zip(row.bands, row.reached, strict=True) if band >= place), 0)
                    for place in range(1, len(SCALES) + 1)
                ],
            )
            for row in OriginCell.objects.filter(level=level)
        }
        assert stored == by_hand(level), level


def scatter(base: Base, wang: User, seed: int, count: int) -> list[Origin]:
    """Origins at random places of three counties, of random products, states, seasons and scales."""
    dice = random.Random(seed)
    products = list(Product.objects.all()[:6])
    made = []
    for _ in range(count):
        longitude, latitude = dice.uniform(108.9, 109.6), dice.uniform(18.2, 18.5)
        first = date(2026, dice.randint(1, 12), dice.randint(1, 28)) if dice.random() < 0.7 else None
        made.append(
            make_origin(
                base,
                dice.choice(products),
                collected_by=wang,
                region_id=dice.choice(COUNTIES),
                longitude=Decimal(f"{longitude:.6f}"),
                latitude=Decimal(f"{latitude:.6f}"),
                quadkey=quadkey(longitude, latitude),
                state=dice.choice(["submitted", "approved", "superseded"]),
                scale=Decimal(dice.choice(["0.01", "0.5", "10", "10.01", "33.5", "99999", "1234567"])),
                on_sale_on=first,
                off_sale_on=first and date(2027, dice.randint(1, 12), 15),
            )
        )
    return made


def places(origins: list[Origin]) -> list[tuple[int | None, int]]:
    return [(origin.quadkey, origin.region_id) for origin in origins]


@pytest.mark.parametrize("seed", range(4))
def test_it_recounts_what_a_count_by_hand_finds(li_base: Base, wang: User, seed: int) -> None:
    origins = scatter(li_base, wang, seed, 60)
    mark_dirty(places(origins))
    assert recount_dirty() > 0
    assert_exact()
    dice = random.Random(seed)
    changed = dice.sample(origins, 20)
    mark_dirty(places(changed))
    for origin in changed:
        origin.state = dice.choice(["approved", "superseded"])
        origin.quadkey = quadkey(dice.uniform(108.9, 109.6), dice.uniform(18.2, 18.5))
        origin.save()
    mark_dirty(places(changed))
    recount_dirty()
    assert_exact()
    assert not DirtyCell.objects.exists()


def test_it_rebuilds_the_same_counts_from_nothing(li_base: Base, wang: User) -> None:
    scatter(li_base, wang, 9, 80)
    made = rebuild_cells()
    assert made == OriginCell.objects.count() > 0
    assert_exact()


def test_it_forgets_a_cell_that_emptied(li_base: Base, wang: User) -> None:
    (origin,) = scatter(li_base, wang, 1, 1)
    Origin.objects.update(state="approved")
    mark_dirty(places([origin]))
    recount_dirty()
    assert OriginCell.objects.count() == FINEST - COARSEST + 1
    Origin.objects.update(state="superseded")
    mark_dirty(places([origin]))
    recount_dirty()
    assert not OriginCell.objects.exists()


def test_it_marks_a_cell_once_for_all_rows_of_a_change(li_origin: Origin) -> None:
    place = (li_origin.quadkey, li_origin.region_id)
    assert mark_dirty([place] * 1000 + [(None, li_origin.region_id)]) == 1
    assert DirtyCell.objects.count() == 1
    assert mark_dirty([(None, li_origin.region_id)]) == 0


@pytest.mark.django_db(transaction=True)
def test_a_recount_that_fails_leaves_its_marks(li_origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    mark_dirty([(li_origin.quadkey, li_origin.region_id)])
    monkeypatch.setattr("nongma.origins.services.cells._ROLL_UP", "broken {source}")
    with pytest.raises(DatabaseError):
        recount_dirty()
    assert DirtyCell.objects.count() == 1
    assert not OriginCell.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_recounts_and_changes_at_once_end_exact(li_base: Base, wang: User) -> None:
    origins = scatter(li_base, wang, 3, 40)

    def change(part: list[Origin]) -> None:
        for origin in part:
            with transaction.atomic():
                Origin.objects.filter(pk=origin.pk).update(state="approved", scale=7)
                mark_dirty(places([origin]))
            recount_dirty()

    at_once(*(partial(change, origins[index::4]) for index in range(4)))
    recount_dirty()
    assert_exact()


def test_a_batch_is_read_once_whatever_the_planner_believes(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {TAKE}", [1_000])
        assert any("InitPlan" in line for (line,) in cursor.fetchall())
