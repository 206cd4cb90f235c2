"""What an import put on file is claimed by who proved its phone, or with the county's decision; never silently."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from nongma.accounts.models import Role, User
from nongma.audit.models import Entry
from nongma.catalogue.models import Product
from nongma.lib.fields import blind_index
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.regions.models import Region
from nongma.registry.claiming.services import claim_operator, claimable_by, decide_claim
from nongma.registry.models import Claim, KnownTry, Licence, Operator, OperatorMember, Produce
from nongma.registry.people.services import invite_person
from nongma.registry.self_registration.services import Declared, send_claim_in, send_in
from nongma.registry.services import Decision, add_member, change_operator, end_membership, review_operator
from nongma.testing import (
    LIANDU,
    YAZHOU,
    YAZHOU_VILLAGE,
    at_once,
    client_of,
    make_base,
    make_official,
    make_operator,
    make_user,
)

ID_NUMBER = "11010519491231002X"
PHONE, OTHER_PHONE = "19900001234", "19900007788"
FORM = {
    "kinds": "household",
    "name": "李大山",
    "region": str(YAZHOU_VILLAGE),
    "id_number": ID_NUMBER,
    "address": "三组 12 号",
    "contact": "",
    "phone": PHONE,
    "industries": "planting",
    "consent": "on",
}


def person(username: str, phone: str = PHONE, **fields) -> User:
    values = {"phone": phone, "phone_index": blind_index(phone), "phone_proved_at": timezone.now()} | fields
    return make_user(username, f"手机尾号{phone[-4:]}", is_operator=True, **values)


def imported(**fields) -> Operator:
    values = {"name": "李大山", "phone": PHONE, "status": "imported", "reviewed_at": None, "region": YAZHOU_VILLAGE}
    return make_operator(**values | fields)


def inputs(**changes):
    return {
        "kinds": ["household"],
        "name": "李大山",
        "region": Region.objects.get(pk=YAZHOU_VILLAGE),
        "id_number": ID_NUMBER,
        "phone": OTHER_PHONE,
        "contact": "李大山",
    } | changes


@pytest.fixture
def newcomer(db) -> User:
    return person("new")


def test_what_stands_under_the_proved_phone_is_offered_with_the_name_masked(newcomer):
    known = imported()
    imported(name="别人家", phone=OTHER_PHONE)
    client = client_of(newcomer)
    assert client.get("/join/register").url == "/join/claims"
    page = client.get("/join/claims").text
    assert "李**" in page
    assert known.region.full_name in page
    assert "李大山" not in page
    assert "别人家" not in page
    assert client.post("/join/claims").url == "/join/register"
    assert client.get("/join/register").status_code == 200


@pytest.mark.parametrize(
    "fields", [{"phone_proved_at": None}, {"phone": OTHER_PHONE, "phone_index": blind_index(OTHER_PHONE)}]
)
def test_another_or_unproved_phone_is_offered_nothing(db, fields):
    known = imported()
    stranger = person("stranger", **fields)
    client = client_of(stranger)
    assert client.get("/join/claims").url == "/join/register"
    assert client.get(f"/join/claims/{known.code}").status_code == 404
    assert client.post(f"/join/claims/{known.code}", FORM).status_code == 404
    with pytest.raises(Refused, match="不能认领"):
        claim_operator(operator=known, actor=stranger, id_number=ID_NUMBER)
    known.refresh_from_db()
    assert (known.status, known.members.exists(), Claim.objects.exists()) == ("imported", False, False)


def test_a_phone_alone_opens_no_id_number_and_no_address(newcomer):
    known = imported(address="三组 12 号", id_number=ID_NUMBER, id_index=blind_index(ID_NUMBER))
    client = client_of(newcomer)
    page = client.get(f"/join/claims/{known.code}").text
    assert ID_NUMBER not in page
    assert "三组 12 号" not in page
    assert client.post(f"/join/claims/{known.code}", FORM | {"id_number": "", "address": ""}).url == "/join/done"
    known.refresh_from_db()
    assert (known.status, known.id_number, known.address) == ("submitted", ID_NUMBER, "三组 12 号")


def test_a_registration_meets_an_import_by_both_its_numbers(newcomer):
    uscc = "91110000600037341L"
    known = imported(phone=OTHER_PHONE, uscc=uscc, id_number=ID_NUMBER, id_index=blind_index(ID_NUMBER))
    fresh = send_in(actor=newcomer, **inputs(kinds=["family_farm"], uscc=uscc, phone=PHONE))
    claim = Claim.objects.get()
    assert (claim.operator_id, claim.fresh_id, fresh.uscc, fresh.id_number) == (known.pk, fresh.pk, None, "")


def test_claimed_it_goes_to_review_with_what_was_lacking_and_what_was_imported_is_kept(newcomer, zhao):
    known = imported(address="", name="李大衫")
    make_base(known)
    client = client_of(newcomer)
    page = client.get(f"/join/claims/{known.code}")
    assert page.context["form"]["name"].value() == "李大衫"
    assert client.post(f"/join/claims/{known.code}", FORM).url == "/join/done"
    known.refresh_from_db()
    assert (known.status, known.name, known.id_number, known.address) == (
        "submitted",
        "李大山",
        ID_NUMBER,
        "三组 12 号",
    )
    assert known.due_on
    member = known.members.open().get()
    assert (member.user, member.role) == (newcomer, "owner")
    claim = Claim.objects.get()
    assert (claim.state, claim.met_by, claim.before["name"], claim.before["address"]) == (
        "proved",
        "phone",
        "李大衫",
        "",
    )
    assert list(Entry.objects.of(known).order_by("id").values_list("action", flat=True)) == [
        "operator.claimed", "operator.changed", "operator.consented",
    ]  # fmt: skip
    newcomer.refresh_from_db()
    assert (newcomer.name, newcomer.place) == ("李大山", YAZHOU_VILLAGE)
    review_operator(operator=known, decision=Decision.APPROVE, actor=zhao)
    assert client.get(known.get_absolute_url()).status_code == 200
    assert "认领" in client_of(zhao).get(known.get_absolute_url()).text


def test_a_wrong_input_claims_nothing(newcomer):
    known = imported()
    page = client_of(newcomer).post(f"/join/claims/{known.code}", FORM | {"id_number": "123"})
    assert page.context["form"].errors["id_number"]
    known.refresh_from_db()
    assert (known.status, OperatorMember.objects.exists(), Claim.objects.exists()) == ("imported", False, False)


def test_who_acts_for_one_already_claims_no_second(newcomer):
    make_operator(newcomer)
    known = imported(name="另一家")
    assert not claimable_by(newcomer).exists()
    with pytest.raises(Refused) as refusal:
        claim_operator(operator=known, actor=newcomer, id_number=ID_NUMBER)
    assert refusal.value.code == "member_already"
    assert not known.members.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_one_wins():
    people = [person("one"), person("two")]
    known = imported()
    results = at_once(
        *[
            lambda user=user: claim_operator(
                operator=Operator.objects.get(pk=known.pk), actor=User.objects.get(pk=user.pk), id_number=ID_NUMBER
            )
            for user in people
        ]
    )
    assert sorted(map(str, results)) == ["already_claimed", "李大山"]
    assert OperatorMember.objects.count() == Claim.objects.count() == 1


def photo() -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(file, "JPEG")
    return SimpleUploadedFile("执照.jpg", file.getvalue(), "image/jpeg")


@pytest.fixture
def wheat(cowpea) -> Product:
    return Product.objects.exclude(pk=cowpea.pk).order_by("pk")[0]


def everything_of(operator: Operator) -> dict:
    row = Operator.objects.values().get(pk=operator.pk)
    produce = list(operator.produce.order_by("product").values_list("product", "unit", "scale"))
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()} | {
        "produce": produce
    }


def test_the_county_takes_a_false_claim_back_and_what_was_imported_stands_there_again(
    newcomer, zhao, cowpea, wheat, django_capture_on_commit_callbacks
):
    known = imported(address="五组 1 号", contact="李老大", confirmed_on=date(2026, 1, 5))
    Produce.objects.create(operator=known, product=cowpea, unit="mu", scale=Decimal("3.5"))
    before = everything_of(known)
    form = FORM | {
        "product_1": f"{cowpea.code}:{cowpea.scale_units[0]}",
        "scale_1": "99",
        "product_2": f"{wheat.code}:{wheat.scale_units[0]}",
        "scale_2": "7",
        "contact": "冒名",
        "longitude": "109.2",
        "latitude": "18.4",
    }
    client = client_of(newcomer)
    answer = client.post(f"/join/claims/{known.code}", form | {"licence": photo()})
    assert answer.status_code == 302, answer.context["form"].errors
    licence = Licence.objects.get()
    invite_person(operator=known, name="同伙", phone="19900004466", actor=newcomer)
    staff = make_user("mate", "同伙", is_operator=True)
    OperatorMember.objects.create(operator=known, user=staff, role="staff")
    assert everything_of(known) != before
    officer = client_of(zhao)
    where = f"{known.get_absolute_url()}people"
    assert "认领不实，收回" in officer.get(where).text
    owner = known.members.owners().get()
    with django_capture_on_commit_callbacks(execute=True):
        assert officer.post(f"{where}/{owner.uid}/end", {"reason": "上门核实是邻居"}).status_code == 302
    after = everything_of(known)
    assert {name: (before[name], after[name]) for name in before if before[name] != after[name]} == {}
    assert not Licence.objects.exists()
    assert not licence.photo.storage.exists(licence.photo.name)
    assert (known.members.open().count(), known.invitations.waiting().count()) == (0, 0)
    claim = Claim.objects.get()
    assert (claim.state, claim.note, claim.decided_by) == ("revoked", "上门核实是邻居", zhao)
    page = officer.get("/operators/review/claims").text
    assert "收回过的认领" in page
    assert "上门核实是邻居" in page
    assert "不能再用手机号认领" in officer.get(f"/operators/{known.code}/claims/{claim.uid}/").text
    assert "operator.claim_revoked" in Entry.objects.of(known).values_list("action", flat=True)


def test_who_claimed_falsely_claims_it_no_more_but_others_do(newcomer, zhao):
    known = imported()
    client_of(newcomer).post(f"/join/claims/{known.code}", FORM)
    end_membership(membership=known.members.open().get(), actor=zhao)
    known.refresh_from_db()
    assert (known.status, known.due_on, known.members.open().count(), known.members.count()) == ("imported", None, 0, 1)
    assert not claimable_by(newcomer).exists()
    assert client_of(newcomer).post(f"/join/claims/{known.code}", FORM).status_code == 404
    with pytest.raises(Refused) as refusal:
        claim_operator(operator=known, actor=newcomer, id_number=ID_NUMBER)
    assert refusal.value.code == "claim_barred"
    known.refresh_from_db()
    assert (known.status, known.id_number, known.members.open().count()) == ("imported", "", 0)
    assert claimable_by(person("right")).get() == known
    invite_person(operator=known, name="李大山", phone=PHONE, role=OperatorMember.Role.OWNER, actor=zhao)


def test_what_another_was_registered_with_meanwhile_is_not_put_back(newcomer, zhao):
    uscc = "91110000600037341L"
    known = imported(uscc=uscc)
    claim_operator(operator=known, actor=newcomer, uscc="", id_number=ID_NUMBER)
    make_operator(uscc=uscc, phone="19900003456")
    end_membership(membership=known.members.open().get(), actor=zhao)
    known.refresh_from_db()
    assert (known.status, known.uscc, known.id_number, known.phone) == ("imported", None, "", PHONE)


def test_who_only_collects_takes_no_claim_back(newcomer):
    known = imported()
    claim_operator(operator=known, actor=newcomer, id_number=ID_NUMBER)
    collector = make_official("xu", "徐采集", Role.COLLECTOR, YAZHOU)
    with pytest.raises(Refused) as refusal:
        end_membership(membership=known.members.get(), actor=collector)
    assert refusal.value.code == "owner_by_reviewer"
    known.refresh_from_db()
    assert (known.status, known.members.owners().count(), Claim.objects.get().state) == ("submitted", 1, "proved")


def test_a_claim_with_what_its_import_named_already_is_taken(newcomer, cowpea):
    known = imported()
    Produce.objects.create(operator=known, product=cowpea, unit="mu", scale=Decimal("3.5"))
    send_claim_in(operator=known, actor=newcomer, id_number=ID_NUMBER, produce=[Declared(cowpea, "mu", Decimal(12))])
    assert [(one.product, one.scale) for one in known.produce.all()] == [(cowpea, Decimal(12))]


@pytest.mark.django_db(transaction=True)
def test_claiming_and_being_added_at_once_do_not_block_each_other():
    newcomer = person("new")
    for number in range(4):
        known = imported(name=f"李大山{number}")
        results = at_once(
            lambda one=known: str(claim_operator(operator=one, actor=User.objects.get(pk=newcomer.pk), id_number="")),
            lambda one=known: add_member(operator=one, user=newcomer, actor=None).role,
        )
        known.refresh_from_db()
        assert known.members.open().count() == 1
        assert results in (
            [known.name, "owner"], ["already_claimed", "staff"], ["member_already", "staff"],
        )  # fmt: skip
        known.members.update(to_at=timezone.now())


@pytest.fixture
def other(db) -> User:
    return person("other", OTHER_PHONE)


@pytest.mark.parametrize(
    ("fields", "by"),
    [
        ({"id_number": ID_NUMBER, "id_index": blind_index(ID_NUMBER), "name": "李老大", "region": YAZHOU}, "id_number"),
        ({}, "name"),
    ],
)
def test_met_otherwise_than_by_phone_the_county_is_asked(other, fields, by):
    known = imported(**fields)
    fresh = send_in(actor=other, **inputs())
    claim = Claim.objects.get()
    assert (claim.operator, claim.fresh, claim.met_by, claim.state) == (known, fresh, by, "waiting")
    assert (fresh.status, fresh.id_number) == ("submitted", "" if by == "id_number" else ID_NUMBER)
    known.refresh_from_db()
    assert (known.status, known.members.exists()) == ("imported", False)
    assert "县里会联系您核实" in client_of(other).get("/join/done").text


def test_a_number_that_stands_in_another_county_is_refused_and_nobody_there_is_shown_the_registration(other):
    known = imported(id_number=ID_NUMBER, id_index=blind_index(ID_NUMBER), region=LIANDU)
    with pytest.raises(Refused) as refusal:
        send_in(actor=other, **inputs())
    assert refusal.value.code == "already_registered"
    assert (Claim.objects.exists(), Operator.objects.get()) == (False, known)
    assert KnownTry.objects.count() == 1


def test_a_registration_that_moves_to_another_county_is_hidden_from_the_first(other, zhao):
    known = imported()
    fresh = send_in(actor=other, **inputs(address="三组 12 号"))
    change_operator(operator=fresh, actor=other, region=Region.objects.get(pk=LIANDU), name="李大山二")
    claim = Claim.objects.get()
    client = client_of(zhao)
    where = f"/operators/{known.code}/claims/{claim.uid}/"
    assert "李大山二" not in client.get("/operators/review/claims").text
    page = client.get(where)
    assert (page.context["facts"], "已经迁到别的县" in page.text, "并入，归认领人" in page.text) == ([], True, False)
    assert "不在您的管辖范围内" in client.post(f"{where}approve", {"reason": "打电话核实过"}).text
    claim.refresh_from_db()
    known.refresh_from_db()
    assert (claim.state, known.members.exists()) == ("waiting", False)
    assert client.post(f"{where}return", {"reason": "不是同一户"}).status_code == 302


def test_two_of_that_name_tell_nothing(other):
    imported()
    imported(phone="19900003456")
    send_in(actor=other, **inputs())
    assert not Claim.objects.exists()


def test_the_county_sees_both_side_by_side_and_merges(other, zhao):
    known = imported()
    make_base(known)
    fresh = send_in(actor=other, **inputs())
    claim = Claim.objects.get()
    client = client_of(zhao)
    assert "李大山" in client.get("/operators/review/claims").text
    where = f"/operators/{known.code}/claims/{claim.uid}/"
    assert "199****7788" in client.get(where).text
    assert client.post(f"{where}approve", {"reason": ""}).status_code == 200
    claim.refresh_from_db()
    assert claim.state == "waiting"
    assert client.post(f"{where}approve", {"reason": "打电话核实过"}).url == "/operators/review/claims"
    for one in (known, fresh, claim):
        one.refresh_from_db()
    assert (claim.state, claim.decided_by, claim.note) == ("approved", zhao, "打电话核实过")
    assert (known.status, fresh.status, fresh.merged_into) == ("approved", "cancelled", known)
    assert known.members.open().get().user == other
    assert fresh.members.get().to_at
    assert Notice.objects.visible_to(other).filter(title="县里核实：已有的登记现在归您").exists()
    assert client_of(other).get(known.get_absolute_url()).status_code == 200
    assert client_of(other).get(fresh.get_absolute_url()).status_code == 404


def test_the_county_says_why_it_is_another(other, zhao):
    known = imported()
    fresh = send_in(actor=other, **inputs())
    claim = decide_claim(claim=Claim.objects.get(), decision=Decision.RETURN, actor=zhao, reason="同名不同户")
    known.refresh_from_db()
    fresh.refresh_from_db()
    assert (claim.state, known.status, fresh.status) == ("returned", "imported", "submitted")
    assert Notice.objects.visible_to(other).get().body == "原因：同名不同户"
    with pytest.raises(Refused) as refusal:
        decide_claim(claim=claim, decision=Decision.APPROVE, actor=zhao, reason="再看")
    assert refusal.value.code == "already_decided"


def test_another_countys_reviewer_does_not_see_it(other, sun, li):
    known = imported()
    send_in(actor=other, **inputs())
    claim = Claim.objects.get()
    where = f"/operators/{known.code}/claims/{claim.uid}/"
    for user, status in ((sun, 404), (li, 403)):
        assert client_of(user).get(where).status_code == status
        assert client_of(user).post(f"{where}approve", {"reason": "x"}).status_code == status
    with pytest.raises(Refused, match="管辖范围"):
        decide_claim(claim=claim, decision=Decision.APPROVE, actor=sun, reason="x")
    claim.refresh_from_db()
    assert claim.state == "waiting"


def test_taken_by_its_phone_meanwhile_it_is_not_merged(other, newcomer, zhao):
    known = imported()
    send_in(actor=other, **inputs(id_number=""))
    claim_operator(operator=known, actor=newcomer, id_number=ID_NUMBER)
    with pytest.raises(Refused) as refusal:
        decide_claim(claim=Claim.objects.waiting().get(), decision=Decision.APPROVE, actor=zhao, reason="x")
    assert refusal.value.code == "already_claimed"
    assert known.members.open().get().user == newcomer


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_decide_once():
    other = person("other", OTHER_PHONE)
    imported()
    send_in(actor=other, **inputs())
    reviewers = [make_official(name, "核实员", Role.REVIEWER, YAZHOU) for name in ("zhou", "wu")]
    claim = Claim.objects.get()
    results = at_once(
        *[
            lambda user=user, decision=decision: (
                decide_claim(claim=claim, decision=decision, actor=User.objects.get(pk=user.pk), reason="核实过").state
            )
            for user, decision in zip(reviewers, (Decision.APPROVE, Decision.RETURN), strict=True)
        ]
    )
    assert "already_decided" in results
    claim.refresh_from_db()
    assert claim.state in results
