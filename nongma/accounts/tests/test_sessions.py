"""Sessions know where they are, end by themselves, and are ended by their person (登录设备)."""

from datetime import timedelta
from time import time

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import Session, User
from nongma.accounts.sessions import PROVED
from nongma.accounts.sign_ins import device_in_words, handle_of
from nongma.accounts.tasks import forget_ended_sessions
from nongma.audit.models import Entry
from nongma.testing import api_of, client_of, make_user

PASSWORD = "seven-green-hills"
HOME = reverse("accounts:account")
PAGE = reverse("accounts:sessions")
SIGN_IN = reverse("accounts:sign-in")
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"
ANDROID = "Mozilla/5.0 (Linux; Android 14; 2312) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"


@pytest.fixture
def mei(db: None) -> User:
    """Mei, who has a password."""
    mei = make_user("mei", "梅登录")
    mei.set_password(PASSWORD)
    mei.save()
    return mei


def sign_in(agent: str = EDGE, **options: str) -> Client:
    client = Client(headers={"user-agent": agent}, **options)
    client.post(reverse("accounts:sign-in"), {"username": "mei", "password": PASSWORD})
    return client


def row(client: Client) -> Session:
    return Session.objects.get(pk=client.session.session_key)


def shift(client: Client, **columns: timedelta) -> None:
    """Move moments of the session into the past."""
    kept = row(client)
    Session.objects.filter(pk=kept.pk).update(**{name: getattr(kept, name) - by for name, by in columns.items()})


def is_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def test_it_knows_whose_it_is_and_where(mei: User) -> None:
    kept = row(sign_in(REMOTE_ADDR="10.1.2.3"))
    assert (kept.user_id, kept.address, kept.agent) == (mei.pk, "10.1.2.3", EDGE)
    assert timezone.now() - kept.started_at < timedelta(seconds=10)
    assert Session.objects.filter(user_id=None).count() == 0


def test_using_it_writes_every_five_minutes_at_most(mei: User) -> None:
    client = sign_in()
    before = row(client)
    with CaptureQueriesContext(connection) as queries:
        assert is_in(client)
    assert not any(query["sql"].startswith("UPDATE") for query in queries)
    shift(client, seen_at=timedelta(minutes=6), expire_date=timedelta(minutes=6))
    assert is_in(client)
    after = row(client)
    assert after.seen_at >= before.seen_at
    assert after.expire_date >= before.expire_date


def test_it_ends_when_it_is_not_used(mei: User, settings: LazySettings) -> None:
    client = sign_in()
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    assert idle == timedelta(hours=2)
    shift(client, seen_at=idle, expire_date=idle)
    assert not is_in(client)


def test_it_ends_twelve_hours_after_the_sign_in_however_it_is_used(mei: User) -> None:
    client = sign_in()
    session = client.session
    session["started_at"] = int(time()) - 12 * 3600 + 60
    session.save()
    assert is_in(client)
    assert row(client).expire_date <= timezone.now() + timedelta(seconds=60)
    shift(client, seen_at=timedelta(minutes=6))
    assert is_in(client)
    assert row(client).expire_date <= timezone.now() + timedelta(seconds=60)
    shift(client, expire_date=timedelta(seconds=61))
    assert not is_in(client)


def test_what_has_ended_is_forgotten(mei: User) -> None:
    over, going_on = sign_in(), sign_in()
    shift(over, expire_date=timedelta(hours=3))
    forget_ended_sessions(0)
    assert [kept.pk for kept in Session.objects.all()] == [going_on.session.session_key]


def test_the_page_shows_where_one_is_signed_in(mei: User, hainan: User) -> None:
    here, phone = sign_in(), sign_in(ANDROID, REMOTE_ADDR="10.9.9.9")
    client_of(hainan)
    page = here.get(PAGE)
    first, second = page.context["sessions"]
    assert (first.is_this, first.device) == (True, "Windows 电脑，Edge")
    assert (second.is_this, second.device, second.session.address) == (False, "安卓手机，Chrome", "10.9.9.9")
    assert "这一台" in page.text
    for client in (here, phone):
        assert client.session.session_key not in page.text


def test_one_is_signed_out(mei: User) -> None:
    here, there, third = sign_in(), sign_in(ANDROID), sign_in()
    answer = here.post(reverse("accounts:end-session"), {"handle": handle_of(there.session.session_key)})
    assert answer.url == PAGE
    assert [is_in(client) for client in (here, there, third)] == [True, False, True]
    assert Entry.objects.get(action="account.signed_out").target_id == str(mei.uid)


def test_somebody_elses_is_not(mei: User, hainan: User) -> None:
    other = client_of(hainan)
    sign_in().post(reverse("accounts:end-session"), {"handle": handle_of(other.session.session_key)})
    assert is_in(other)
    assert not Entry.objects.filter(action="account.signed_out").exists()


def test_all_others_are_signed_out_and_tokens_end(mei: User) -> None:
    here, there, program = sign_in(), sign_in(), api_of(mei)
    assert program.get("/api/v1/me").status_code == 200
    assert here.post(reverse("accounts:end-sessions")).url == PAGE
    assert [is_in(client) for client in (here, there)] == [True, False]
    assert program.get("/api/v1/me").status_code == 401
    assert len(here.get(PAGE).context["sessions"]) == 1
    assert Entry.objects.filter(action="account.signed_out_everywhere").count() == 1


def test_it_asks_for_the_password_first(mei: User) -> None:
    here, there = sign_in(), sign_in()
    session = here.session
    session[PROVED] = 0
    session.save()
    for name in ("accounts:end-sessions", "accounts:end-session"):
        assert "再输一次密码" in here.post(reverse(name)).text
    assert is_in(there)


def test_a_changed_password_leaves_no_dead_ones_in_the_list(mei: User) -> None:
    here = sign_in()
    sign_in()
    new = "eight-green-hills"
    here.post(reverse("accounts:password"), {"old": PASSWORD, "new": new, "again": new})
    assert len(here.get(PAGE).context["sessions"]) == 1


def test_signing_out_ends_it_for_good(mei: User) -> None:
    client = sign_in()
    key = client.session.session_key
    client.post(reverse("accounts:sign-out"))
    client.cookies["sessionid"] = key
    assert not is_in(client)
    assert not Session.objects.filter(pk=key).exists()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(mei: User) -> None:
    cookie = sign_in().cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (EDGE, "Windows 电脑，Edge"),
        (ANDROID, "安卓手机，Chrome"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1 MicroMessenger/8.0", "苹果手机，微信"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Linux 电脑，火狐浏览器"),
        ("curl/8", "其他设备"),
        ("", "其他设备"),
    ],
)
def test_a_device_is_told_in_plain_words(agent: str, words: str) -> None:
    assert device_in_words(agent) == words


OVER = "登录已结束"


def test_whoever_is_cut_off_is_told_that_the_sign_in_has_ended(mei: User) -> None:
    client = sign_in()
    User.objects.filter(pk=mei.pk).update(suspended_at=timezone.now())
    page = client.get(HOME, follow=True)
    assert page.redirect_chain == [(f"{SIGN_IN}?next=/me&ended=1", 302)]
    assert OVER in page.text


def test_whose_password_was_changed_elsewhere_is_told_too(mei: User) -> None:
    here, there = sign_in(), sign_in()
    here.post(reverse("accounts:end-sessions"))
    assert OVER in there.get(HOME, follow=True).text
    shift(here, expire_date=timedelta(hours=3))
    assert OVER in here.get(SIGN_IN).text


def test_a_visitor_who_was_never_signed_in_is_not(mei: User) -> None:
    stranger = Client()
    assert OVER not in stranger.get(HOME, follow=True).text
    assert stranger.get(HOME).url == f"{SIGN_IN}?next=/me"
    waiting = Client()
    mei.has_totp = True
    mei.save()
    waiting.post(SIGN_IN, {"username": "mei", "password": PASSWORD})
    assert waiting.cookies["sessionid"].value
    assert OVER not in waiting.get(HOME, follow=True).text
    left = sign_in()
    left.post(reverse("accounts:sign-out"))
    assert OVER not in left.get(HOME, follow=True).text


def test_it_is_said_once_not_beside_a_wrong_password(mei: User) -> None:
    wrong = Client().post(f"{SIGN_IN}?ended=1", {"username": "mei", "password": "wrong"})
    assert "用户名或密码不对" in wrong.text
    assert OVER not in wrong.text
