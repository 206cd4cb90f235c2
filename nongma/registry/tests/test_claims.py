"""What an import put on file is claimed by who proved its phone, or with the county's decision; never silently."""

import pytest
from django.utils import timezone

from nongma.accounts.models import Role, User
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.regions.models import Region
from nongma.registry.claiming.services import claim_operator, claimable_by, decide_claim
from nongma.registry.models import Claim, Operator, OperatorMember
from nongma.registry.self_registration.services import send_in
from nongma.registry.services import Decision, end_membership, review_operator
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


def test_the_county_takes_a_false_claim_back_and_it_can_be_claimed_again(newcomer, zhao):
    known = imported()
    client_of(newcomer).post(f"/join/claims/{known.code}", FORM)
    end_membership(membership=known.members.open().get(), actor=zhao)
    known.refresh_from_db()
    assert (known.status, known.due_on, known.members.open().count(), known.members.count()) == ("imported", None, 0, 1)
    assert claimable_by(person("right")).get() == known


@pytest.fixture
def other(db) -> User:
    return person("other", OTHER_PHONE)


@pytest.mark.parametrize(
    ("fields", "by"),
    [
        ({"id_number": ID_NUMBER, "id_index": blind_index(ID_NUMBER), "name": "李老大", "region": LIANDU}, "id_number"),
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
