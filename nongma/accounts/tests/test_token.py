from datetime import timedelta
from unittest.mock import patch

import jwt
import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from nongma.accounts.models import User
from nongma.accounts.services import change_password, create_user
from nongma.accounts.tokens import token_for, user_of
from nongma.audit.models import Entry
from nongma.testing import api_of, client_of

PASSWORD = "seven-green-hills"
ME = "/api/v1/me"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password."""
    return create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)


def ask(client: Client, username: str = "mei", password: str = PASSWORD):
    body = {"username": username, "password": password}
    return client.post("/api/v1/token", body, content_type="application/json")


def me(token: str):
    return Client().get(ME, headers={"Authorization": f"Bearer {token}"})


def test_it_gives_a_token_that_signs_requests_in(client: Client, mei: User, settings: LazySettings) -> None:
    answer = ask(client).json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", settings.TOKEN_SECONDS)
    assert me(answer["access_token"]).json()["username"] == "mei"
    assert Entry.objects.get(action="account.signed_in").details == {"by": "token"}


@pytest.mark.parametrize(("username", "password"), [("mei", "wrong"), ("nobody", PASSWORD)])
def test_it_refuses_a_wrong_password(client: Client, mei: User, username: str, password: str) -> None:
    answer = ask(client, username, password)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "wrong_password"
    assert not Entry.objects.filter(action="account.signed_in").exists()


def test_it_counts_failures_together_with_the_sign_in_page(client: Client, mei: User) -> None:
    for _ in range(5):
        ask(client, password="wrong")
        client.post("/signin", {"username": "mei", "password": "wrong"})
    answer = ask(client)
    assert (answer.status_code, answer.json()["code"]) == (429, "locked")
    assert answer["Retry-After"] == "900"


def test_it_forgets_failures_after_a_success(client: Client, mei: User) -> None:
    for _ in range(2):
        for _ in range(9):
            assert ask(client, password="wrong").status_code == 401
        assert ask(client).status_code == 200


def test_it_ends_with_the_password(mei: User) -> None:
    token = token_for(mei)
    change_password(user=mei, old=PASSWORD, new="eight-green-hills", actor=mei)
    assert me(token).status_code == 401


def test_it_ends_with_the_account(mei: User) -> None:
    token = token_for(mei)
    User.objects.filter(pk=mei.pk).update(is_active=False)
    assert me(token).status_code == 401


def test_it_ends_with_its_time(mei: User, settings: LazySettings) -> None:
    past = timezone.now() - timedelta(seconds=settings.TOKEN_SECONDS + 60)
    with patch("nongma.accounts.tokens.timezone.now", return_value=past):
        token = token_for(mei)
    assert user_of(token) is None


def test_it_takes_no_token_of_another_make(mei: User) -> None:
    claims = jwt.decode(token_for(mei), options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, "k" * 32, algorithm="HS256"),
        jwt.encode(claims, None, algorithm="none"),
        token_for(mei)[:-2],
        "",
        "x" * 5000,
    ):
        assert me(forged).status_code == 401


def test_a_false_token_is_not_saved_by_a_session(mei: User) -> None:
    assert client_of(mei).get(ME, headers={"Authorization": "Bearer false"}).status_code == 401


def test_it_tells_who_i_am_and_what_i_may_do(zhao: User) -> None:
    answer = api_of(zhao).get(ME).json()
    assert (answer["username"], answer["roles"], answer["is_operator"]) == ("zhao", ["reviewer"], False)
    assert "review_origins" in answer["actions"]
    assert "issue_certificate" not in answer["actions"]
    assert answer["posts"] == [
        {
            "agency": "崖州区监管机构",
            "role": "reviewer",
            "role_name": "审核员",
            "region": {"code": "460205000000", "name": answer["posts"][0]["region"]["name"]},
        }
    ]


def test_it_tells_the_same_to_the_browser(zhao: User) -> None:
    assert client_of(zhao).get(ME).json() == api_of(zhao).get(ME).json()
    assert Client().get(ME).status_code == 401
