"""采集一条：一个人在地里把附件 1 填完，每一项都照表格导入的规矩。"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from nongma.accounts.models import Role, User
from nongma.audit.queries import history_of
from nongma.catalogue.models import Product
from nongma.lib.ids import uuid7
from nongma.lib.quadkeys import quadkey
from nongma.lib.refused import Refused
from nongma.origins.collecting.entries import Entry
from nongma.origins.collecting.services import collect_origin
from nongma.origins.models import DirtyCell, Origin
from nongma.origins.services.placing import Fix
from nongma.regions.models import Region
from nongma.registry.models import Base, Operator
from nongma.testing import (
    LI_PHONE,
    LI_POINT,
    YAZHOU,
    YAZHOU_TOWN,
    YAZHOU_VILLAGE,
    at_once,
    make_base,
    make_official,
    make_origin,
)

NEW: dict[str, Any] = {
    "name": "李大山",
    "kind": "农户",
    "contact": "李大山",
    "phone": LI_PHONE,
    "product": "豇豆",
    "longitude": "109.158151",
    "latitude": "18.435040",
    "scale": "10.8",
    "unit": "亩",
    "on_sale": "2026-04",
    "off_sale": "2026-08",
    "method": "露地、设施",
    "trace": "承诺达标合格证、追溯码",
    "grid_name": "冯玉强",
    "grid_phone": "19900004633",
    "collector_phone": "19900008499",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def village(db: None) -> Region:
    return Region.objects.get(pk=YAZHOU_VILLAGE)


@pytest.fixture
def entry(village: Region) -> Entry:
    return Entry(region=village, **NEW)


def test_a_whole_line_of_the_form_is_put_on_file_and_waits_for_review(wang: User, entry: Entry) -> None:
    made = collect_origin(
        entry=replace(entry, planted="2026-01-15", alias="长豆角", credit="A", certification="绿色"),
        fix=Fix("device", Decimal("4.2"), *LI_POINT),
        actor=wang,
    )
    made.refresh_from_db()
    assert (made.state, made.point, made.quadkey) == (
        "submitted",
        "109.158151,18.435040",
        quadkey(109.158151, 18.43504),
    )
    assert (made.scale, made.unit, made.scale_typed) == (Decimal("10.80"), "mu", "")
    assert (made.on_sale_on, made.off_sale_on, made.planted_on) == (
        date(2026, 4, 1),
        date(2026, 8, 31),
        date(2026, 1, 15),
    )
    assert (made.methods, made.trace_methods) == (["open_field", "protected"], ["certificate", "trace_code"])
    assert (made.certifications, made.alias, made.credit) == (["green"], "长豆角", "A")
    assert (made.collector_name, made.collector_phone) == ("王采集", "19900008499")
    assert (made.located_with, made.accuracy_m) == ("device", Decimal("4.2"))
    assert (made.device_longitude, made.device_latitude) == LI_POINT
    assert made.operator.kinds == ["household"]
    assert made.operator.status == Operator.Status.SUBMITTED
    assert made.base.quadkey == made.quadkey
    assert [one.action for one in history_of(made)] == ["origin.collected"]
    assert DirtyCell.objects.exists()


def test_the_import_takes_it_for_the_same_record(wang: User, entry: Entry) -> None:
    from nongma.origins.importing.identity import fingerprint_of, identity_of
    from nongma.origins.services.placing import as_judged

    made = collect_origin(entry=entry, actor=wang)
    assert bytes(made.identity) == identity_of(as_judged(made))
    assert bytes(made.fingerprint) == fingerprint_of(as_judged(made))


def test_what_the_platform_knows_need_not_be_typed(
    wang: User, entry: Entry, li_operator: Operator, li_base: Base, cowpea: Product
) -> None:
    make_origin(li_base, cowpea, collected_by=wang, region_id=YAZHOU_VILLAGE)
    known = replace(
        entry,
        operator=li_operator,
        name="",
        kind="",
        contact="",
        phone="",
        grid_name="",
        grid_phone="",
        on_sale="2026-05",
    )
    made = collect_origin(entry=known, actor=wang)
    assert made.operator == li_operator
    assert (made.contact, made.phone) == ("李大山", LI_PHONE)
    assert (made.grid_name, made.grid_phone) == ("冯玉强", "19900004633")
    assert made.base == li_base


def test_name_and_phone_find_the_operator_of_the_county(wang: User, entry: Entry, li_operator: Operator) -> None:
    assert collect_origin(entry=entry, actor=wang).operator == li_operator
    assert Operator.objects.count() == 1


def test_plots_of_one_base_are_recorded_each(wang: User, entry: Entry, li_operator: Operator, li_base: Base) -> None:
    own = replace(entry, operator=li_operator, base=li_base)
    first = collect_origin(entry=own, actor=wang)
    second = collect_origin(entry=replace(own, longitude="109.158951", scale="0.3"), actor=wang)
    assert first.base == second.base == li_base
    li_base.refresh_from_db()
    assert (li_base.longitude, li_base.latitude) == LI_POINT


def test_a_base_without_a_point_gets_the_records(wang: User, entry: Entry, li_operator: Operator) -> None:
    unlocated = make_base(li_operator, region=YAZHOU_VILLAGE, point=None)
    made = collect_origin(entry=replace(entry, operator=li_operator, base=unlocated), actor=wang)
    unlocated.refresh_from_db()
    assert made.base == unlocated
    assert unlocated.quadkey == made.quadkey


def test_square_metres_of_a_pond_are_kept_as_mu_with_what_was_typed(wang: User, entry: Entry) -> None:
    made = collect_origin(
        entry=replace(entry, product="乌鳢", scale="200", unit="平方米", on_sale="", off_sale="", method=""), actor=wang
    )
    assert (made.scale, made.unit, made.scale_typed) == (Decimal("0.30"), "mu", "200.00 平方米")
    assert (made.on_sale_on, made.methods) == (None, [])


def test_without_a_point_it_waits_for_a_visit_if_so_said(wang: User, entry: Entry) -> None:
    blank = replace(entry, longitude="", latitude="")
    with pytest.raises(Refused) as refusal:
        collect_origin(entry=blank, actor=wang)
    assert refusal.value.code == "no_point"
    assert not Origin.objects.exists()
    made = collect_origin(entry=blank, locate_later=True, actor=wang)
    assert (made.state, made.quadkey, made.located_with) == ("to_locate", None, "")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"product": "不是产品"}, "product", "unknown-product"),
        ({"product": ""}, "product", "missing"),
        ({"name": ""}, "name", "missing"),
        ({"kind": "批发市场"}, "kind", "not-a-choice"),
        ({"phone": "1990000"}, "phone", "not-a-mobile"),
        ({"scale": "0"}, "scale", "not-positive"),
        ({"unit": "头"}, "unit", "unit-does-not-fit-industry"),
        ({"unit": "平方米"}, "unit", "unit-does-not-fit-industry"),
        ({"on_sale": ""}, "on_sale", "missing"),
        ({"off_sale": "2026-03"}, "off_sale", "off-before-on"),
        ({"planted": "2026-09-01"}, "planted", "planted-after-off"),
        ({"planted": "春天"}, "planted", "not-a-date"),
        ({"method": ""}, "method", "missing"),
        ({"trace": ""}, "trace", "missing"),
        ({"credit": "很好很好很好很好很好很好"}, "credit", "too-long"),
        ({"grid_name": ""}, "grid_name", "missing"),
        ({"grid_phone": ""}, "grid_phone", "missing"),
        ({"collector": "别人", "collector_phone": ""}, "collector_phone", "missing"),
        ({"longitude": "109.1581"}, "point", "too-few-decimals"),
        ({"longitude": "119.874341", "latitude": "28.203296"}, "point", "outside-county"),
    ],
)
def test_it_refuses_what_the_import_refuses(
    wang: User, entry: Entry, change: dict[str, str], field: str, code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        collect_origin(entry=replace(entry, **change), actor=wang)
    assert (refusal.value.field, refusal.value.code) == (field, code)
    assert not Origin.objects.exists()
    assert not Operator.objects.exists()


def test_it_wants_the_village(wang: User, entry: Entry) -> None:
    with pytest.raises(Refused) as refusal:
        collect_origin(entry=replace(entry, region=Region.objects.get(pk=YAZHOU_TOWN)), actor=wang)
    assert (refusal.value.code, refusal.value.field) == ("missing", "village")
    assert not Origin.objects.exists()


def test_only_who_collects_there_may(
    sun: User, qian: User, li: User, chen: User, wang: User, entry: Entry, li_operator: Operator
) -> None:
    own = replace(entry, operator=li_operator)
    for actor, given, code in (
        (sun, entry, "outside_area"),
        (qian, entry, "not_collector"),
        (chen, own, "not_own_operator"),
        (li, entry, "not_own_operator"),
    ):
        with pytest.raises(Refused) as refusal:
            collect_origin(entry=given, actor=actor)
        assert refusal.value.code == code
    assert not Origin.objects.exists()


def test_an_approved_operators_own_people_collect_for_it(li: User, entry: Entry, li_operator: Operator) -> None:
    own = replace(entry, operator=li_operator, name="", kind="", contact="", phone="")
    made = collect_origin(entry=own, actor=li)
    assert (made.state, made.collected_by, made.collector_name) == ("submitted", li, "李大山")
    for status, code in (("submitted", "not_approved"), ("suspended", "not_approved")):
        Operator.objects.update(status=status)
        with pytest.raises(Refused) as refusal:
            collect_origin(entry=replace(own, operator=Operator.objects.get(), on_sale="2026-05"), actor=li)
        assert refusal.value.code == code
    assert Origin.objects.count() == 1


def test_nothing_is_collected_for_a_suspended_operator(wang: User, entry: Entry, li_operator: Operator) -> None:
    Operator.objects.update(status="suspended")
    for given in (entry, replace(entry, operator=Operator.objects.get())):
        with pytest.raises(Refused) as refusal:
            collect_origin(entry=given, actor=wang)
        assert refusal.value.code == "not_active"
    assert not Origin.objects.exists()


def test_a_base_of_another_place_or_operator_is_refused(
    wang: User, entry: Entry, li_operator: Operator, chen_base: Base
) -> None:
    for base in (chen_base, make_base(li_operator, region=YAZHOU)):
        with pytest.raises(Refused) as refusal:
            collect_origin(entry=replace(entry, operator=li_operator, base=base), actor=wang)
        assert refusal.value.code == "base_elsewhere"
    assert not Origin.objects.exists()


def test_sent_twice_it_is_put_on_file_once(wang: User, entry: Entry) -> None:
    uid = uuid7()
    made = collect_origin(entry=entry, uid=uid, actor=wang)
    assert made.uid == uid
    for again in (uid, uuid7(), None):
        with pytest.raises(Refused) as refusal:
            collect_origin(entry=entry, uid=again, actor=wang)
        assert refusal.value.code == "already_collected"
    with pytest.raises(Refused) as refusal:
        collect_origin(entry=replace(entry, scale="11"), actor=wang)
    assert refusal.value.code == "same_place"
    assert Origin.objects.count() == Operator.objects.count() == Base.objects.count() == 1


def test_the_uid_of_anothers_record_opens_nothing(wang: User, zhao: User, entry: Entry) -> None:
    made = collect_origin(entry=entry, actor=zhao)
    with pytest.raises(Refused) as refusal:
        collect_origin(entry=replace(entry, longitude="109.160001"), uid=made.uid, actor=wang)
    assert refusal.value.code == "draft_gone"
    assert Origin.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_become_one(entry: Entry) -> None:
    first = make_official("wang", "王采集", Role.COLLECTOR, YAZHOU_TOWN)
    second = make_official("wu", "吴采集", Role.COLLECTOR, YAZHOU_TOWN)
    got = at_once(*(lambda who=who: collect_origin(entry=entry, actor=who) for who in (first, second)))
    assert [one for one in got if isinstance(one, str)] == ["same_place"]
    assert Origin.objects.count() == Operator.objects.count() == 1


def test_a_reviewer_registers_who_is_approved(zhao: User, entry: Entry) -> None:
    assert collect_origin(entry=entry, actor=zhao).operator.status == Operator.Status.APPROVED


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"located_with": "device", "accuracy_m": "12.34"}, ("device", Decimal("12.3"), None)),
        ({"located_with": "map", "accuracy_m": "5", "device_longitude": "109.1", "device_latitude": "18.4"},
         ("map", None, Decimal("109.100000"))),
        ({"located_with": "sheet"}, ("typed", None, None)),
        ({"located_with": "device", "accuracy_m": "NaN", "device_longitude": "109.1"}, ("device", None, None)),
        ({"accuracy_m": "x", "device_longitude": "18.4", "device_latitude": "109.1"}, ("typed", None, None)),
    ],
)  # fmt: skip
def test_how_a_point_was_found_is_kept_as_far_as_it_makes_sense(given: dict[str, str], kept: tuple[Any, ...]) -> None:
    fix = Fix.read(given)
    assert (fix.located_with, fix.accuracy_m, fix.device_longitude) == kept


def test_the_rules_hold_for_programs_too(wang: User, api_post: Callable[..., Any]) -> None:
    body = {
        "region": str(YAZHOU_VILLAGE), "product": "豇豆", "name": "李大山", "kind": "household", "contact": "李大山",
        "phone": LI_PHONE, "longitude": 109.15815, "latitude": "18.435040", "scale": "10.8", "unit": "mu",
        "on_sale": "2026-04", "off_sale": "2026-08", "methods": ["open_field"], "trace_methods": ["certificate"],
        "grid_name": "冯玉强", "grid_phone": "19900004633", "collector_phone": "19900008499",
        "located_with": "device", "accuracy_m": 4.2,
    }  # fmt: skip
    wrong = api_post(wang, "/api/v1/origins", body | {"phone": "1", "methods": []})
    assert wrong.status_code == 422
    assert {one["field"] for one in wrong.json()["errors"]} == {"phone", "methods"}
    assert not Origin.objects.exists()
    first = api_post(wang, "/api/v1/origins", body, key="one")
    again = api_post(wang, "/api/v1/origins", body, key="one")
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    assert (first.json()["state"], first.json()["located_with"]) == ("submitted", "device")
    assert first.json()["phone"] == "199****5935"
    assert api_post(wang, "/api/v1/origins", body).status_code == 409


def test_an_operator_of_elsewhere_is_not_found_by_its_code(
    wang: User, chen_operator: Operator, api_post: Callable[..., Any]
) -> None:
    body = {
        "operator": chen_operator.code, "region": str(YAZHOU_VILLAGE), "product": "豇豆", "scale": "1", "unit": "mu",
        "trace_methods": ["certificate"],
    }  # fmt: skip
    answer = api_post(wang, "/api/v1/origins", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "operator_unknown")
