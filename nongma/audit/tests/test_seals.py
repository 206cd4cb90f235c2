from io import StringIO
from threading import Event, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from nongma.accounts.models import User
from nongma.audit.models import Entry, Seal, Unsealed
from nongma.audit.sealing import seal_all, seal_batch
from nongma.audit.services import record, record_many
from nongma.audit.tasks import seal_audit
from nongma.audit.verification import Fault, proof_of, verify
from nongma.lib.ids import uuid7


def write(user: User, count: int) -> list[Entry]:
    return [record("account.signed_in", actor=user, target=user, number=number) for number in range(count)]


def sql(statement: str, *parameters: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def faults(**options: object) -> list[tuple[Fault, int | None, object]]:
    return [(finding.fault, finding.seal, finding.entry_id) for finding in verify(**options).findings]


def test_it_seals_what_waits_and_finds_it_whole(li: User) -> None:
    write(li, 5)
    seal_audit(0)
    assert not Unsealed.objects.exists()
    write(li, 3)
    report = verify()
    assert report.sound
    assert (report.seals, report.entries) == (2, 8)
    first, second = Seal.objects.order_by("number")
    assert bytes(second.previous) == bytes(first.digest)


def test_it_seals_nothing_when_nothing_waits(li: User) -> None:
    assert seal_all() == 0
    assert verify().sound
    assert not Seal.objects.exists()


def test_it_seals_a_thousand_at_a_time(li: User) -> None:
    record_many("origin.imported", actor=li, targets=(("origin", str(n), None, {}) for n in range(2500)))
    assert seal_all() == 2500
    assert [len(seal.entry_ids) for seal in Seal.objects.order_by("number")] == [1000, 1000, 500]
    assert verify().sound


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = '别人'",
        "actor_id = 0",
        "action = 'account.failed'",
        "at = at - interval '1 microsecond'",
        "target_id = '0'",
        "target_kind = 'lot'",
        "region_code = 1",
        "details = '{}'",
        "address = '10.0.0.1'",
    ],
)
def test_it_finds_a_changed_entry(li: User, change: str) -> None:
    entries = write(li, 4)
    seal_all()
    assert sql(f"UPDATE audit_entry SET {change} WHERE id = %s", entries[2].pk) == 1
    assert faults() == [(Fault.CHANGED, 1, entries[2].pk)]


def test_it_finds_a_removed_entry(li: User) -> None:
    entries = write(li, 4)
    seal_all()
    sql("DELETE FROM audit_entry WHERE id = %s", entries[0].pk)
    assert faults() == [(Fault.REMOVED, 1, entries[0].pk)]


def test_it_finds_an_entry_removed_before_it_was_sealed(li: User) -> None:
    entries = write(li, 4)
    sql("DELETE FROM audit_entry WHERE id = %s", entries[1].pk)
    assert faults() == [(Fault.REMOVED, 1, entries[1].pk)]


def test_it_finds_an_inserted_entry(li: User) -> None:
    entry = write(li, 2)[0]
    seal_all()
    forged = uuid7()
    sql(
        "INSERT INTO audit_entry SELECT %s, at, actor_id, actor_name, 'account.created', target_kind, target_id,"
        " region_code, details, address FROM audit_entry WHERE id = %s",
        forged,
        entry.pk,
    )
    assert faults() == [(Fault.INSERTED, None, forged)]


def test_it_finds_a_removed_seal(li: User) -> None:
    for _ in range(3):
        write(li, 1)
        seal_all()
    lost = Seal.objects.get(number=2).entry_ids[0]
    sql("DELETE FROM audit_seal WHERE number = 2")
    assert faults() == [(Fault.SEAL_MISSING, 2, None), (Fault.INSERTED, None, lost)]


def test_it_finds_a_changed_seal(li: User) -> None:
    write(li, 2)
    seal_all()
    sql("UPDATE audit_seal SET sealed_at = sealed_at - interval '1 day'")
    assert faults() == [(Fault.SEAL_CHANGED, 1, None)]


def test_it_finds_an_entry_changed_together_with_its_leaf(li: User) -> None:
    """Whoever can write the database, and not read the key, can't make the seal fit again."""
    from nongma.audit.sealing import leaf_of
    from nongma.lib import merkle

    entry = write(li, 1)[0]
    seal_all()
    sql("UPDATE audit_entry SET actor_name = '别人' WHERE id = %s", entry.pk)
    leaf = leaf_of(Entry.objects.get(pk=entry.pk))
    sql("UPDATE audit_seal SET leaves = %s, root = %s", leaf, merkle.root([leaf]))
    assert faults() == [(Fault.SEAL_CHANGED, 1, None)]


def test_it_finds_a_chain_cut_off_at_the_end_by_its_anchor(li: User) -> None:
    write(li, 1)
    seal_all()
    write(li, 1)
    report = verify()
    anchor = (report.number, report.digest)
    assert verify(anchor).sound
    last = Seal.objects.get(number=2)
    sql("DELETE FROM audit_entry WHERE id = %s", last.entry_ids[0])
    sql("DELETE FROM audit_seal WHERE number = 2")
    assert verify().sound
    assert faults(anchor=anchor) == [(Fault.SEAL_MISSING, 2, None)]


def test_it_says_where_on_the_command_line(li: User) -> None:
    entries = write(li, 2)
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "审计记录完好：2 条，1 个封存" in out.getvalue()
    anchor = out.getvalue().split("：")[-1].strip()
    call_command("verify_audit", anchor=None, stdout=out)
    call_command("verify_audit", f"--anchor={anchor}", stdout=out)
    sql("UPDATE audit_entry SET actor_name = '别人' WHERE id = %s", entries[1].pk)
    errors = StringIO()
    with pytest.raises(CommandError, match="1 处问题"):
        call_command("verify_audit", stdout=out, stderr=errors)
    assert str(entries[1].pk) in errors.getvalue()


def test_it_proves_one_entry_without_the_others(li: User) -> None:
    entries = write(li, 7)
    assert proof_of(entries[3]) is None
    seal_all()
    proof = proof_of(Entry.objects.get(pk=entries[3].pk))
    assert proof is not None
    assert proof.holds
    out = StringIO()
    call_command("verify_audit", f"--entry={entries[3].pk}", stdout=out)
    assert bytes(proof.seal.root).hex() in out.getvalue()
    sql("UPDATE audit_entry SET actor_name = '别人' WHERE id = %s", entries[3].pk)
    with pytest.raises(CommandError, match="不符"):
        call_command("verify_audit", f"--entry={entries[3].pk}", stdout=out)
    with pytest.raises(CommandError, match="没有已封存的记录"):
        call_command("verify_audit", f"--entry={uuid7()}", stdout=out)


@pytest.mark.django_db(transaction=True)
def test_it_seals_an_entry_that_commits_late_and_waits_for_no_writer() -> None:
    li = User.objects.create(username="li", name="李大山")
    written, may_commit = Event(), Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                record("account.signed_in", actor=li, target=li, slow=True)
                written.set()
                may_commit.wait(10)
        finally:
            connection.close()

    writer = Thread(target=write_slowly)
    writer.start()
    assert written.wait(10)
    record("account.signed_in", actor=li, target=li, slow=False)
    assert seal_batch() == 1
    may_commit.set()
    writer.join()
    assert seal_batch() == 1
    assert verify().sound
    assert Seal.objects.count() == 2
