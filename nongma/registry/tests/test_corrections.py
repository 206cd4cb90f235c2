"""Notices to put a record right by a day (督促整改)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.registry.directory.corrections.reminders import prompt_of_overdue
from nongma.registry.directory.corrections.services import (
    accept_correction,
    answer_correction,
    return_correction,
    send_correction,
    withdraw_correction,
)
from nongma.registry.directory.marks import mark
from nongma.registry.directory.settling import settle
from nongma.registry.models import Correction, DirectoryEntry, Operator
from nongma.registry.services import confirm_operator, suspend_operator
from nongma.testing import YAZHOU_VILLAGE, api_of, at_once, client_of, make_operator

pytestmark = pytest.mark.django_db
Matter = Correction.Matter


@pytest.fixture
def firm(li: User) -> Operator:
    """Li's co-op in a village of 崖州区."""
    return make_operator(li, name="崖州湾豇豆合作社", kinds=["cooperative"], region=YAZHOU_VILLAGE)


def sent(firm: Operator, zhao: User, **changes: Any) -> Correction:
    values: dict[str, Any] = {
        "matter": Matter.WRONG,
        "fields": ["address"],
        "finding": "门牌号和实际不符",
        "demand": "改正地址",
        "due_on": timezone.localdate() + timedelta(days=15),
    }
    return send_correction(operator=firm, actor=zhao, **(values | changes))


def test_it_is_sent_answered_sent_back_and_accepted(zhao: User, li: User, firm: Operator) -> None:
    notice = sent(firm, zhao)
    assert Notice.objects.visible_to(li).unread().filter(title="请整改主体信息").exists()
    answer_correction(correction=notice, answer="地址已改", actor=li)
    assert Notice.objects.visible_to(zhao).unread().filter(title="一份督促整改通知已答复").exists()
    return_correction(correction=notice, reason="还少门牌号", actor=zhao)
    notice.refresh_from_db()
    assert (notice.state, notice.note) == ("returned", "还少门牌号")
    answer_correction(correction=notice, answer="补上了", actor=li)
    accept_correction(correction=notice, actor=zhao)
    notice.refresh_from_db()
    assert (notice.state, notice.settled_at is None) == ("done", False)
    deeds = Entry.objects.filter(action__startswith="correction.").order_by("id").values_list("action", flat=True)
    assert [deed.partition(".")[2] for deed in deeds] == ["sent", "answered", "returned", "answered", "accepted"]


def test_a_wrong_record_is_wrong_in_the_directory_until_it_is_settled(zhao: User, li: User, firm: Operator) -> None:
    from nongma.registry import loading

    loading.load()
    mark([firm.pk])
    notice = sent(firm, zhao)
    settle()
    assert DirectoryEntry.objects.get(operator=firm).is_wrong
    answer_correction(correction=notice, answer="改好了", actor=li)
    accept_correction(correction=notice, actor=zhao)
    settle()
    assert not DirectoryEntry.objects.get(operator=firm).is_wrong


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fields": []}, "field_missing"),
        ({"fields": ["serial"]}, "field_unknown"),
        ({"finding": " "}, "text_missing"),
        ({"demand": "字" * 301}, "text_too_long"),
        ({"due_on": timezone.localdate()}, "due_invalid"),
        ({"due_on": timezone.localdate() + timedelta(days=400)}, "due_invalid"),
    ],
)
def test_it_refuses_what_makes_no_notice(zhao: User, firm: Operator, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        sent(firm, zhao, **changes)
    assert refusal.value.code == code
    assert not Correction.objects.exists()
    assert not Notice.objects.exists()


def test_it_refuses_a_second_of_one_matter_and_who_may_not(zhao: User, sun: User, firm: Operator) -> None:
    notice = sent(firm, zhao)
    with pytest.raises(Refused) as refusal:
        sent(firm, zhao)
    assert refusal.value.code == "already_open"
    with pytest.raises(Refused) as refusal:
        sent(firm, sun, matter=Matter.STALE)
    assert refusal.value.code == "outside_area"
    withdraw_correction(correction=notice, reason="发错了", actor=zhao)
    sent(firm, zhao)
    suspend_operator(operator=firm, reason="停业整顿", actor=zhao)
    with pytest.raises(Refused) as refusal:
        sent(firm, zhao, matter=Matter.STALE)
    assert refusal.value.code == "not_active"
    assert Correction.objects.count() == 2


def test_it_is_answered_by_the_operators_people_once(zhao: User, li: User, chen: User, firm: Operator) -> None:
    notice = sent(firm, zhao)
    for actor, code in ((chen, "not_own_operator"), (zhao, "not_own_operator")):
        with pytest.raises(Refused) as refusal:
            answer_correction(correction=notice, answer="改了", actor=actor)
        assert refusal.value.code == code
    with pytest.raises(Refused) as refusal:
        accept_correction(correction=notice, actor=zhao)
    assert refusal.value.code == "not_answered"
    answer_correction(correction=notice, answer="改了", actor=li)
    with pytest.raises(Refused) as refusal:
        answer_correction(correction=notice, answer="又改了", actor=li)
    assert refusal.value.code == "not_open"
    notice.refresh_from_db()
    assert notice.answer == "改了"


@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_send_one(firm: Operator, zhao: User) -> None:
    results = at_once(lambda: sent(firm, zhao), lambda: sent(firm, zhao))
    assert sorted(str(type(one).__name__) for one in results) == ["Correction", "str"]
    assert "already_open" in results
    assert Correction.objects.count() == 1


def test_overdue_ones_are_prompted_once(zhao: User, li: User, firm: Operator) -> None:
    notice = sent(firm, zhao)
    day = notice.due_on + timedelta(days=1)
    assert prompt_of_overdue(notice.due_on) == 0
    assert prompt_of_overdue(day) == 1
    assert prompt_of_overdue(day) == 0
    assert Notice.objects.filter(user=li, kind="deadline").count() == 1


def test_the_townships_officer_is_prompted_the_day_after(zhao: User, wang: User, firm: Operator) -> None:
    notice = sent(firm, zhao)
    assert prompt_of_overdue(notice.due_on + timedelta(days=2)) == 2
    told = Notice.objects.get(user=wang, kind="deadline")
    assert "请上门指导" in told.title


def test_pages_lead_from_the_notice_to_its_end(zhao: User, li: User, chen: User, firm: Operator) -> None:
    officer, owner = client_of(zhao), client_of(li)
    page = f"/operators/{firm.code}/notices/send"
    assert "督促崖州湾豇豆合作社整改" in officer.get(page).content.decode()
    row = {
        "matter": "wrong",
        "named": ["phone"],
        "finding": "手机打不通",
        "demand": "改正手机",
        "due_on": str(timezone.localdate() + timedelta(days=9)),
    }
    assert officer.post(page, row).status_code == 302
    assert "还没有办结" in officer.post(page, row).content.decode()
    notice = Correction.objects.get()
    url = notice.get_absolute_url()
    assert "督促整改" in owner.get(f"/operators/{firm.code}/").content.decode()
    assert "先在" in owner.get(url).content.decode()
    assert client_of(chen).get(url).status_code == 404
    assert owner.post(f"{url}answer", {"answer": "改好了"}).status_code == 302
    assert "确认已整改" in officer.get(url).content.decode()
    letter = officer.post(f"{url}letter")
    assert b"".join(letter.streaming_content if letter.streaming else [letter.content])[:4] == b"%PDF"
    assert officer.post(f"{url}accept").status_code == 302
    assert firm.name in officer.get("/operators/directory/notices?state=done").content.decode()
    assert officer.post("/operators/directory/notices/export", {"reason": "年度核查"}).status_code == 200
    assert Entry.objects.filter(action="correction.exported").exists()
    assert officer.post(f"{url}nothing").status_code == 404


def test_its_owner_confirms_that_nothing_has_changed(li: User, chen: User, firm: Operator) -> None:
    assert client_of(li).post(f"/operators/{firm.code}/confirm").status_code == 302
    firm.refresh_from_db()
    assert firm.confirmed_on == timezone.localdate()
    with pytest.raises(Refused) as refusal:
        confirm_operator(operator=firm, actor=chen)
    assert refusal.value.code == "not_own_operator"


def test_programs_read_figures_and_send_and_answer(zhao: User, li: User, firm: Operator) -> None:
    from nongma.registry import loading

    loading.load()
    mark([firm.pk])
    settle()
    figures = api_of(zhao).get("/api/v1/directory/figures").json()
    assert figures["total"]["counts"]["listed"] == 1
    listed = api_of(zhao).get("/api/v1/directory?what=incomplete&lack=bases").json()
    assert [row["code"] for row in listed["items"]] == [firm.code]
    assert api_of(zhao).get("/api/v1/directory?what=nothing").status_code == 404
    body = {"matter": "stale", "finding": "久未更新", "demand": "请核对", "due_on": ""}
    body["due_on"] = str(timezone.localdate() + timedelta(days=9))
    address = f"/api/v1/operators/{firm.code}/notices"
    made = api_of(zhao).post(address, body, content_type="application/json")
    assert made.status_code == 201
    again = api_of(zhao).post(address, body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_open")
    answered = api_of(li).post(
        f"{address}/{made.json()['id']}/answer", {"answer": "核对过了"}, content_type="application/json"
    )
    assert answered.json()["state"] == "answered"
