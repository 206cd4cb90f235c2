import time
from typing import Any, get_args

import pytest
from django.conf import settings
from django.test import Client

from nongma.accounts.granting import HELD
from nongma.accounts.models import Agency, IdempotencyKey, Membership, Role, User
from nongma.accounts.people.api import HeldRole
from nongma.audit.models import Entry
from nongma.testing import LI_PHONE, YAZHOU, api_of, make_official

LIST = "/api/v1/people"


@pytest.fixture
def gao(hainan: User) -> User:
    """Gao, the administrator of 崖州区."""
    return make_official("gao", "高管理", Role.ADMINISTRATOR, YAZHOU)


def send(user: User, where: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return api_of(user).post(where, body or {}, content_type="application/json", headers=headers)


def account(agency: Agency, **fields: Any) -> dict[str, Any]:
    return {"agency": str(agency.uid), "name": "周采集", "username": "zhou", "roles": ["collector"]} | fields


def state() -> tuple[Any, ...]:
    """What a refused call must leave as it was."""
    posts = Membership.objects.order_by("pk").values_list("pk", "user", "agency", "role", "from_on", "to_on")
    people = User.objects.order_by("pk").values_list("pk", "is_active", "suspended_at", "password", "agency")
    return list(posts), list(people), Entry.objects.count()


def test_it_hands_an_account_out_and_tells_the_password_once(gao: User) -> None:
    answer = send(gao, LIST, account(gao.agency, phone=LI_PHONE, roles=["collector", "analyst"]))
    assert answer.status_code == 201
    person = User.objects.get(uid=answer.json()["uid"])
    assert person.check_password(answer.json()["first_password"])
    assert person.must_change_password
    record = api_of(gao).get(f"{LIST}/{person.uid}")
    assert {post["role"] for post in record.json()["posts"]} == {"collector", "analyst"}
    assert (record.json()["phone"], record.json()["agency"]) == ("199****5935", str(gao.agency.uid))
    for text in (record.text, api_of(gao).get(LIST).text):
        assert "first_password" not in text
        assert LI_PHONE not in text


def test_the_same_request_again_hands_out_one_account(gao: User) -> None:
    answers = [send(gao, LIST, account(gao.agency), **{"Idempotency-Key": "zhou"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert User.objects.filter(username="zhou").count() == 1


def test_the_answer_that_is_kept_does_not_show_the_password(gao: User) -> None:
    answer = send(gao, LIST, account(gao.agency), **{"Idempotency-Key": "zhou"})
    kept = IdempotencyKey.objects.get(user=gao)
    assert answer.json()["first_password"].encode() not in bytes(kept.body)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"roles": []}, 422, "invalid"),
        ({"roles": ["laboratory"]}, 409, "role_not_held"),
        ({"roles": ["administrator"]}, 409, "not_grantor"),
        ({"roles": ["operator"]}, 422, "invalid"),
        ({"username": "gao"}, 409, "username_taken"),
        ({"username": "a b"}, 422, "username_form"),
        ({"phone": "123"}, 422, "phone_invalid"),
    ],
)
def test_it_hands_out_nothing_against_the_rules(gao: User, fields: dict[str, Any], status: int, code: str) -> None:
    before = state()
    answer = send(gao, LIST, account(gao.agency, **fields))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert state() == before


def test_it_hands_out_nothing_elsewhere(gao: User, sun: User) -> None:
    before = state()
    assert send(gao, LIST, account(sun.agency)).status_code == 404
    assert send(gao, f"{LIST}/{sun.uid}/suspend", {"reason": "试一试"}).status_code == 404
    assert send(gao, f"{LIST}/{sun.uid}/posts", {"agency": str(gao.agency.uid), "role": "analyst"}).status_code == 404
    post = sun.memberships.get()
    assert send(gao, f"/api/v1/posts/{post.uid}/end").status_code == 404
    assert send(gao, f"/api/v1/posts/{post.uid}/hand-over", {"to": "gao"}).status_code == 404
    assert api_of(gao).get(f"{LIST}/{sun.uid}").status_code == 404
    assert state() == before


def test_it_lists_by_role_state_and_name(gao: User, zhao: User, wang: User, sun: User) -> None:
    User.objects.filter(pk=wang.pk).update(must_change_password=True)

    def found(query: str) -> set[str]:
        return {item["username"] for item in api_of(gao).get(LIST + query).json()["items"]}

    assert found("") == {"gao", "zhao", "wang"}
    assert found("?role=reviewer") == {"zhao"}
    assert found("?state=unclaimed") == {"wang"}
    assert found("?state=closed") == set()
    assert found("?q=赵") == {"zhao"}
    assert found("?q=ga") == {"gao"}
    assert found("?region=460205198") == {"wang"}
    assert found("?region=33") == set()


def test_it_suspends_restores_and_closes(gao: User, zhao: User) -> None:
    where = f"{LIST}/{zhao.uid}"
    assert send(gao, f"{where}/suspend", {"reason": "休假"}).json()["suspended_at"]
    assert api_of(zhao).get("/api/v1/me").status_code == 401
    assert send(gao, f"{where}/suspend", {"reason": "休假"}).json()["code"] == "already_suspended"
    assert send(gao, f"{where}/restore").json()["suspended_at"] is None
    closed = send(gao, f"{where}/close", {"reason": "调离"}).json()
    assert (closed["is_active"], closed["posts"]) == (False, [])
    before = state()
    own = send(gao, f"{LIST}/{gao.uid}/suspend", {"reason": "试一试"})
    assert (own.status_code, own.json()["code"]) == (409, "self")
    assert send(gao, f"{where}/close", {"reason": ""}).status_code == 422
    assert state() == before


def test_it_appoints_and_ends(gao: User, zhao: User) -> None:
    given = send(gao, f"{LIST}/{zhao.uid}/posts", {"agency": str(gao.agency.uid), "role": "analyst"})
    assert given.status_code == 201
    assert given.json()["role"] == "analyst"
    assert send(gao, f"/api/v1/posts/{given.json()['uid']}/end").json()["to_on"]
    assert set(zhao.memberships.filter(to_on=None).values_list("role", flat=True)) == {"reviewer"}


def test_it_hands_a_post_over(gao: User, hainan: User, zhao: User) -> None:
    post = gao.memberships.get()
    answer = send(hainan, f"/api/v1/posts/{post.uid}/hand-over", {"to": "zhao", "leaver": "suspend"})
    assert answer.status_code == 201
    gao.refresh_from_db()
    gao.agency.refresh_from_db()
    assert gao.suspended_at
    assert gao.agency.administrator == zhao
    assert Membership.objects.get(uid=answer.json()["uid"]).follows == post


def test_it_hands_no_post_to_a_stranger(gao: User, hainan: User, sun: User) -> None:
    before = state()
    answer = send(hainan, f"/api/v1/posts/{gao.memberships.get().uid}/hand-over", {"to": "sun"})
    assert (answer.status_code, answer.json()["code"]) == (422, "person_unknown")
    assert state() == before


def test_an_old_token_asks_for_the_password_again(gao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    program = api_of(gao)
    before = state()
    later = time.time() + settings.PROOF_SECONDS + 1
    monkeypatch.setattr("nongma.accounts.proof.time.time", lambda: later)

    def ask(client: Client) -> Any:
        return client.post(LIST, account(gao.agency), content_type="application/json")

    answer = ask(program)
    assert answer.status_code == 403
    assert b"password_needed" in answer.content
    assert program.get(LIST).status_code == 200
    assert state() == before


def test_the_roles_offered_are_those_held_at_agencies() -> None:
    assert set(get_args(HeldRole)) == set(Role) - {Role.OPERATOR}
    assert set(get_args(HeldRole)) == {role for roles in HELD.values() for role in roles}


def test_a_wrong_role_is_told_which_there_are(gao: User) -> None:
    before = state()
    answer = send(gao, LIST, account(gao.agency, roles=["king"]))
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "roles"
    assert "collector、" in fault["message"]
    assert "operator" not in fault["message"]
    assert state() == before
