"""One digest a day, by the channels that a person chose."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from nongma.accounts.models import User
from nongma.notices import digests
from nongma.notices.digests import send_digests
from nongma.notices.models import Digest, DigestRun, Notice, Outgoing, Preference
from nongma.notices.outside import tell
from nongma.notices.services import choose_channels, notify
from nongma.notices.tests.servers import Gateway
from nongma.testing import make_user


def at(hour: int, minute: int = 0) -> datetime:
    return timezone.localtime().replace(hour=hour, minute=minute)


def messages() -> list[tuple[str, str]]:
    return [(outgoing.channel, outgoing.recipient) for outgoing in Outgoing.objects.order_by("pk")]


@pytest.fixture
def reachable(wang: User, zhao: User, sms: Gateway, mail: Any) -> tuple[User, User]:
    """Wang has a phone and mail, Zhao a phone alone."""
    wang.phone, wang.email, zhao.phone = "19900008499", "wang@example.gov.cn", "19900004633"
    wang.save()
    zhao.save()
    return wang, zhao


def told(*users: User, **fields: Any) -> None:
    values = {"kind": Notice.Kind.PROMPT, "title": "待办"} | fields
    notify(users=[user.pk for user in users], **values)


def test_it_sends_each_person_one_a_day(reachable: tuple[User, User], li: User) -> None:
    wang, zhao = reachable
    told(wang, zhao, li)
    told(wang)
    assert send_digests(at(8)) == 2
    assert messages() == [("mail", "wang@example.gov.cn"), ("sms", "19900004633")]
    first = Outgoing.objects.order_by("pk")[0]
    assert "2 条未读提醒" in first.body
    assert first.purpose == "digest"
    told(wang)
    assert send_digests(at(8, 10)) == 0
    assert send_digests(at(19, 59)) == 0
    assert len(messages()) == 2


def test_it_sends_again_the_next_day(reachable: tuple[User, User]) -> None:
    told(*reachable)
    assert send_digests(at(8)) == 2
    assert send_digests(at(8) + timedelta(days=1)) == 2


def test_it_sends_nothing_at_night(reachable: tuple[User, User]) -> None:
    told(*reachable)
    for hour in (0, 7, 20, 23):
        assert send_digests(at(hour)) == 0
    assert not DigestRun.objects.exists()


def test_it_tells_of_deadlines_even_when_read(reachable: tuple[User, User]) -> None:
    wang, zhao = reachable
    today = timezone.localdate()
    told(wang, kind=Notice.Kind.DEADLINE, due_on=today + timedelta(days=3))
    told(zhao, kind=Notice.Kind.DEADLINE, due_on=today + timedelta(days=4))
    Notice.objects.update(read_at=timezone.now())
    assert send_digests(at(8)) == 1
    assert "1 件事 3 天内到期" in Outgoing.objects.get().body


def test_it_leaves_out_what_was_read_and_what_is_old(reachable: tuple[User, User]) -> None:
    wang, zhao = reachable
    told(wang)
    Notice.objects.update(read_at=timezone.now())
    told(zhao)
    Notice.objects.filter(user=zhao).update(created_at=timezone.now() - timedelta(days=40))
    assert send_digests(at(8)) == 0


def test_it_goes_by_what_was_chosen(reachable: tuple[User, User]) -> None:
    wang, zhao = reachable
    choose_channels(actor=wang, chosen={"digest": ["sms", "mail"]})
    choose_channels(actor=zhao, chosen={"digest": []})
    told(wang, zhao)
    assert send_digests(at(8)) == 1
    assert messages() == [("sms", "19900008499"), ("mail", "wang@example.gov.cn")]


def test_it_writes_to_nobody_who_may_not_sign_in(reachable: tuple[User, User]) -> None:
    wang, zhao = reachable
    told(wang, zhao)
    User.objects.filter(pk=wang.pk).update(is_active=False)
    User.objects.filter(pk=zhao.pk).update(suspended_at=timezone.now())
    assert send_digests(at(8)) == 0


def test_a_number_that_is_none_stops_nobody_else(reachable: tuple[User, User]) -> None:
    wang, zhao = reachable
    wang.phone, wang.email = "0898-123", "not an address"
    wang.save()
    told(wang, zhao)
    assert send_digests(at(8)) == 1


def test_a_run_that_was_cut_off_goes_on(reachable: tuple[User, User], monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed worker's chunk is rolled back whole; what was committed is not sent again."""
    wang, zhao = sorted(reachable, key=lambda user: user.pk)
    monkeypatch.setattr(digests, "PEOPLE_AT_ONCE", 1)
    told(wang, zhao)
    send, calls = digests.send_many, []

    def die_the_second_time(messages: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return send(messages)

    monkeypatch.setattr(digests, "send_many", die_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        send_digests(at(8))
    assert Digest.objects.get().user == wang
    assert len(messages()) == 1
    monkeypatch.setattr(digests, "send_many", send)
    assert send_digests(at(8)) == 1
    assert Digest.objects.count() == len(messages()) == 2


def test_it_costs_the_same_for_many(reachable: tuple[User, User], django_assert_max_num_queries) -> None:
    people = [make_user(f"p{number}", "某人", phone=f"1990001{number:04}") for number in range(60)]
    told(*people)
    with django_assert_max_num_queries(40):
        assert send_digests(at(8)) == 60


def test_it_finds_who_waits_by_index(li: User) -> None:
    today = timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        values = [timezone.now(), today, today, 0, today, today, 500]
        cursor.execute(f"EXPLAIN {digests.WAITING}", values)
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "notices_notice_digest" in plan


# At once


def test_it_tells_at_once_who_chose_so(reachable: tuple[User, User]) -> None:
    wang, zhao = reachable
    choose_channels(actor=wang, chosen={"decision": ["sms", "mail"]})
    told(wang, zhao, kind=Notice.Kind.DECISION, title="审核通过 {count} 条", about="approved")
    told(wang, kind=Notice.Kind.PROMPT)
    ids = list(Notice.objects.values_list("pk", flat=True))
    assert tell(ids) == 2
    assert sorted(messages()) == [("mail", "wang@example.gov.cn"), ("sms", "19900008499")]
    assert "审核通过 1 条" in Outgoing.objects.order_by("pk")[0].body
    assert tell(ids) == 0


def test_it_queues_the_telling_only_for_who_chose(reachable: tuple[User, User], django_assert_num_queries) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    wang, zhao = reachable
    choose_channels(actor=wang, chosen={"decision": ["sms"]})
    with django_assert_num_queries(1):
        told(zhao, kind=Notice.Kind.DECISION, about="approved")
    queued = ProcrastinateJob.objects.filter(task_name="notices.tell_outside")
    assert not queued.exists()
    told(wang, kind=Notice.Kind.DECISION, about="approved")
    assert queued.get().args == {"notices": [Notice.objects.get(user=wang).pk]}
    # It grows, and is not told a second time.
    told(wang, kind=Notice.Kind.DECISION, about="approved")
    assert queued.count() == 1


def test_a_preference_knows_every_kind() -> None:
    assert all(Preference().by(kind) == [] for kind in [*Notice.Kind.values, "digest"])
