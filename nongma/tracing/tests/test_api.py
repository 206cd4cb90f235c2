from decimal import Decimal

import pytest
from django.utils import timezone

from nongma.testing import api_of
from nongma.tracing.models import Lot, LotEntry
from nongma.tracing.services import split_lot, transfer_lot
from nongma.tracing.tests.factories import harvest


@pytest.fixture
def lot(li, li_base, cowpea):
    return harvest(li_base, cowpea, li)


def post(user, path, data, **headers):
    return api_of(user).post(f"/api/v1/lots{path}", data, content_type="application/json", headers=headers)


HARVEST = {"product": "豇豆", "quantity": "500", "unit": "kg", "harvested_on": str(timezone.localdate())}


def test_a_program_registers_a_harvest(li, li_base, li_origin):
    answer = post(li, "", HARVEST)

    assert answer.status_code == 201
    told = answer.json()
    lot = Lot.objects.get()
    assert (told["code"], told["balance"], told["unit"], told["state"]) == (lot.code, "500.000", "kg", "usable")
    assert told["base"] == {"code": li_base.code, "name": li_base.name}
    assert told["operator"]["code"] == lot.operator.code
    assert told["url"].endswith(f"/t/{lot.code}")


def test_the_product_may_be_named_by_its_code_and_the_base_by_its_own(li, li_base, cowpea):
    assert post(li, "", HARVEST | {"product": cowpea.code, "base": li_base.code}).status_code == 201


def test_the_same_key_registers_once(li, li_base):
    first = post(li, "", HARVEST, **{"Idempotency-Key": "harvest-1"})
    second = post(li, "", HARVEST, **{"Idempotency-Key": "harvest-1"})

    assert first.json() == second.json()
    assert Lot.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"product": "没有的菜"}, 422, "product_unknown", "product"),
        ({"base": "1" * 20}, 422, "base_unknown", "base"),
        ({"base": "abc"}, 422, "string_pattern_mismatch", "base"),
        ({"quantity": "0"}, 422, "not_positive", "quantity"),
        ({"quantity": "many"}, 422, "decimal_parsing", "quantity"),
        ({"unit": "t9"}, 409, "unit_not_traded", "unit"),
        ({"harvested_on": "2999-01-01"}, 422, "in_future", "harvested_on"),
        ({"harvested_on": "2020-01-01"}, 422, "too_long_ago", "harvested_on"),
    ],
)
def test_it_says_what_is_wrong(li, li_base, change, status, code, field):
    answer = post(li, "", HARVEST | change)

    assert answer.status_code == status
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert not Lot.objects.exists()


def test_without_a_base_there_is_no_harvest(li, li_operator):
    assert post(li, "", HARVEST).json()["errors"][0]["code"] == "base_missing"


def test_others_are_told_nothing(chen, chen_base, sun, wang, client, lot):
    assert client.get(f"/api/v1/lots/{lot.code}").status_code == 401
    assert api_of(wang).get(f"/api/v1/lots/{lot.code}").status_code == 403
    for user in (chen, sun):
        assert api_of(user).get(f"/api/v1/lots/{lot.code}").status_code == 404
        assert api_of(user).get("/api/v1/lots").json()["total"] == 0
    assert post(chen, f"/{lot.code}/split", {"quantities": ["1"]}).status_code == 404
    assert post(sun, f"/{lot.code}/recall", {"reason": "x"}).status_code == 404
    assert post(sun, "", HARVEST).status_code == 403
    assert LotEntry.objects.count() == 1


def test_the_list_is_narrowed(li, zhao, lot):
    for query, total in (
        ("", 1),
        ("?product=豇豆", 1),
        ("?product=黄瓜", 0),
        ("?state=recalled", 0),
        ("?region=460000000000", 1),
        ("?region=330000000000", 0),
        ("?region=46", 1),
        ("?region=4602", 1),
        ("?region=33", 0),
        ("?region=00", 1),
    ):
        assert api_of(zhao).get(f"/api/v1/lots{query}").json()["total"] == total


@pytest.mark.parametrize("region", ["4", "460", "四六", "99", "460205198004x", "-460000000000"])
def test_a_region_that_does_not_exist_is_an_error(zhao, region):
    answer = api_of(zhao).get("/api/v1/lots", {"region": region})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "region"


def test_how_much_others_traded_is_told_to_none_but_them(li, lot, chen, chen_operator, chen_base):
    (part,) = split_lot(lot=lot, quantities=[Decimal(100)], actor=li)
    received = transfer_lot(lot=part, quantity=Decimal(20), buyer=chen_operator, actor=li).received

    links = api_of(chen).get(f"/api/v1/lots/{received.code}/trace").json()["links"]

    assert {(link["parent"], link["child"]): link["quantity"] for link in links} == {
        (lot.code, part.code): None,
        (part.code, received.code): "20.000",
    }


def test_the_life_of_a_lot(li, zhao, lot, chen, chen_operator, li_base, cowpea):
    other = harvest(li_base, cowpea, li, "80")
    parts = post(li, f"/{lot.code}/split", {"quantities": ["100", "50.5"]}).json()["lots"]
    assert [part["balance"] for part in parts] == ["100.000", "50.500"]

    mixed = post(li, f"/{parts[0]['code']}/mix", {"lots": [other.code, {"lot": parts[1]["code"], "quantity": "0.5"}]})
    assert mixed.json()["balance"] == "180.500"
    code = mixed.json()["code"]

    sold = post(li, f"/{code}/transfer", {"quantity": "80.5", "buyer": chen_operator.code}).json()
    assert (sold["quantity"], sold["buyer"]["name"], sold["state"]) == ("80.500", chen_operator.name, "delivered")
    assert post(li, f"/{code}/transfer", {"quantity": "10", "buyer_name": "早市"}).json()["received"] is None
    assert post(li, f"/{code}/loss", {"quantity": "10"}).json()["balance"] == "80.000"
    assert post(li, f"/{code}/transfer", {"quantity": "81", "buyer_name": "早市"}).json()["code"] == "over_balance"
    assert post(li, f"/{code}/transfer", {"quantity": "1", "buyer": "1" * 20}).json()["code"] == "buyer_unknown"
    assert post(li, f"/{code}/mix", {"lots": ["1" * 20]}).json()["errors"][0]["code"] == "lot_unknown"

    traced = api_of(li).get(f"/api/v1/lots/{lot.code}/trace?direction=forward").json()
    hidden = next(node for node in traced["nodes"] if node["code"] == sold["received"])
    assert hidden == {
        "code": sold["received"],
        "product": "豇豆",
        "made_on": hidden["made_on"],
        "depth": 3,
        "visible": False,
        "kind": None,
        "state": "usable",
        "unit": None,
        "operator": None,
        "base": None,
    }
    assert {(link["parent"], link["child"]) for link in traced["links"]} >= {(code, sold["received"])}
    back = api_of(chen).get(f"/api/v1/lots/{sold['received']}/trace?direction=back").json()
    assert min(node["depth"] for node in back["nodes"]) == -3
    assert api_of(li).get(f"/api/v1/lots/{lot.code}/trace?direction=up").status_code == 422

    assert post(li, f"/{lot.code}/freeze", {"reason": "待检"}).status_code == 404
    assert post(zhao, f"/{lot.code}/freeze", {"reason": "待检"}).json()["state"] == "frozen"
    assert post(zhao, f"/{lot.code}/unfreeze", {"reason": "合格"}).json()["state"] == "usable"
    recalled = post(zhao, f"/{lot.code}/recall", {"reason": "抽检不合格"}).json()["recalled"]
    assert recalled[0] == lot.code
    assert sold["received"] in recalled
    assert api_of(chen).get(f"/api/v1/lots/{sold['received']}").json()["state"] == "recalled"
