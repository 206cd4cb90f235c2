"""Codes by text message: sent within limits, good once and for ten minutes, telling nobody who is known."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from nongma.accounts.models import Membership, Role, User
from nongma.accounts.services import change_person
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index, digest_of
from nongma.lib.refused import Refused
from nongma.notices.models import Outgoing
from nongma.registry.models import Draft, PhoneCode
from nongma.registry.self_registration.codes import send_code, use_code
from nongma.registry.self_registration.entering import prove_own_phone
from nongma.registry.tasks import forget_unsent
from nongma.testing import LI_PHONE, YAZHOU, at_once, client_of, make_official, make_operator, make_user

PHONE = "19900001234"


@pytest.fixture(autouse=True)
def _sms(db, settings):
    settings.OUTBOX = "file"


def ask(client: Client, phone: str = PHONE):
    return client.post("/join/", {"phone": phone})


def sent_code() -> str:
    """The six digits of the newest message."""
    found = re.search(r"\d{6}", Outgoing.objects.order_by("-id")[0].body)
    assert found
    return found[0]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def enter(client: Client, code: str, **options):
    return client.post("/join/code", {"code": code}, **options)


def as_if(**ago: float) -> None:
    """All codes were sent so long ago."""
    for code in PhoneCode.objects.all():
        PhoneCode.objects.filter(pk=code.pk).update(
            sent_at=code.sent_at - timedelta(**ago), expires_at=code.expires_at - timedelta(**ago)
        )


def in_as(user: User, phone: str = PHONE) -> User:
    user.phone, user.phone_index, user.phone_proved_at = phone, blind_index(phone), timezone.now()
    user.save()
    return user


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_right_code_makes_an_account_and_signs_in(client):
    assert ask(client, "199 0000-1234").url == "/join/code"
    page = client.get("/join/code").text
    assert "199****1234" in page
    assert enter(client, f" {sent_code()} ").url == "/join/register"
    user = User.objects.get(phone_index=blind_index(PHONE))
    assert (user.is_operator, user.place, user.phone, user.has_usable_password()) == (True, None, PHONE, False)
    assert re.fullmatch(r"u[a-z2-9]{12}", user.username)
    assert client.get("/join/register").status_code == 200
    log = Entry.objects.filter(target_id=str(user.uid)).order_by("id").values_list("action", "details")
    assert [action for action, _ in log] == ["account.created", "account.signed_in"]
    assert log[1][1]["by"] == "phone"
    assert PHONE not in str(list(log))


def test_who_comes_again_gets_the_same_account(client, li, li_operator):
    in_as(li)
    ask(client)
    assert enter(client, sent_code()).url == "/"
    assert client.session["_auth_user_id"] == str(li.pk)
    assert User.objects.filter(is_operator=True).count() == 1


def test_the_code_lies_hashed_and_the_number_encrypted(client):
    ask(client)
    held = PhoneCode.objects.get()
    assert sent_code().encode() not in bytes(held.digest)
    assert PHONE not in str(dict(client.session))


def test_a_wrong_code_counts_and_the_fifth_is_the_last(client):
    ask(client)
    right = sent_code()
    for left in (4, 3, 2, 1):
        assert f"还可以试 {left} 次" in enter(client, other_than(right)).text
    assert "请重新发送" in enter(client, other_than(right)).text
    assert "已输错 5 次" in enter(client, right).text
    assert (PhoneCode.objects.get().wrong, is_in(client), User.objects.count()) == (5, False, 0)


def test_a_code_ends_after_ten_minutes(client):
    ask(client)
    as_if(minutes=10)
    assert "已过期" in enter(client, sent_code()).text
    assert not is_in(client)


def test_a_code_is_used_once(client):
    ask(client)
    session = client.session
    enter(client, sent_code())
    again = Client()
    again.cookies["sessionid"] = session.session_key
    ask(again, "19900009999")
    assert "验证码不对" in enter(again, other_than(sent_code())).text
    client.post("/signout")
    assert "刚刚发过" in ask(client).text
    as_if(seconds=61)
    used = Outgoing.objects.order_by("id")[0].body
    ask(client)
    PhoneCode.objects.order_by("-id")[0].delete()
    assert "已经用过" in enter(client, re.search(r"\d{6}", used)[0]).text
    assert not is_in(client)


def test_an_older_code_is_void_when_a_new_one_is_sent(client):
    ask(client)
    old = sent_code()
    as_if(seconds=60)
    ask(client)
    if old != sent_code():
        assert "验证码不对" in enter(client, old).text
    assert enter(client, sent_code()).status_code == 302


def test_another_is_sent_after_a_minute_only(client):
    ask(client)
    again = ask(client)
    assert again.url == "/join/code"
    assert "秒后再发" in client.get("/join/code").text
    stranger = ask(Client())
    assert (stranger.status_code, Outgoing.objects.count()) == (429, 1)
    as_if(seconds=61)
    assert ask(Client()).status_code == 302


def test_a_number_gets_so_many_an_hour(client, settings):
    settings.SEND_PER_HOUR = 2
    for _ in range(2):
        ask(client)
        as_if(seconds=61)
    refused = ask(client)
    assert refused.status_code == 429
    assert "过一小时再试" in refused.text
    assert PhoneCode.objects.count() == 2
    assert enter(client, re.search(r"\d{6}", Outgoing.objects.filter(state="queued").latest("id").body)[0]).url


def test_an_address_gets_so_many_an_hour(client, settings):
    settings.SEND_PER_ADDRESS = 2
    answers = [ask(Client(), f"1990000000{number}").status_code for number in range(3)]
    assert answers == [302, 302, 429]
    assert ask(Client(REMOTE_ADDR="10.9.9.9"), "19900000009").status_code == 302


def test_who_answers_leaves_the_address_to_the_next_of_the_village(settings):
    settings.SEND_PER_ADDRESS = 2
    for number in range(5):
        browser = Client()
        assert ask(browser, f"1990000001{number}").status_code == 302
        assert enter(browser, sent_code()).url == "/join/register"
    assert [ask(Client(), f"1990000002{number}").status_code for number in range(3)] == [302, 302, 429]


def test_addresses_of_one_household_count_together(settings):
    settings.SEND_PER_ADDRESS = 2
    homes = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::7", "2001:db8:1:3::1"]
    answers = [ask(Client(REMOTE_ADDR=home), f"1990000003{number}").status_code for number, home in enumerate(homes)]
    assert answers == [302, 302, 429, 302]
    assert Outgoing.objects.first().from_address == "2001:db8:1:3::"


@pytest.mark.parametrize("phone", ["", "12345", "0898-88381234", "1990000123x"])
def test_what_is_no_phone_is_sent_nothing(client, phone):
    answer = ask(client, phone)
    assert answer.context["form"].errors["phone"]
    assert not Outgoing.objects.exists()


def test_it_does_not_tell_whether_a_number_is_known(client, li, zhao):
    in_as(li)
    in_as(zhao, "19900005678")
    answers = []
    for phone in (PHONE, "19900005678", "19900007777"):
        browser = Client()
        first = ask(browser, phone)
        wrong = enter(browser, other_than(sent_code()))
        page = re.sub(r'csrf\w+" value="\w+"|199\*+\d+|value="(199)?\d+"|resend="\d+"', "", wrong.text)
        answers.append((first.status_code, first.url, wrong.status_code, page))
    assert answers[0] == answers[1] == answers[2]


def refusal_to(client: Client) -> str:
    ask(client)
    answer = enter(client, sent_code())
    assert not is_in(client)
    assert not Entry.objects.filter(action__in=("account.signed_in", "account.created")).exists()
    return "".join(answer.context["form"].errors["code"])


def test_an_official_is_told_to_use_the_password(client, zhao):
    in_as(zhao)
    assert "机构人员" in refusal_to(client)


def test_an_operators_person_with_a_post_is_too(client, li, zhao):
    in_as(li)
    Membership.objects.create(user=li, agency=zhao.agency, role=Role.COLLECTOR, from_on=timezone.localdate())
    assert "职务" in refusal_to(client)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"suspended_at": timezone.now()}, "已停用"),
        ({"is_active": False}, "已注销"),
        ({"has_totp": True}, "动态口令"),
        ({"must_change_password": True}, "初始密码"),
    ],
)
def test_it_is_refused(client, li, fields, told):
    in_as(li)
    User.objects.filter(pk=li.pk).update(**fields)
    assert told in refusal_to(client)
    assert Entry.objects.filter(action="account.refused").exists() is ("suspended_at" in fields)


def test_a_phone_of_two_people_signs_in_neither(client, li, chen):
    in_as(li)
    in_as(chen)
    assert "几个账号" in refusal_to(client)


def test_a_phone_that_nobody_has_proved_signs_nobody_in(client, li, li_operator, zhao):
    """An administrator may have mistyped it: its holder is not let into the account of another."""
    change_person(user=li, name="李大山", phone=PHONE, email="", actor=li)
    told = refusal_to(client)
    assert "没有证实" in told
    assert "我的账号" in told
    assert User.objects.filter(phone_index=blind_index(PHONE)).get() == li


def test_one_who_has_proved_it_signs_in_past_another_account_that_only_names_it(client, li, chen, li_operator):
    in_as(li)
    in_as(chen)
    User.objects.filter(pk=chen.pk).update(phone_proved_at=None)
    ask(client)
    assert enter(client, sent_code()).url == "/"
    assert client.session["_auth_user_id"] == str(li.pk)


def test_a_person_signed_in_proves_the_own_phone(li, li_operator):
    in_as(li)
    User.objects.filter(pk=li.pk).update(phone_proved_at=None)
    browser = client_of(li)
    assert "未证实" in browser.get("/me").text
    assert browser.post("/join/prove").url == "/join/prove"
    right = sent_code()
    assert "还可以试 4 次" in browser.post("/join/prove", {"code": other_than(right)}).text
    li.refresh_from_db()
    assert li.phone_proved_at is None
    assert browser.post("/join/prove", {"code": right}).url == "/me"
    li.refresh_from_db()
    assert li.phone_proved_at
    assert Entry.objects.of(li).filter(action="account.phone_proved").count() == 1
    assert "已证实" in browser.get("/me").text


def test_a_new_number_has_to_be_proved_anew(li, li_operator):
    in_as(li)
    change_person(user=li, name="李大", phone="", email="", actor=li)
    assert User.objects.get(pk=li.pk).phone_proved_at
    change_person(user=li, name="李大", phone="19900004321", email="", actor=li)
    assert User.objects.get(pk=li.pk).phone_proved_at is None


def test_a_number_changed_while_the_code_was_on_its_way_is_not_proved(li, li_operator):
    in_as(li)
    send_code(phone=PHONE, address=None)
    known = User.objects.get(pk=li.pk)
    change_person(user=li, name="李大", phone="19900004321", email="", actor=li)
    with pytest.raises(Refused, match="刚刚改过"):
        prove_own_phone(actor=known, code=sent_code())
    assert User.objects.get(pk=li.pk).phone_proved_at is None


def test_who_has_no_phone_is_led_to_where_it_is_filled_in(chen):
    assert client_of(chen).get("/join/prove").url == "/notices/settings"


def test_a_false_code_stands_in_the_persons_own_log(client, li, li_operator):
    in_as(li)
    ask(client)
    enter(client, other_than(sent_code()))
    assert Entry.objects.of(li).filter(action="account.text_code_failed").count() == 1
    assert "短信验证码不对" in client_of(li).get("/me/signins").text


def test_a_closed_channel_says_so(client, settings):
    settings.OUTBOX = "off"
    assert "没有开通短信" in client.get("/join/").text
    assert ask(client).context["form"].errors["phone"]


def test_without_a_number_there_is_no_code_to_enter(client):
    assert client.get("/join/code").url == "/join/"


def test_old_codes_and_drafts_go_by_themselves(client, li, chen):
    ask(client)
    ask(Client(), LI_PHONE)
    PhoneCode.objects.filter(phone_index=digest_of(LI_PHONE)).update(sent_at=timezone.now() - timedelta(hours=25))
    for user in (li, chen):
        Draft.objects.create(user=user, inputs_json="{}")
    Draft.objects.filter(user=li).update(changed_at=timezone.now() - timedelta(days=91))
    assert forget_unsent(0) == 2
    assert bytes(PhoneCode.objects.get().phone_index) == digest_of(PHONE)
    assert Draft.objects.get().user == chen


def test_two_officials_and_a_grower_of_one_phone_are_the_grower(client, li, li_operator):
    in_as(li)
    in_as(make_official("clerk", "钱办事", Role.COLLECTOR, YAZHOU))
    ask(client)
    enter(client, sent_code())
    assert client.session["_auth_user_id"] == str(li.pk)


@pytest.mark.django_db(transaction=True)
def test_asked_for_at_once_one_is_sent():
    results = at_once(*[lambda: send_code(phone=PHONE, address=None)] * 4)
    assert sorted(map(str, results)) == ["None", "too_soon", "too_soon", "too_soon"]
    assert Outgoing.objects.count() == PhoneCode.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_guessed_at_once_no_more_than_five_count_and_a_right_one_wins_once():
    send_code(phone=PHONE, address=None)
    right = sent_code()
    results = at_once(*[lambda: use_code(phone=PHONE, code=right)] * 3)
    assert sorted(map(str, results)) == ["None", "code_over", "code_over"]
    as_if(seconds=61)
    send_code(phone=PHONE, address=None)
    right = sent_code()
    results = at_once(*[lambda: use_code(phone=PHONE, code=other_than(right))] * 8)
    assert sorted(results) == ["code_worn"] * 3 + ["code_wrong"] * 5
    assert PhoneCode.objects.latest("id").wrong == 5


def test_who_has_no_password_is_told_how_to_prove_who_it_is(client):
    ask(client)
    enter(client, sent_code())
    assert "没有密码" in client.get("/me/password").text
    session = client.session
    session.update({"proved_at": 0, "proved_fully_at": 0})
    session.save()
    assert "再用手机号收一个验证码登录" in client.get("/me/confirm").text


def test_the_sign_in_page_shows_the_way(client):
    assert 'href="/join/"' in client.get("/signin").text
    assert client.get("/join/privacy").status_code == 200
    signed_in = client_of(make_user("new", "新户", is_operator=True))
    assert signed_in.get("/join/").url == "/join/register"
    make_operator()
