from decimal import Decimal

import pytest

from nongma.audit.models import Entry
from nongma.codes.codec import decode
from nongma.codes.models import CodeRange
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.bases.services import add_base
from nongma.registry.models import Base, Operator, OperatorMember
from nongma.registry.services import add_member, change_operator, register_operator, reveal_contact
from nongma.testing import LI_POINT, LIANDU, SANYA, YAZHOU, YAZHOU_VILLAGE, at_once, client_of, make_operator, make_user

USCC = "91110000600037341L"
COLLECTIVE_USCC = "N2460205MF0000000"
ID_NUMBER = "360426199101010071"


def region(code=YAZHOU_VILLAGE):
    return Region.objects.get(pk=code)


def inputs(**changes):
    return {
        "kinds": ["cooperative"],
        "name": " 崖州区春晖豇豆 专业合作社 ",
        "region": region(),
        "uscc": "9111 0000 6000 3734 1l",
        "phone": "+86 199-0000-2449",
        "contact": "孙军华",
        "industries": ["planting"],
        "point": LI_POINT,
    } | changes


def test_a_reviewer_registers_an_approved_operator_with_its_code(zhao):
    operator = register_operator(actor=zhao, **inputs())
    operator.refresh_from_db()
    assert (operator.status, operator.reviewed_by, operator.created_by) == ("approved", zhao, zhao)
    assert (operator.name, operator.uscc, operator.phone) == ("崖州区春晖豇豆 专业合作社", USCC, "19900002449")
    code = CodeRange.objects.get(subject=operator.uid)
    assert (code.kind, code.start, decode(operator.code)) == ("operator", operator.serial, operator.serial)
    assert Entry.objects.get(action="operator.registered").target_id == str(operator.uid)


def test_a_collectors_operator_waits_for_review(wang):
    village = register_operator(actor=wang, **inputs(region=region(460205198204)))
    assert (village.status, village.reviewed_by) == ("submitted", None)


def test_a_grower_registers_for_himself_and_owns_it(li):
    operator = register_operator(actor=li, **inputs())
    assert operator.status == "submitted"
    assert operator.members.get().role == OperatorMember.Role.OWNER
    with pytest.raises(Refused) as refusal:
        register_operator(actor=li, **inputs(uscc=None, name="又一个"))
    assert refusal.value.code == "member_already"
    assert Operator.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"kinds": []}, "kind_missing", "kinds"),
        ({"name": "  "}, "text_missing", "name"),
        ({"name": "长" * 101}, "text_too_long", "name"),
        ({"uscc": "91110000600037341M"}, "uscc_invalid", "uscc"),
        ({"uscc": "9111"}, "uscc_invalid", "uscc"),
        ({"uscc": "I1110000600037341L"}, "uscc_invalid", "uscc"),
        ({"id_number": "360426199101010072"}, "id_invalid", "id_number"),
        ({"id_number": "360426199113010070"}, "id_invalid", "id_number"),
        ({"id_number": "36042619910101007一"}, "id_invalid", "id_number"),
        ({"phone": "0898-12345678"}, "phone_invalid", "phone"),
        ({"phone": "12900002449"}, "phone_invalid", "phone"),
        ({"point": (Decimal("18.43"), Decimal("109.15"))}, "point_invalid", "point"),
        ({"point": (Decimal("NaN"), Decimal("18"))}, "point_invalid", "point"),
    ],
)
def test_it_refuses_a_wrong_input_and_says_which(zhao, changes, code, field):
    with pytest.raises(Refused) as refusal:
        register_operator(actor=zhao, **inputs(**changes))
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Operator.objects.exists()
    assert not CodeRange.objects.exists()
    assert not Entry.objects.exists()


def test_it_takes_an_id_number_whose_area_is_no_more(zhao):
    operator = register_operator(actor=zhao, **inputs(uscc=None, id_number=ID_NUMBER))
    operator.refresh_from_db()
    assert operator.id_number == ID_NUMBER


def test_it_refuses_another_area_and_a_whole_city(zhao, hainan):
    for actor, code, reason in ((zhao, LIANDU, "outside_area"), (hainan, SANYA, "region_too_wide")):
        with pytest.raises(Refused) as refusal:
            register_operator(actor=actor, **inputs(region=region(code)))
        assert (refusal.value.code, refusal.value.field) == (reason, "region")
    assert not Operator.objects.exists()


@pytest.mark.parametrize(
    ("second", "field"),
    [
        ({"name": "另一个", "phone": "19900000001"}, "uscc"),
        ({"uscc": None, "name": "另一个", "phone": "19900000001", "id_number": ID_NUMBER}, "id_number"),
        ({"uscc": None, "region": YAZHOU}, "name"),
    ],
)
def test_it_refuses_what_is_registered_already(zhao, second, field):
    register_operator(actor=zhao, **inputs(id_number=ID_NUMBER))
    if "region" in second:
        second = second | {"region": region(second["region"])}
    with pytest.raises(Refused) as refusal:
        register_operator(actor=zhao, **inputs(**second))
    assert (refusal.value.code, refusal.value.field) == ("already_registered", field)
    assert Operator.objects.count() == 1


def test_the_owner_corrects_a_returned_operator_and_sends_it_again(li):
    operator = make_operator(li, status="returned", review_note="名称不全")
    change_operator(operator=operator, actor=li, name="李大山家庭农场", kinds=["family_farm"])
    operator.refresh_from_db()
    assert (operator.status, operator.name, operator.kinds) == ("submitted", "李大山家庭农场", ["family_farm"])
    assert Entry.objects.get(action="operator.changed").details == {
        "fields": ["kinds", "name"],
        "changes": {"kinds": [["household"], ["family_farm"]]},
    }


def test_the_owner_of_an_approved_operator_changes_at_once_how_to_reach_it(li, li_operator):
    change_operator(operator=li_operator, actor=li, phone="19900000077", address="中和村")
    li_operator.refresh_from_db()
    assert (li_operator.name, li_operator.phone, li_operator.status) == ("李大山", "19900000077", "approved")


def test_nobody_changes_an_operator_elsewhere(sun, chen, li_operator):
    for actor, code in ((sun, "outside_area"), (chen, "not_own_operator")):
        with pytest.raises(Refused) as refusal:
            change_operator(operator=li_operator, actor=actor, contact="别人")
        assert refusal.value.code == code
    li_operator.refresh_from_db()
    assert li_operator.contact == "李大山"
    assert not Entry.objects.exists()


def test_the_owner_adds_a_base_once(li, li_operator):
    base = add_base(
        operator=li_operator, name="东头地", region=region(), actor=li, point=LI_POINT, area_mu=Decimal("3.5")
    )
    base.refresh_from_db()
    assert base.quadkey is not None
    assert CodeRange.objects.get(subject=base.uid).kind == "base"
    with pytest.raises(Refused) as refusal:
        add_base(operator=li_operator, name="又一块", region=region(), actor=li, point=LI_POINT)
    assert refusal.value.code == "already_registered"
    assert Base.objects.count() == 1


def test_it_refuses_a_base_for_strangers_and_without_area(sun, chen, li, li_operator):
    for actor, changes, code in (
        (chen, {}, "not_own_operator"),
        (sun, {}, "outside_area"),
        (li, {"area_mu": Decimal(0)}, "area_invalid"),
        (li, {"name": ""}, "text_missing"),
    ):
        with pytest.raises(Refused) as refusal:
            add_base(**{"operator": li_operator, "name": "地", "region": region(), "actor": actor} | changes)
        assert refusal.value.code == code
    assert not Base.objects.exists()


def test_every_look_at_personal_data_is_on_record(zhao, li_operator):
    contact = reveal_contact(operator=li_operator, actor=zhao)
    assert contact.phone == li_operator.phone
    entry = Entry.objects.get(action="operator.revealed")
    assert (entry.actor_id, entry.target_id, entry.details) == (zhao.pk, str(li_operator.uid), {})


def test_a_person_joins_an_operator_once(li_operator, hainan):
    helper = make_user("helper", "李小山")
    for _ in range(2):
        add_member(operator=li_operator, user=helper, actor=hainan)
    helper.refresh_from_db()
    assert helper.is_operator
    assert li_operator.members.count() == 2
    assert client_of(helper).get("/healthz-not-here").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_person_who_registers_twice_at_once_owns_one_operator(li):

    def enter(name, phone):
        return register_operator(actor=li, **inputs(uscc=None, name=name, phone=phone)).name

    told = at_once(lambda: enter("甲", "19900000001"), lambda: enter("乙", "19900000002"))
    assert told.count("member_already") == 1
    assert Operator.objects.count() == li.operator_memberships.count() == 1
