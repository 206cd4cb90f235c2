"""Telling people something in the platform."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.notices.models import Notice
from nongma.notices.queries import unread_count
from nongma.notices.services import mark_all_read, mark_read, notify, withdraw

DECISION, PROMPT = Notice.Kind.DECISION, Notice.Kind.PROMPT


def titles(user: User) -> list[str]:
    return [notice.heading for notice in Notice.objects.visible_to(user)]


def test_it_tells_many_people_in_one_statement(li: User, chen: User, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        notify(users=[li.pk, chen.pk], kind=DECISION, title="批次已召回", url="/lots/")
    assert titles(li) == titles(chen) == ["批次已召回"]
    assert unread_count(li) == 1


def test_it_counts_a_person_who_is_named_several_times(li: User, chen: User) -> None:
    notify(users=[li.pk, li.pk, chen.pk, li.pk], kind=DECISION, title="审核通过 {count} 条")
    assert titles(li) == ["审核通过 3 条"]
    assert titles(chen) == ["审核通过 1 条"]


def test_it_adds_to_an_unread_notice_about_the_same(li: User) -> None:
    notify(users=[li.pk], kind=DECISION, title="审核通过 {count} 条", about="origins.approved")
    first = Notice.objects.get()
    notify(users=[li.pk] * 4, kind=DECISION, title="审核通过 {count} 条", about="origins.approved")
    second = Notice.objects.get()
    assert (second.pk, second.count) == (first.pk, 5)
    assert second.created_at > first.created_at


def test_it_writes_a_state_anew_instead_of_adding(li: User) -> None:
    for count in (7, 3):
        users = [li.pk] * count
        notify(users=users, kind=PROMPT, title="{count} 条等您审核", about="waiting", is_added=False)
    assert titles(li) == ["3 条等您审核"]


def test_what_was_read_stays_and_the_next_is_new(li: User) -> None:
    notify(users=[li.pk], kind=DECISION, title="通过 {count} 条", about="approved")
    mark_read(notice=Notice.objects.get(), actor=li)
    notify(users=[li.pk], kind=DECISION, title="通过 {count} 条", about="approved")
    assert titles(li) == ["通过 1 条", "通过 1 条"]
    assert unread_count(li) == 1


def test_nobody_is_told_what_they_did_themselves(li: User, chen: User) -> None:
    notify(users=[li.pk, chen.pk], kind=DECISION, title="作废", actor=li)
    assert titles(li) == []
    assert titles(chen) == ["作废"]


def test_it_is_undone_with_what_it_tells_of(li: User) -> None:
    with transaction.atomic():
        notify(users=[li.pk], kind=DECISION, title="作废")
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


@pytest.mark.parametrize("url", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "lots"])
def test_it_leads_nowhere_but_to_our_pages(li: User, url: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        notify(users=[li.pk], kind=DECISION, title="看这里", url=url)
    assert not Notice.objects.exists()


def test_it_takes_back_what_is_settled(li: User, chen: User) -> None:
    notify(users=[li.pk, chen.pk], kind=PROMPT, title="待办", about="waiting")
    assert withdraw(about="waiting", but=[chen.pk]) == 1
    assert (unread_count(li), unread_count(chen)) == (0, 1)
    assert withdraw(about="waiting") == 1


def test_it_reads_all_up_to_what_the_page_showed(li: User, chen: User) -> None:
    for title in ("一", "二"):
        notify(users=[li.pk, chen.pk], kind=DECISION, title=title)
    shown = Notice.objects.visible_to(li).first()
    notify(users=[li.pk], kind=DECISION, title="三")
    assert mark_all_read(actor=li, until=shown.uid) == 2
    assert [notice.title for notice in Notice.objects.visible_to(li).unread()] == ["三"]
    assert unread_count(chen) == 2


def test_it_reads_all_of_one_kind(li: User) -> None:
    notify(users=[li.pk], kind=DECISION, title="结果")
    notify(users=[li.pk], kind=PROMPT, title="待办")
    assert mark_all_read(actor=li, kind=PROMPT) == 1
    assert Notice.objects.unread().get().title == "结果"


def test_it_knows_what_is_due_soon(li: User) -> None:
    today = timezone.localdate()
    for days in (-1, 0, 3, 4):
        due = today + timedelta(days=days)
        notify(users=[li.pk], kind=Notice.Kind.DEADLINE, title=f"{days}", due_on=due)
    assert {notice.title for notice in Notice.objects.due_soon(today)} == {"0", "3"}
