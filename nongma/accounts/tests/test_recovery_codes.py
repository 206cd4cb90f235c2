from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from nongma.accounts.codes import recovery_codes_left
from nongma.accounts.models import Authenticator, RecoveryCode, User
from nongma.accounts.second_factor import renew_recovery_codes
from nongma.accounts.services import create_user
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.testing import TOTP_KEY, client_of

PASSWORD = "seven-green-hills"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password and a phone."""
    mei = create_user(username="mei", name="梅登录", password=PASSWORD, actor=None)
    Authenticator.objects.create(user=mei, name="手机", key=TOTP_KEY, confirmed=True)
    mei.has_totp = True
    mei.save()
    return mei


@pytest.fixture
def codes(mei: User) -> list[str]:
    """The codes on Mei's paper."""
    return renew_recovery_codes(actor=mei)


def sign_in_with(code: str) -> Client:
    client = Client()
    page = client.post(reverse("accounts:sign-in"), {"username": "mei", "password": PASSWORD, "next": "/me"}).url
    shown = client.get(page)
    assert parse_qs(shown.context["other"])["by"] == ["recovery"]
    client.post(f"{urlsplit(page).path}?{shown.context['other']}", {"code": code, "next": "/me"})
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_code_has_118_bits_and_only_its_hash_is_kept(mei: User, codes: list[str]) -> None:
    assert len(set(codes)) == 10
    assert all(len(code.replace("-", "")) == 24 for code in codes)
    kept = [bytes(digest) for digest in RecoveryCode.objects.values_list("digest", flat=True)]
    assert len(kept) == 10
    assert not any(code.replace("-", "").encode() in digest for code in codes for digest in kept)


@pytest.mark.parametrize("written", [str, str.upper, lambda code: code.replace("-", " ")])
def test_it_signs_in_once(mei: User, codes: list[str], written) -> None:
    assert is_in(sign_in_with(written(codes[3])))
    assert not is_in(sign_in_with(codes[3]))
    assert recovery_codes_left(mei) == 9
    entry = Entry.objects.get(action="account.recovery_used")
    assert (entry.target_id, entry.details) == (str(mei.uid), {"left": 9})


def test_its_use_is_told_on_the_next_page(codes: list[str]) -> None:
    assert "还剩 9 个" in sign_in_with(codes[0]).get(reverse("accounts:account")).text


def test_a_false_one_does_not(mei: User, codes: list[str]) -> None:
    assert not is_in(sign_in_with("aaaa-bbbb-cccc-dddd-eeee-ffff"))
    assert not is_in(sign_in_with("aaaa"))
    assert recovery_codes_left(mei) == 10


def test_somebody_elses_does_not(mei: User, hainan: User) -> None:
    for code in renew_recovery_codes(actor=hainan)[:2]:
        assert not is_in(sign_in_with(code))
    assert recovery_codes_left(hainan) == 10


def test_it_gets_a_token_too(mei: User, codes: list[str]) -> None:
    body = {"username": "mei", "password": PASSWORD, "code": codes[0]}
    answers = [Client().post("/api/v1/token", body, content_type="application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert recovery_codes_left(mei) == 9


def test_new_ones_void_the_old(mei: User, codes: list[str]) -> None:
    client = client_of(mei)
    assert "10 个里还剩 <strong>10</strong>" in client.get(reverse("accounts:recovery")).text
    shown = client.post(reverse("accounts:recovery"))
    new = shown.context["codes"]
    assert shown["Cache-Control"].count("no-store")
    assert not is_in(sign_in_with(codes[0]))
    assert is_in(sign_in_with(new[0]))
    assert Entry.objects.filter(action="account.recovery_renewed").count() == 2


def test_there_are_none_without_a_phone(db: None) -> None:
    lan = create_user(username="lan", name="兰", password=PASSWORD, actor=None)
    with pytest.raises(Refused, match="先启用"):
        renew_recovery_codes(actor=lan)
    assert client_of(lan).get(reverse("accounts:recovery")).url == reverse("accounts:code")
    assert not RecoveryCode.objects.exists()
