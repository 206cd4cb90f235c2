import random
from calendar import monthrange
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import mapbox_vector_tile
import pytest
from django.test import Client

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.quadkeys import cell, cell_tile, quadkey, tile_span
from nongma.origins.filters import OriginFilter
from nongma.origins.models import Origin
from nongma.origins.services.cells import rebuild_cells
from nongma.origins.tiles import DEEPEST, GRIDS, PRESSING, tile
from nongma.registry.models import Base
from nongma.testing import SANYA, YAZHOU, YAZHOU_TOWN, api_of, client_of, make_origin

FILTERS: list[dict[str, str]] = [
    {},
    {"product": "P0"},
    {"industry": "planting"},
    {"status": "approved"},
    {"on_sale": "2026-05"},
    {"scale_min": "10"},
    {"scale_max": "10"},
    {"scale_min": "7.35", "scale_max": "33.49"},
    {"scale_min": "33.5", "scale_max": "33.5"},
    {"scale_min": "200000"},
    {"region": str(SANYA)},
    {"region": str(YAZHOU)},
    {"region": str(YAZHOU_TOWN)},
    {"product": "P0", "status": "submitted"},
    {"product": "P1", "industry": "planting"},
    {"on_sale": "2026-05", "scale_min": "10", "region": str(YAZHOU)},
    {"q": "大山"},
]


@pytest.fixture
def scattered(li_base: Base, wang: User) -> list[Origin]:
    """A few hundred origins in 三亚 and 莲都, all over two kilometres to two hundred."""
    dice = random.Random(7)
    products = list(Product.objects.order_by("pk")[:4])
    made = []
    for _ in range(160):
        spread = dice.choice([0.01, 0.3, 3])
        longitude, latitude = 109.2 + dice.uniform(-spread, spread), 18.4 + dice.uniform(-spread, spread)
        first = date(2026, dice.randint(1, 8), 1)
        last = first.replace(month=first.month + dice.randint(0, 4))
        made.append(
            make_origin(
                li_base,
                dice.choice(products),
                collected_by=wang,
                region_id=dice.choice([460205198004, 460204198004, 331102001001]),
                longitude=Decimal(f"{longitude:.6f}"),
                latitude=Decimal(f"{latitude:.6f}"),
                quadkey=quadkey(longitude, latitude),
                state=dice.choice(["submitted", "approved", "returned", "superseded"]),
                return_reason="不清楚",
                scale=Decimal(dice.choice(["7.34", "7.35", "10", "10.01", "33.5", "33.49", "250000"])),
                on_sale_on=first,
                off_sale_on=last.replace(day=monthrange(last.year, last.month)[1]),
            )
        )
    rebuild_cells()
    return made


def named(query: dict[str, str]) -> dict[str, str]:
    """P0, P1 … stand for the first products."""
    product = query.get("product")
    codes = list(Product.objects.order_by("pk").values_list("code", flat=True)[:2])
    return query | {"product": codes[int(product[1])]} if product else query


def features(content: bytes) -> list[dict[str, Any]]:
    if not content:
        return []
    return list(mapbox_vector_tile.decode(content, default_options={"y_coord_down": True})["origins"]["features"])


def tile_at(longitude: float, latitude: float, z: int) -> tuple[int, int, int]:
    return cell_tile(cell(quadkey(longitude, latitude), z), z)


@pytest.mark.parametrize("query", FILTERS, ids=lambda query: "&".join(query) or "all")
def test_every_tile_holds_what_the_table_counts(ministry: User, scattered: list[Origin], query: dict[str, str]) -> None:
    filters = OriginFilter.read(named(query), ministry)
    listed = filters.visible_to(ministry)
    for z in (0, 1, 5, 7, 8, 9, 14, DEEPEST):
        place = tile_at(109.2, 18.4, z)
        span = tile_span(*place)
        shown = features(tile(filters, ministry, *place))
        expected = listed.filter(quadkey__gte=span.start, quadkey__lt=span.stop)
        assert sum(feature["properties"]["count"] for feature in shown) == expected.count(), z
        assert len(shown) <= 1024
        coarse = features(tile(filters, ministry, *place, grid=8))
        assert sum(feature["properties"]["count"] for feature in coarse) == expected.count(), z
        assert len(coarse) <= 64
        for feature in shown:
            x, y = feature["geometry"]["coordinates"]
            assert 0 <= x < 4096
            assert 0 <= y < 4096
            if identity := feature["properties"].get("id"):
                origin = expected.get(uid=identity)
                assert feature["properties"]["product"] == origin.product.name
                assert feature["properties"]["state"] == origin.state


@pytest.mark.parametrize("query", FILTERS, ids=lambda query: "&".join(query) or "all")
def test_a_cluster_tells_its_states_and_stands_amid_its_origins(
    ministry: User, scattered: list[Origin], query: dict[str, str]
) -> None:
    filters = OriginFilter.read(named(query), ministry)
    for z, grid in ((2, 8), (5, 16), (7, 16), (8, 16), (8, 32), (9, 16), (14, 16), (DEEPEST, 32)):
        place = tile_at(109.2, 18.4, z)
        span, side = tile_span(*place), 4096 // grid
        reach = side / 4 if grid == 16 and z != 8 else side
        shift = (span.stop - span.start).bit_length() - 1 - 2 * GRIDS[grid]
        by_cell: dict[int, list[Origin]] = {}
        for origin in filters.visible_to(ministry).filter(quadkey__gte=span.start, quadkey__lt=span.stop):
            assert origin.quadkey is not None
            by_cell.setdefault(origin.quadkey >> shift, []).append(origin)
        expected = []
        for members in by_cell.values():
            states = Counter(origin.state for origin in members)
            most = max(PRESSING, key=lambda state: states[state])
            also = next((state for state in PRESSING if states[state] and state != most), None)
            told = {"count": len(members), "state": most} | ({"also": also} if also else {})
            middle = [0.0, 0.0]
            for origin in members:
                assert origin.quadkey is not None
                _, x, y = cell_tile(origin.quadkey - span.start, 24)
                for axis, position in enumerate((x, y)):
                    middle[axis] += position * 4096 / (1 << 24 - z) / len(members)
            expected.append((told, middle))
        shown = features(tile(filters, ministry, *place, grid=grid))
        assert len(shown) == len(expected)
        for feature in shown:
            properties = {key: feature["properties"].get(key) for key in ("count", "state", "also")}
            x, y = feature["geometry"]["coordinates"]
            assert any(
                {"also": None} | told == properties and abs(x - east) <= reach and abs(y - south) <= reach
                for told, (east, south) in expected
            ), (z, grid, feature)


def test_a_cluster_of_more_than_are_soon_counted_leaves_unknown_states_out(
    ministry: User, scattered: list[Origin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nongma.origins.tiles.MOST_COUNTED", dict.fromkeys(GRIDS, 0))
    place = tile_at(109.2, 18.4, 5)
    for query in ({}, {"status": "returned"}):
        shown = features(tile(OriginFilter.read(query, ministry), ministry, *place))
        assert all(feature["properties"].get("state") for feature in shown)
    product = OriginFilter.read(named({"product": "P0"}), ministry)
    shown = features(tile(product, ministry, *place))
    large = [feature["properties"] for feature in shown if feature["properties"]["count"] > 9]
    assert large
    assert not any("state" in properties for properties in large)


def test_a_tile_shows_a_person_only_the_own_area(
    sun: User, zhao: User, ministry: User, scattered: list[Origin]
) -> None:
    def seen(user: User, z: int) -> int:
        shown = features(tile(OriginFilter(), user, *tile_at(109.2, 18.4, z)))
        return sum(feature["properties"]["count"] for feature in shown)

    for z in (3, 7, 9):
        assert 0 < seen(sun, z) < seen(ministry, z)
        assert 0 < seen(zhao, z) < seen(ministry, z)
    assert OriginFilter(region=scattered[0].region).visible_to(sun).filter(region_id__lt=330000000000).count() == 0


def test_a_grower_sees_the_own_fields(li: User, chen: User, scattered: list[Origin]) -> None:
    assert features(tile(OriginFilter(), li, 0, 0, 0))
    assert not features(tile(OriginFilter(), chen, 0, 0, 0))


def test_a_single_origin_names_itself_where_it_stands(zhao: User, li_origin: Origin) -> None:
    rebuild_cells()
    for z in (0, 5, 7, 8, 16):
        place = tile_at(109.158151, 18.435040, z)
        (feature,) = features(tile(OriginFilter(), zhao, *place))
        assert feature["properties"] == {
            "count": 1,
            "id": str(li_origin.uid),
            "product": "豇豆",
            "state": "submitted",
        }


def test_it_answers_a_session_or_a_token(zhao: User, li_origin: Origin) -> None:
    address = "/tiles/origins/8/{1}/{2}.mvt".format(*tile_at(109.158151, 18.435040, 8))
    by_session, by_token = client_of(zhao).get(address), api_of(zhao).get(address)
    assert by_session.status_code == by_token.status_code == 200
    assert by_session.content == by_token.content != b""
    assert by_session["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert "private" in by_session["Cache-Control"]
    again = client_of(zhao).get(address, headers={"If-None-Match": by_session["ETag"]})
    assert again.status_code == 304
    assert Client().get(address).status_code == 401
    assert Client(headers={"Authorization": "Bearer no"}).get(address).status_code == 401


def test_it_refuses_who_may_not_see_and_what_makes_no_sense(qian: User, zhao: User) -> None:
    assert client_of(qian).get("/tiles/origins/0/0/0.mvt").status_code == 403
    for outside in ("2/4/0", "2/0/4", "19/0/0", "99/0/0", "-1/0/0", "x/0/0"):
        answer = client_of(zhao).get(f"/tiles/origins/{outside}.mvt")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["code"] == "not_found"
    assert client_of(zhao).post("/tiles/origins/0/0/0.mvt").json()["code"] == "method_not_allowed"
    assert client_of(zhao).get("/tiles/origins/0/0/0.mvt?grid=5").status_code == 422
    wrong = client_of(zhao).get("/tiles/origins/0/0/0.mvt?on_sale=May&scale_min=5&scale_max=2&region=1")
    assert wrong.status_code == 422
    assert {error["field"] for error in wrong.json()["errors"]} == {"on_sale", "scale_max", "region"}
