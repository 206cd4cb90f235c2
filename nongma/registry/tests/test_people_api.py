"""Programs read and change an operator's people and decide on claims, under the rules of the pages."""

import pytest
from django.utils import timezone

from nongma.lib.fields import blind_index
from nongma.registry.models import Claim, Invitation, OperatorMember
from nongma.testing import api_of, make_operator, make_user

PHONE = "19900004455"


@pytest.fixture
def where(li_operator) -> str:
    return f"/api/v1/operators/{li_operator.code}"


def test_somebody_is_asked_once_listed_and_asked_no_more(li, li_operator, where):
    api = api_of(li)
    answers = [
        api.post(
            f"{where}/invitations",
            {"name": "李小山", "phone": PHONE},
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["phone"], answers[0].json()["state"]) == ("199****4455", "waiting")
    listed = api.get(f"{where}/invitations").json()
    assert [one["uid"] for one in listed["items"]] == [answers[0].json()["uid"]]
    gone = api.post(f"{where}/invitations/{answers[0].json()['uid']}/withdraw")
    assert gone.json()["state"] == "withdrawn"
    assert api.post(f"{where}/invitations/{answers[0].json()['uid']}/withdraw").json()["code"] == "not_waiting"
    assert api.get(f"{where}/invitations").json()["total"] == 0
    assert (li_operator.members.count(), Invitation.objects.count()) == (1, 1)


def test_people_are_listed_ended_and_handed_on_to(li, li_operator, where):
    staff = make_user("staff", "李小山", is_operator=True, phone=PHONE, phone_index=blind_index(PHONE))
    member = OperatorMember.objects.create(operator=li_operator, user=staff, role="staff")
    api = api_of(li)
    shown = api.get(f"{where}/people")
    assert [(one["name"], one["role"]) for one in shown.json()["items"]] == [("李大山", "owner"), ("李小山", "staff")]
    assert PHONE not in shown.text
    refused = api.post(f"{where}/people/{member.uid}/hand-on")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_proved")
    assert li_operator.members.owners().get().user == li
    ended = api.post(f"{where}/people/{member.uid}/end", {}, content_type="application/json")
    assert ended.json()["to_at"]
    assert li_operator.members.open().get().user == li


def test_whose_password_was_given_too_long_ago_hands_nothing_on(li, li_operator, where, settings):
    staff = make_user("staff", "李小山", is_operator=True, last_login=timezone.now())
    member = OperatorMember.objects.create(operator=li_operator, user=staff, role="staff")
    settings.PROOF_SECONDS = -1
    refused = api_of(li).post(f"{where}/people/{member.uid}/hand-on")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_needed")
    assert li_operator.members.owners().get().user == li
    settings.PROOF_SECONDS = 600
    assert api_of(li).post(f"{where}/people/{member.uid}/hand-on").json()["role"] == "owner"
    assert li_operator.members.owners().get().user == staff


def test_a_claim_is_listed_and_decided(zhao, sun, chen):
    known = make_operator(status="imported", reviewed_at=None, name="导入的", phone="19900003456")
    fresh = make_operator(chen, status="submitted", reviewed_at=None, name="新登记的", phone="19900004466")
    claim = Claim.objects.create(
        operator=known, fresh=fresh, user=chen, region_id=known.region_id, met_by="name", state="waiting"
    )
    assert api_of(sun).get("/api/v1/claims").json()["total"] == 0
    api = api_of(zhao)
    (listed,) = api.get("/api/v1/claims").json()["items"]
    assert (listed["uid"], listed["operator"], listed["fresh"]) == (str(claim.uid), known.code, fresh.code)
    where = f"/api/v1/operators/{known.code}/claims/{claim.uid}"
    assert api.post(f"{where}/approve", {"reason": ""}, content_type="application/json").status_code == 422
    assert not known.members.exists()
    done = api.post(f"{where}/approve", {"reason": "打电话核实过"}, content_type="application/json")
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    assert known.members.open().get().user == chen
    again = api.post(f"{where}/return", {"reason": "不是"}, content_type="application/json")
    assert again.json()["code"] == "already_decided"
