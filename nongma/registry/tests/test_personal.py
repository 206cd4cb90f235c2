"""A phone or an ID number stands in full before its owner, and before others by a look that is on record."""

from datetime import date
from importlib import import_module

import pytest
from django.db import connection

from nongma.accounts.models import Agency, Membership, Role, User
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.models import Operator
from nongma.registry.services import add_member, reveal_contact
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE, client_of, make_base, make_official, make_operator, make_user

ID_NUMBER = "360426199101010071"


@pytest.fixture
def with_id(li):
    return make_operator(
        li, name="李大山", contact="孙军华", id_number=ID_NUMBER, id_index=b"0" * 16, status="returned"
    )


@pytest.fixture
def both(db):
    """A reviewer of 崖州区 who looks things up in 莲都区."""
    both = make_official("both", "两地", Role.REVIEWER, YAZHOU)
    place = Region.objects.get(pk=LIANDU)
    agency = Agency.objects.create(name="莲都", region=place, level=place.level, kind="supervision")
    Membership.objects.create(user=both, agency=agency, role=Role.ANALYST, from_on=date(2020, 1, 1))
    return both


def shown(user, operator):
    return client_of(user).get(f"{operator.get_absolute_url()}change").content.decode()


def filled(operator, **changes):
    return {"kinds": operator.kinds, "name": operator.name, "region": str(operator.region_id)} | changes


def test_the_form_shows_others_a_mask_and_the_owner_what_is_on_file(wang, zhao, hainan, li, with_id):
    Operator.objects.filter(pk=with_id.pk).update(region_id=460205198004)
    for user in (wang, zhao, hainan):
        text = shown(user, with_id)
        for secret in (with_id.phone, ID_NUMBER, with_id.contact):
            assert secret not in text
        assert f"{with_id.masked_phone}（留空＝不改）" in text
    own = shown(li, with_id)
    assert with_id.phone in own
    assert ID_NUMBER in own


def test_an_empty_field_keeps_what_is_on_file_and_a_filled_one_changes_it(zhao, with_id):
    url = f"{with_id.get_absolute_url()}change"
    before = (with_id.phone, with_id.id_number, with_id.contact, with_id.phone_index)
    empty = {"phone": "", "id_number": "", "contact": ""}
    assert client_of(zhao).post(url, filled(with_id, address="中和村 8 号") | empty).status_code == 302
    with_id.refresh_from_db()
    assert (with_id.phone, with_id.id_number, with_id.contact, bytes(with_id.phone_index)) == before
    assert with_id.address == "中和村 8 号"
    assert Entry.objects.get(action="operator.changed").details["fields"] != []
    assert client_of(zhao).post(url, filled(with_id) | empty | {"phone": "12345"}).status_code == 200
    client_of(zhao).post(url, filled(with_id) | empty | {"phone": "19900000077"})
    with_id.refresh_from_db()
    assert (with_id.phone, with_id.id_number) == ("19900000077", ID_NUMBER)


def test_what_is_not_on_file_is_asked_for(zhao, li):
    operator = make_operator(li, phone="")
    answer = client_of(zhao).post(f"{operator.get_absolute_url()}change", filled(operator, contact="", phone=""))
    assert list(answer.context["form"].errors) == ["phone"]


def test_whoever_is_not_its_reviewer_says_what_for(officer, li_operator):
    for reason in ("", " ", "长" * 201):
        with pytest.raises(Refused) as refusal:
            reveal_contact(operator=li_operator, actor=officer, reason=reason)
        assert refusal.value.code in ("reason_missing", "text_too_long")
    assert not Entry.objects.exists()
    client = client_of(officer)
    url = li_operator.get_absolute_url()
    assert "为什么要看" in client.get(url).text
    assert "请写明为什么要看" in client.post(f"{url}contact", follow=True).text
    assert li_operator.phone in client.post(f"{url}contact", {"reason": "上门核实"}).text
    assert Entry.objects.get(action="operator.revealed").details == {"reason": "上门核实"}


def test_it_reveals_only_where_the_post_that_allows_it_is_held(both):
    here, there = make_operator(region=YAZHOU), make_operator(region=LIANDU, phone="19900006507")
    assert reveal_contact(operator=here, actor=both).phone == here.phone
    with pytest.raises(Refused) as refusal:
        reveal_contact(operator=there, actor=both)
    assert refusal.value.code == "not_allowed"
    client = client_of(both)
    assert "查看完整联系方式" in client.get(here.get_absolute_url()).content.decode()
    assert "查看完整联系方式" not in client.get(there.get_absolute_url()).content.decode()
    answer = client.post(f"{there.get_absolute_url()}contact", follow=True).content.decode()
    assert "不能看完整的联系方式" in answer
    assert there.phone not in answer
    assert [entry.target_id for entry in Entry.objects.all()] == [str(here.uid)]


def test_it_refuses_to_add_a_person(hainan, zhao, sun, li_operator, chen_operator):
    closed = make_user("closed", "停用", is_active=False)
    helper = make_user("helper", "李小山")
    for code, operator, user, actor in (
        ("outside_area", chen_operator, helper, hainan),
        ("outside_area", li_operator, helper, zhao),
        ("operator_role", li_operator, sun, hainan),
        ("inactive", li_operator, closed, hainan),
    ):
        with pytest.raises(Refused) as refusal:
            add_member(operator=operator, user=user, actor=actor)
        assert refusal.value.code == code
        assert operator.members.count() == 1
        assert not User.objects.get(pk=user.pk).is_operator
    assert not Entry.objects.exists()


HOME = "中和村 8 号"
TABLES = ("registry_operator", "registry_base")


def on_disk(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT address FROM {table}")
        return [address for (address,) in cursor.fetchall()]


def test_where_a_person_lives_is_encrypted_and_masked_until_it_is_revealed(zhao, hainan, li_operator, li_base):
    for record in (li_operator, li_base):
        type(record).objects.filter(pk=record.pk).update(address=HOME)
    assert all(address and "中和" not in address for table in TABLES for address in on_disk(table))
    li_operator.refresh_from_db()
    for user in (zhao, hainan):
        assert HOME not in client_of(user).get(li_operator.get_absolute_url()).text
        assert HOME not in shown(user, li_operator)
        for path in ("", "/bases"):
            answer = client_of(user).get(f"/api/v1/operators/{li_operator.code}{path}").text
            assert HOME not in answer
            assert "中和****" in answer
    assert HOME in client_of(zhao).post(f"{li_operator.get_absolute_url()}contact").text
    assert Entry.objects.filter(action="operator.revealed").count() == 1


def test_who_collects_reads_how_to_call_and_no_more(wang, officer, li):
    operator = make_operator(
        li, region=YAZHOU_VILLAGE, contact="孙军华", id_number=ID_NUMBER, id_index=b"0" * 16, address=HOME
    )
    make_base(operator, address=HOME)
    address = f"{operator.get_absolute_url()}contact"

    seen = client_of(wang).post(address, {"reason": "电话核实"}).text
    assert operator.phone in seen
    assert operator.contact in seen
    assert operator.masked_id_number in seen
    for secret in (ID_NUMBER, HOME):
        assert secret not in seen
    whole = client_of(officer).post(address, {"reason": "上门核实"}).text
    assert ID_NUMBER in whole
    assert whole.count(HOME) == 2
    assert Entry.objects.filter(action="operator.revealed").count() == 2


def test_nothing_is_offered_to_who_would_read_nothing_more(wang, zhao):
    operator = make_operator(region=YAZHOU_VILLAGE, phone="", id_number=ID_NUMBER, id_index=b"0" * 16)

    assert "查看完整联系方式" not in client_of(wang).get(operator.get_absolute_url()).text
    assert "查看完整联系方式" in client_of(zhao).get(operator.get_absolute_url()).text


def test_a_base_is_found_in_full_by_its_own_people_and_by_a_look(li, zhao, li_operator, li_base):
    type(li_base).objects.filter(pk=li_base.pk).update(address=HOME)

    assert HOME in client_of(li).get(li_operator.get_absolute_url()).text
    assert HOME not in client_of(zhao).get(li_operator.get_absolute_url()).text
    assert HOME in client_of(zhao).post(f"{li_operator.get_absolute_url()}contact").text


def test_the_address_of_a_firm_is_no_secret(zhao, chen):
    firm = make_operator(chen, uscc="91460000MA5T00001X", address="滨海大道 1 号")
    assert "滨海大道 1 号" in client_of(zhao).get(firm.get_absolute_url()).text


def test_addresses_on_file_are_encrypted_and_back(li_operator, li_base):
    encrypting = import_module("nongma.registry.migrations.0004_encrypted_addresses")
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"UPDATE {table} SET address = %s", [HOME])
    with connection.schema_editor() as editor:
        encrypting.turn(encrypting.encrypt)(None, editor)
    assert HOME not in [*on_disk("registry_operator"), *on_disk("registry_base")]
    for record in (li_operator, li_base):
        record.refresh_from_db()
        assert record.address == HOME
    with connection.schema_editor() as editor:
        encrypting.turn(encrypting.decrypt)(None, editor)
    assert on_disk("registry_base") == [HOME]
