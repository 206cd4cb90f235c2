"""One notice for all that a filter of the directory finds (批量督促整改)."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from nongma.accounts.models import Role, User
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.lib.tests.workers import let_a_minute_pass, own_environment, wait_for, worker
from nongma.notices.models import Notice
from nongma.registry import loading
from nongma.registry.directory.corrections import fates
from nongma.registry.directory.corrections.many import run_sending, start_sending
from nongma.registry.directory.corrections.services import answer_correction, send_correction, withdraw_correction
from nongma.registry.directory.expected import expect
from nongma.registry.directory.marks import mark
from nongma.registry.directory.settling import settle
from nongma.registry.models import Correction, DirectoryEntry, Operator, OperatorMember, Sending
from nongma.registry.services import suspend_operator
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE, at_once, client_of, make_official, make_operator, make_user

pytestmark = pytest.mark.django_db
Matter = Correction.Matter
URL = "/operators/directory/notices/send"


def demanded(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "matter": Matter.WRONG,
        "fields": ["address"],
        "finding": "门牌号和实际不符",
        "demand": "改正地址",
        "due_on": timezone.localdate() + timedelta(days=15),
    }
    return values | changes


def started(actor: User, confirmed: int, filters: dict[str, str] | None = None, **changes: Any) -> Sending:
    return start_sending(filters=filters or {}, confirmed=confirmed, actor=actor, **demanded(**changes))


def listed(*operators: Operator) -> None:
    """The operators get their entries: co-ops count by themselves."""
    loading.load()
    mark([one.pk for one in operators])
    settle()


def coop(owner: User | None, name: str, region: int = YAZHOU_VILLAGE) -> Operator:
    return make_operator(owner, name=name, kinds=["cooperative"], region=region)


@pytest.fixture
def three(li: User) -> list[Operator]:
    """Two of Li's co-ops and one that nobody is told of."""
    made = [coop(li, "崖州湾豇豆合作社"), coop(li, "崖州湾芒果合作社"), coop(None, "南滨合作社")]
    listed(*made)
    return made


def nothing_was_sent() -> bool:
    return not (
        Sending.objects.exists()
        or Correction.objects.filter(sending__isnull=False).exists()
        or Entry.objects.filter(action__startswith="correction.many").exists()
    )


def test_it_sends_to_all_that_were_found_and_tells_each_person_once(
    zhao: User, li: User, three: list[Operator]
) -> None:
    sending = started(zhao, 3)
    assert (sending.found, sending.total, sending.status) == (3, 3, "queued")
    run_sending(sending.pk)
    run_sending(sending.pk)
    sending.refresh_from_db()
    assert (sending.status, sending.sent, sending.unheard, sending.left_out) == ("done", 3, 1, [])
    notices = Correction.objects.filter(sending=sending.uid)
    assert {one.operator_id for one in notices} == {one.pk for one in three}
    assert {(one.finding, *one.fields) for one in notices} == {("门牌号和实际不符", "address")}
    (told,) = Notice.objects.visible_to(li).filter(about=f"sending:{sending.uid}")
    assert told.count == 2
    on_record = Entry.objects.filter(action="correction.sent").values_list("target_id", flat=True)
    assert sorted(on_record) == sorted(str(one.uid) for one in three)
    begun = Entry.objects.get(action="correction.many_started").details
    assert (begun["count"], begun["filter"], begun["matter"]) == (3, "全部", "内容不准确")
    assert Entry.objects.get(action="correction.many_sent").details == {"count": 3, "left_out": 0}
    settle()
    assert DirectoryEntry.objects.filter(is_wrong=True).count() == 3


def answered(notice: Correction, person: User) -> None:
    answer_correction(correction=notice, answer="改好了", actor=person)


def withdrawn(notice: Correction, person: User) -> None:
    withdraw_correction(correction=notice, reason="发错了", actor=person)


def test_who_has_nothing_left_to_put_right_is_reminded_no_longer(zhao: User, li: User, three: list[Operator]) -> None:
    sending = started(zhao, 3)
    run_sending(sending.pk)
    chen = make_user("other-hand", "陈小河", is_operator=True)
    OperatorMember.objects.create(operator=three[2], user=chen, role="staff")
    told = Notice.objects.filter(about=f"sending:{sending.uid}", user=li)
    first, second = Correction.objects.filter(sending=sending.uid, operator__in=three[:2]).order_by("pk")
    answered(first, li)
    assert told.unread().exists()
    withdrawn(second, zhao)
    assert not told.unread().exists()


def test_the_last_two_at_once_leave_no_reminder(
    transactional_db: None, zhao: User, li: User, three: list[Operator]
) -> None:
    sending = started(zhao, 3)
    run_sending(sending.pk)
    mine = Correction.objects.filter(sending=sending.uid, operator__in=three[:2])
    at_once(*(partial(withdrawn, notice, zhao) for notice in mine))
    assert not Notice.objects.filter(about=f"sending:{sending.uid}", user=li).unread().exists()


def test_it_leaves_out_who_should_not_get_one(zhao: User, three: list[Operator]) -> None:
    send_correction(operator=three[0], actor=zhao, **demanded())
    suspend_operator(operator=three[1], reason="停业", actor=zhao)
    expect(name="没有登记的合作社", region=zhao.agency.region, source="走访", actor=zhao)
    settle()
    sending = started(zhao, 1)
    run_sending(sending.pk)
    sending.refresh_from_db()
    assert (sending.found, sending.sent) == (4, 1)
    assert sending.left_out == [("已有没办结的通知", 1), ("还没有登记", 1), ("停用、注销或迁出", 1)]
    assert Correction.objects.get(sending=sending.uid).operator == three[2]


def test_each_notice_says_what_its_own_operator_lacks(zhao: User, three: list[Operator]) -> None:
    DirectoryEntry.objects.filter(operator=three[0]).update(lacks=["uscc", "address"])
    DirectoryEntry.objects.filter(operator=three[1]).update(lacks=["bases"])
    DirectoryEntry.objects.filter(operator=three[2]).update(lacks=[])
    sending = started(zhao, 2, matter=Matter.MISSING, fields=[])
    run_sending(sending.pk)
    sending.refresh_from_db()
    assert sending.left_out == [("目录里没有这个问题", 1)]
    fields = {one.operator_id: one.fields for one in Correction.objects.filter(sending=sending.uid)}
    assert fields == {three[0].pk: ["uscc", "address"], three[1].pk: ["bases"]}


@pytest.mark.parametrize(
    ("confirmed", "changes", "code"),
    [
        (2, {}, "changed_meanwhile"),
        (3, {"filters": {"what": "lost"}}, "filter_invalid"),
        (3, {"filters": {"region": "331102"}}, "nothing_found"),
        (3, {"matter": Matter.STALE}, "nobody_left"),
        (3, {"fields": []}, "field_missing"),
        (3, {"fields": ["king"]}, "field_unknown"),
        (3, {"finding": " "}, "text_missing"),
        (3, {"demand": "长" * 301}, "text_too_long"),
        (3, {"due_on": timezone.localdate()}, "due_invalid"),
    ],
)
def test_a_refusal_sends_nothing(
    zhao: User, three: list[Operator], confirmed: int, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refusal:
        started(zhao, confirmed, **changes)
    assert refusal.value.code == code
    assert nothing_was_sent()


def test_it_refuses_who_may_not_and_more_than_the_most(
    zhao: User, wang: User, three: list[Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused) as refusal:
        started(wang, 3)
    assert refusal.value.code == "not_manager"
    monkeypatch.setattr(fates, "MOST_SENT", 2)
    with pytest.raises(Refused) as refusal:
        started(zhao, 3)
    assert refusal.value.code == "too_many"
    assert nothing_was_sent()


def test_fewer_than_were_confirmed_is_no_harm_and_one_at_a_time(zhao: User, three: list[Operator]) -> None:
    first = started(zhao, 5)
    with pytest.raises(Refused) as refusal:
        started(zhao, 5)
    assert refusal.value.code == "already_sending"
    assert list(Sending.objects.all()) == [first]


def test_it_never_sends_more_than_were_confirmed(zhao: User, three: list[Operator]) -> None:
    send_correction(operator=three[0], actor=zhao, **demanded())
    sending = started(zhao, 2)
    Correction.objects.update(state="withdrawn", settled_at=timezone.now())
    run_sending(sending.pk)
    sending.refresh_from_db()
    assert (sending.status, sending.sent, sending.unconfirmed) == ("done", 2, 1)
    assert Correction.objects.open().count() == 2


def test_it_stays_in_the_own_area(zhao: User, sun: User, three: list[Operator], chen: User) -> None:
    other = coop(chen, "莲都合作社", LIANDU)
    listed(other)
    sending = started(zhao, 3)
    run_sending(sending.pk)
    assert not other.corrections.exists()
    assert client_of(sun).get(sending.get_absolute_url()).status_code == 404
    assert client_of(zhao).get(f"{URL}?region={LIANDU}").status_code == 404
    assert client_of(zhao).post(URL, {"region": str(LIANDU)}).status_code == 404


def test_who_lost_the_post_sends_nothing_more(zhao: User, three: list[Operator]) -> None:
    sending = started(zhao, 3)
    zhao.memberships.update(to_on=timezone.localdate() - timedelta(days=1))
    run_sending(sending.pk)
    sending.refresh_from_db()
    assert (sending.status, sending.sent, sending.message) == ("failed", 0, "您的角色不能督促整改")
    assert not Correction.objects.exists()


def test_the_database_keeps_one_notice_of_a_sending_to_each(zhao: User, three: list[Operator]) -> None:
    sending = started(zhao, 3)
    run_sending(sending.pk)
    notice = Correction.objects.filter(operator=three[0]).get()
    notice.pk, notice.matter = None, Matter.STALE
    notice.uid = sending.uid
    with pytest.raises(IntegrityError, match="registry_correction_sent_once"), transaction.atomic():
        notice.save(force_insert=True)


def test_the_pages_ask_first_then_tell_how_far_it_is(zhao: User, li: User, three: list[Operator]) -> None:
    send_correction(operator=three[0], actor=zhao, **demanded())
    browser = client_of(zhao)
    assert f"{URL}?what=present" in browser.get("/operators/directory/list?what=present").content.decode()
    assert "已登记" in browser.get(f"{URL}?what=present").content.decode()
    written = demanded(what="present")
    written["named"] = written.pop("fields")
    asked = browser.post(URL, written).content.decode()
    assert "确认发出 2 份" in asked
    assert "已有没办结的通知：1 个" in asked
    assert "1 个主体没有人员账号" in asked
    assert nothing_was_sent()
    assert 'value="改正地址"' not in browser.post(URL, written | {"edit": "1"}).content.decode()
    again = browser.post(URL, written | {"confirmed": "1"}).content.decode()
    assert "您确认的是 1 份，现在要发 2 份，没有发" in again
    assert "确认发出 2 份" in again
    assert nothing_was_sent()
    answer = browser.post(URL, written | {"confirmed": "2"})
    sending = Sending.objects.get()
    assert answer.headers["Location"] == sending.get_absolute_url()
    page = sending.get_absolute_url()
    assert "hx-get" in browser.get(page).content.decode()
    run_sending(sending.pk)
    done = browser.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in done
    assert "发出 2 份" in done
    assert "已有没办结的通知：1 个" in done
    notices = browser.get(f"/operators/directory/notices?sending={sending.uid}").content.decode()
    assert three[1].name in notices
    assert three[0].name not in notices
    assert three[2].name not in client_of(li).get(f"/operators/directory/notices?sending={sending.uid}").text


@pytest.mark.django_db(transaction=True)
def test_two_sendings_at_once_send_one_notice_to_each(zhao: User, li: User) -> None:
    second = make_official("zhao2", "赵二", Role.REVIEWER, YAZHOU)
    listed(*(coop(li, f"合作社{number}号") for number in range(30)))
    jobs = [started(zhao, 30), started(second, 30)]
    at_once(lambda: run_sending(jobs[0].pk), lambda: run_sending(jobs[1].pk))
    for job in jobs:
        job.refresh_from_db()
        assert job.status == "done"
        assert job.handled == 30
    assert sum(job.sent for job in jobs) == 30
    assert set(Counter(Correction.objects.values_list("operator", flat=True)).values()) == {1}


ROWS = 6_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_is_followed_by_the_next(transactional_db: None, zhao: User, li: User) -> None:
    first = coop(li, "合作社")
    listed(first)
    own = {"uid": "gen_random_uuid()", "serial": "700000000000 + n", "name": "'合作社' || n"}
    columns = [field.column for field in Operator._meta.concrete_fields if field.column != "id"]
    taken = ", ".join(own.get(column, column) for column in columns)
    shared = "region_id, name, why, needs, lacks, stale_on, is_stale, is_wrong, idle_on, uncoded"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO registry_operator ({', '.join(columns)})"
            f" SELECT {taken} FROM registry_operator, generate_series(1, %s) AS n WHERE id = %s",
            [ROWS, first.pk],
        )
        cursor.execute(
            f"INSERT INTO registry_directoryentry (operator_id, {shared})"
            f" SELECT other.id, {shared.replace('region_id, name', 'entry.region_id, entry.name')}"
            " FROM registry_directoryentry AS entry, registry_operator AS other WHERE other.id <> %s",
            [first.pk],
        )
    sending = started(zhao, ROWS + 1)
    env = own_environment()

    def row(status: str, least: int) -> Any:
        return Sending.objects.filter(pk=sending.pk, status=status, sent__gte=least).first()

    with worker(env):
        wait_for(lambda: row("running", 500))
    stopped = row("running", 500)
    assert stopped
    assert stopped.sent < ROWS
    assert Correction.objects.count() == stopped.sent
    let_a_minute_pass()
    with worker(env):
        wait_for(lambda: row("done", ROWS + 1))
    assert Correction.objects.values("operator").distinct().count() == Correction.objects.count() == ROWS + 1
    assert Entry.objects.filter(action="correction.sent").count() == ROWS + 1
