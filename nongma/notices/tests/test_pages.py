"""The list of notices, the bell, how a person wants to be told, and the log of messages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from nongma.accounts.models import User
from nongma.accounts.sessions import PROVED
from nongma.audit.models import Entry
from nongma.notices.models import Channel, Notice, Outgoing, Preference
from nongma.notices.sending import Message, deliver, send
from nongma.notices.services import notify
from nongma.notices.tests.servers import Gateway
from nongma.testing import api_of, client_of

LIST = "/notices/"
DECISION, PROMPT = Notice.Kind.DECISION, Notice.Kind.PROMPT


@pytest.fixture
def two(li: User) -> list[Notice]:
    notify(users=[li.pk], kind=DECISION, title="合格证已作废", body="原因：开错了", url="/certificates/")
    notify(users=[li.pk], kind=PROMPT, title="请补坐标")
    return list(Notice.objects.visible_to(li))


def test_it_lists_the_own_notices_newest_first(li: User, chen: User, two: list[Notice]) -> None:
    page = client_of(li).get(LIST)
    assert [notice.title for notice in page.context["page"]] == ["请补坐标", "合格证已作废"]
    assert "合格证已作废" not in client_of(chen).get(LIST).text
    assert "还没有提醒" in client_of(chen).get(LIST).text


def test_it_narrows_by_kind_and_unread(li: User, two: list[Notice]) -> None:
    client = client_of(li)
    assert [notice.title for notice in client.get(LIST, {"kind": "decision"}).context["page"]] == ["合格证已作废"]
    two[0].read_at = timezone.now()
    two[0].save()
    assert [notice.title for notice in client.get(LIST, {"unread": "on"}).context["page"]] == ["合格证已作废"]
    assert "没有这样的提醒" in client.get(LIST, {"kind": "deadline"}).text
    assert client.get(LIST, {"kind": "nonsense"}).status_code == 200


def test_opening_one_marks_it_read_and_goes_to_its_page(li: User, two: list[Notice]) -> None:
    answer = client_of(li).post(f"/notices/{two[1].uid}/open")
    assert answer["Location"] == "/certificates/"
    two[1].refresh_from_db()
    assert two[1].read_at
    assert client_of(li).post(f"/notices/{two[0].uid}/open")["Location"] == LIST


def test_nobody_opens_or_reads_those_of_another(chen: User, two: list[Notice]) -> None:
    for verb in ("open", "read"):
        assert client_of(chen).post(f"/notices/{two[0].uid}/{verb}").status_code == 404
        assert client_of(chen).get(f"/notices/{two[0].uid}/{verb}").status_code == 405
    assert api_of(chen).post(f"/api/v1/notices/{two[0].uid}/read").status_code == 404
    assert Notice.objects.unread().count() == 2


def test_it_marks_read_and_stays_on_the_narrowed_list(li: User, two: list[Notice]) -> None:
    answer = client_of(li).post(f"/notices/{two[0].uid}/read", {"next": "/notices/?unread=on"})
    assert answer["Location"] == "/notices/?unread=on"
    for elsewhere in ("https://elsewhere.example/notices/", "/certificates/", "//notices/"):
        assert client_of(li).post(f"/notices/{two[1].uid}/read", {"next": elsewhere})["Location"] == LIST


def test_it_marks_all_read(li: User, chen: User, two: list[Notice]) -> None:
    notify(users=[chen.pk], kind=PROMPT, title="别人的")
    client_of(li).post("/notices/read", {"until": str(two[0].uid)})
    assert Notice.objects.unread().get().title == "别人的"


def test_the_bell_counts_what_is_unread(li: User, two: list[Notice]) -> None:
    assert "提醒，2 条未读" in client_of(li).get("/").text
    for number in range(120):
        notify(users=[li.pk], kind=DECISION, title=f"第 {number} 条")
    page = client_of(li).get("/").text
    assert "99+" in page
    assert "122" not in page


def test_the_bell_of_who_read_all_has_no_number(li: User) -> None:
    page = client_of(li).get("/").text
    assert 'aria-label="提醒"' in page
    assert "bell-count" not in page


def test_a_page_costs_the_same_with_many_notices(li: User, two: list[Notice], django_assert_max_num_queries) -> None:
    client = client_of(li)
    client.get(LIST)
    for number in range(60):
        notify(users=[li.pk], kind=DECISION, title=f"第 {number} 条", url="/lots/")
    with django_assert_max_num_queries(14):
        page = client.get(LIST)
    assert len(page.context["page"]) == 20
    assert client.get(LIST, {"page": 4}).context["page"].number == 4


def test_a_deadline_tells_how_near_it_is(li: User) -> None:
    today = timezone.localdate()
    notify(users=[li.pk], kind=Notice.Kind.DEADLINE, title="补坐标", due_on=today + timedelta(days=2))
    notify(users=[li.pk], kind=Notice.Kind.DEADLINE, title="补材料", due_on=today - timedelta(days=1))
    page = client_of(li).get(LIST).text
    assert "快到期" in page
    assert "已过期" in page


def test_the_api_lists_and_marks_read(li: User, two: list[Notice]) -> None:
    api = api_of(li)
    listed = api.get("/api/v1/notices", {"unread": "true"}).json()
    assert [item["title"] for item in listed["items"]] == ["请补坐标", "合格证已作废"]
    assert listed["items"][1] | {"created_at": "", "id": ""} == {
        "id": "",
        "kind": "decision",
        "title": "合格证已作废",
        "body": "原因：开错了",
        "url": "/certificates/",
        "count": 1,
        "due_on": None,
        "created_at": "",
        "read_at": None,
    }
    read = api.post(f"/api/v1/notices/{two[0].uid}/read")
    assert read.json()["read_at"]
    assert api.post(f"/api/v1/notices/{two[0].uid}/read").json()["read_at"] == read.json()["read_at"]
    assert api.get("/api/v1/notices", {"unread": "true", "kind": "prompt"}).json()["total"] == 0


# How a person wants to be told


@pytest.fixture
def wang_reachable(wang: User, sms: Gateway, mail: Any) -> User:
    wang.phone, wang.email = "19900008499", "wang@example.gov.cn"
    wang.save()
    return wang


def test_a_person_chooses_channels(wang_reachable: User) -> None:
    client = client_of(wang_reachable)
    page = client.get("/notices/settings")
    assert page.context["form"]["digest"].initial == ["mail"]
    client.post("/notices/settings", {"digest": ["sms"], "decision": ["sms", "mail"]})
    kept = Preference.objects.get(user=wang_reachable)
    assert (kept.digest_by, kept.decision_by, kept.prompt_by) == (["sms"], ["sms", "mail"], [])
    entry = Entry.objects.get(action="account.channels_chosen")
    assert entry.details["decision"] == "短信、邮件"


def test_a_channel_without_an_address_is_not_offered(wang: User, sms: Gateway) -> None:
    page = client_of(wang).get("/notices/settings").text
    assert "没有可用的发送方式" in page
    client_of(wang).post("/notices/settings", {"digest": ["sms"]})
    assert not Preference.objects.exists()


def test_a_closed_channel_is_not_taken(wang_reachable: User) -> None:
    answer = client_of(wang_reachable).post("/notices/settings", {"digest": ["webhook"]})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not Preference.objects.exists()


def test_a_person_enters_the_own_phone_and_mail(wang: User, sms: Gateway) -> None:
    client = client_of(wang)
    wrong = client.post("/notices/settings/contact", {"phone": "12345", "email": ""})
    assert wrong.context["contact"].errors["phone"]
    wrong = client.post("/notices/settings/contact", {"phone": "", "email": "nobody"})
    assert wrong.context["contact"].errors["email"]
    wang.refresh_from_db()
    assert (wang.phone, wang.email) == ("", "")
    client.post("/notices/settings/contact", {"phone": "199 0000 8499", "email": "wang@example.gov.cn"})
    wang.refresh_from_db()
    assert (wang.phone, wang.email) == ("19900008499", "wang@example.gov.cn")
    assert Entry.objects.get(action="account.changed").details["fields"] == ["phone", "email"]


def test_it_asks_for_the_password_before_the_phone_changes(wang: User) -> None:
    client = Client()
    client.force_login(wang, backend="nongma.accounts.backends.PasswordBackend")
    answer = client.post("/notices/settings/contact", {"phone": "19900008499", "email": ""})
    assert answer.status_code == 200
    assert "密码" in answer.text
    wang.refresh_from_db()
    assert wang.phone == ""


# The log of messages


@pytest.fixture
def failed(wang_reachable: User, sms: Gateway) -> Outgoing:
    sms.answers = [400]
    outgoing = send(
        Message(
            channel=Channel.SMS,
            recipient=wang_reachable.phone,
            body="正文",
            purpose=Outgoing.Purpose.DIGEST,
            user=wang_reachable,
        )
    )
    deliver(outgoing.uid)
    outgoing.refresh_from_db()
    return outgoing


def test_an_administrator_sees_what_was_sent_in_the_own_area(failed: Outgoing, hainan: User, ministry: User) -> None:
    for user in (hainan, ministry):
        page = client_of(user).get("/notices/sent").text
        assert "199****8499" in page
        assert "19900008499" not in page
        assert "再发一次" in page


def test_others_see_nothing_of_it(failed: Outgoing, zhao: User, sun: User) -> None:
    from nongma.accounts.models import Role
    from nongma.testing import LIANDU, make_official

    far = make_official("far", "莲都管理员", Role.ADMINISTRATOR, LIANDU)
    assert "199****8499" not in client_of(far).get("/notices/sent").text
    assert client_of(far).post(f"/notices/sent/{failed.uid}/again").status_code == 404
    for user in (zhao, sun):
        assert client_of(user).get("/notices/sent").status_code == 403
        assert client_of(user).post(f"/notices/sent/{failed.uid}/again").status_code == 403
    assert Client().get("/notices/sent").status_code == 302
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_a_recipient_is_found_by_the_whole_number(failed: Outgoing, hainan: User) -> None:
    client = client_of(hainan)
    assert len(client.get("/notices/sent", {"recipient": "199 0000 8499"}).context["page"]) == 1
    assert len(client.get("/notices/sent", {"recipient": "1990000849"}).context["page"]) == 0
    assert len(client.get("/notices/sent", {"state": "failed", "channel": "sms"}).context["page"]) == 1
    assert len(client.get("/notices/sent", {"state": "sent"}).context["page"]) == 0


def test_sending_again_wants_the_password_again(failed: Outgoing, hainan: User) -> None:
    client = client_of(hainan)
    session = client.session
    session[PROVED] = 0
    session.save()
    assert client.get("/notices/sent").status_code == 200
    assert "sent" in client.post(f"/notices/sent/{failed.uid}/again").context
    failed.refresh_from_db()
    assert failed.state == "failed"
    assert not Entry.objects.filter(action="outgoing.resent").exists()


def test_an_administrator_sends_it_again(failed: Outgoing, hainan: User, sms: Gateway) -> None:
    sms.answers = [200]
    client = client_of(hainan)
    client.post(f"/notices/sent/{failed.uid}/again")
    deliver(failed.uid)
    failed.refresh_from_db()
    assert failed.state == "sent"
    assert Entry.objects.get(action="outgoing.resent").actor_id == hainan.pk
    answer = client.post(f"/notices/sent/{failed.uid}/again", follow=True)
    assert "只有发送失败的才能重发" in answer.text
    assert "重发外发消息" in client.get("/audit/").text
