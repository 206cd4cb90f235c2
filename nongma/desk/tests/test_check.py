"""Checking the whole log from the page: one at a time, with progress, and the first broken link in a sentence."""

from typing import Any

import pytest
from django.db import connection

from nongma.accounts.models import Role, User
from nongma.audit import checking
from nongma.audit.checking import run_check, start_check
from nongma.audit.models import Check, Entry, Seal
from nongma.audit.sealing import seal_all
from nongma.audit.services import record, record_many
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.tests.workers import let_a_minute_pass, own_environment, wait_for, worker
from nongma.testing import COUNTRY, client_of, make_official

PAGE = "/audit/check"
# Some seconds of checking: time to see that it runs, and to kill it.
MANY = 50_000


def write(user: User, count: int) -> list[Entry]:
    return [record("account.signed_in", actor=user, target=user, number=number) for number in range(count)]


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def checked(user: User, anchor: str = "") -> Check:
    check = start_check(actor=user, anchor=anchor)
    run_check(check.uid)
    check.refresh_from_db()
    return check


def test_a_sound_log_is_sound(ministry: User, li: User) -> None:
    write(li, 5)
    seal_all()
    client = client_of(ministry)
    assert "还没有核对过" in client.get(PAGE).text
    assert client.post(PAGE, {"anchor": ""})["Location"] == PAGE
    check = Check.objects.get()
    assert "正在排队" in client.get(PAGE).text
    assert "HX-Refresh" not in client.get(f"{PAGE}/progress")
    run_check(check.uid)
    check.refresh_from_db()
    assert (check.state, check.found, check.is_sound) == ("done", 0, True)
    assert check.entries == Entry.objects.exclude(action="audit.check_finished").count()
    page = client.get(PAGE).text
    assert "没有一条被改动、删除或插入" in page
    assert check.anchor in page
    assert client.get(f"{PAGE}/progress")["HX-Refresh"] == "true"


def test_it_tells_the_first_broken_link(ministry: User, li: User) -> None:
    first = write(li, 3)
    seal_all()
    second = write(li, 3)
    seal_all()
    sql("UPDATE audit_entry SET actor_name = '别人' WHERE id = %s", second[1].pk)
    sql("UPDATE audit_entry SET actor_name = '别人' WHERE id = %s", first[2].pk)
    check = checked(ministry)
    assert (check.state, check.found) == ("done", 2)
    answer = client_of(ministry).get(PAGE)
    sentence = answer.context["first"]
    kept = checking.findings_of(check)[0]
    assert sentence.startswith(f"第 1 个封存里的记录 {first[2].pk}（")
    assert kept.expected.hex() in sentence
    assert kept.found.hex() in sentence
    assert kept.expected != kept.found
    assert str(second[1].pk) in answer.context["others"][0]
    assert sentence in answer.text


def test_it_tells_of_a_chain_cut_off_at_the_end_by_what_was_noted(ministry: User, li: User) -> None:
    write(li, 1)
    seal_all()
    noted = checked(ministry).anchor
    assert checked(ministry, f" {noted} ").is_sound
    cut = int(noted.partition(":")[0])
    sql("DELETE FROM audit_entry WHERE id IN (SELECT unnest(entry_ids) FROM audit_seal WHERE number >= %s)", cut)
    sql("DELETE FROM audit_seal WHERE number >= %s", cut)
    check = checked(ministry, noted)
    assert check.found
    assert not check.is_sound


def test_a_false_note_is_told_beside_the_field(ministry: User) -> None:
    client = client_of(ministry)
    for anchor in ("12", "12:xyz", "0:" + "00" * 32, "1:" + "00" * 31, "x" * 90):
        answer = client.post(PAGE, {"anchor": anchor})
        assert answer.status_code == 422
        assert answer.context["form"].errors["anchor"]
    with pytest.raises(Misfilled):
        start_check(actor=ministry, anchor="12")
    assert not Check.objects.exists()


def test_only_one_runs_at_a_time(ministry: User) -> None:
    start_check(actor=ministry)
    with pytest.raises(Refused, match="正在核对"):
        start_check(actor=ministry)
    assert client_of(ministry).post(PAGE).status_code == 422
    assert Check.objects.count() == 1
    assert Entry.objects.filter(action="audit.check_started").count() == 1


def test_only_the_ministry_starts_one_and_administrators_read_it(
    ministry: User, hainan: User, zhao: User, li: User
) -> None:
    for user in (hainan, zhao, li):
        assert client_of(user).post(PAGE).status_code == 403
    reviewer = make_official("everywhere", "全国审核", Role.REVIEWER, COUNTRY)
    assert client_of(reviewer).post(PAGE).status_code == 403
    assert not Check.objects.exists()
    checked(ministry)
    page = client_of(hainan).get(PAGE).text
    assert "完好" in page
    assert "开始核对</button>" not in page
    assert client_of(zhao).get(PAGE).status_code == 403


def test_it_saves_how_far_it_is(ministry: User, li: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SAVED_EVERY", 0.0)
    monkeypatch.setattr("nongma.audit.verification.READ_AT_ONCE", 1)
    for _ in range(3):
        write(li, 1)
        seal_all()
    seen: list[tuple[str, int]] = []
    save = Check.save

    def watch(self: Check, *args: Any, **options: Any) -> None:
        seen.append((self.state, self.seals))
        save(self, *args, **options)

    monkeypatch.setattr(Check, "save", watch)
    checked(ministry)
    assert [seals for state, seals in seen if state == "running"] == [0, 1, 2, 3, 4]


def test_it_keeps_the_first_twenty_and_counts_all(ministry: User, li: User) -> None:
    record_many("origin.imported", actor=li, targets=(("origin", str(n), None, {}) for n in range(50)))
    seal_all()
    sql("UPDATE audit_entry SET actor_name = '别人' WHERE action = 'origin.imported'")
    check = checked(ministry)
    assert (check.found, len(check.findings)) == (50, 20)
    assert "只列出前 20 处" in client_of(ministry).get(PAGE).text


def test_a_seal_forged_below_the_first_is_found(ministry: User, li: User) -> None:
    write(li, 1)
    seal_all()
    sql("INSERT INTO audit_seal SELECT 0, entry_ids, leaves, root, previous, digest, sealed_at FROM audit_seal LIMIT 1")
    assert not checked(ministry).is_sound


def test_a_check_that_kills_its_worker_every_time_ends(ministry: User) -> None:
    check = start_check(actor=ministry)
    Check.objects.update(attempts=checking.MOST_ATTEMPTS, state="running")
    run_check(check.uid)
    check.refresh_from_db()
    assert (check.state, check.is_sound) == ("failed", False)
    assert "没有完成" in client_of(ministry).get(PAGE).text
    assert Seal.objects.count() == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_check_begins_anew(transactional_db: None, ministry: User, li: User) -> None:
    record_many("origin.imported", actor=li, targets=(("origin", str(n), None, {"n": n}) for n in range(MANY)))
    seal_all()
    check = start_check(actor=ministry)

    def state() -> str:
        check.refresh_from_db()
        return str(check.state)

    env = own_environment()
    with worker(env):
        wait_for(lambda: state() == "running")
    assert (state(), check.attempts) == ("running", 1)
    let_a_minute_pass()
    with worker(env):
        wait_for(lambda: state() == "done")
    assert check.attempts == 2
    assert check.is_sound
    assert check.entries >= MANY
    assert Check.objects.filter(finished_at=None).count() == 0
