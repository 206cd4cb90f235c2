"""Which record a line is about: new, known, changed, or a second base."""

import io
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import openpyxl
import pytest
from django.core.files import File
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.codes.models import CodeRange
from nongma.lib.fields import decrypt
from nongma.origins.models import DirtyCell, Due, ImportJob, Origin
from nongma.origins.services.imports import run_import, submit_import
from nongma.origins.services.locate import locate_origin
from nongma.origins.tests.test_import_tolerance import HEAD, row
from nongma.registry.models import Base, Operator

FILES = Path(__file__).parent / "files"
NEAR = "109.158151,18.435100"
FAR = "109.168151,18.435040"


def load(actor: User, *rows: list[Any]) -> ImportJob:
    book = openpyxl.Workbook()
    for values in (HEAD, *rows):
        book.active.append(values)
    buffer = io.BytesIO()
    book.save(buffer)
    job = submit_import(file=File(io.BytesIO(buffer.getvalue())), filename="a.xlsx", actor=actor)
    run_import(job.uid)
    job.refresh_from_db()
    assert job.status == "done", job.message
    assert job.rejected == 0, list(job.rows.values_list("faults", flat=True))
    return job


def counts(job: ImportJob) -> tuple[int, int, int]:
    return job.accepted, job.to_locate, job.unchanged


def test_a_line_becomes_an_operator_a_base_and_a_record(zhao: User) -> None:
    job = load(zhao, row())
    origin = Origin.objects.select_related("operator", "base").get()
    assert (origin.state, origin.import_job, origin.import_row, origin.collected_by) == ("submitted", job, 2, zhao)
    assert (origin.phone, origin.grid_phone) == ("19900005935", "19900004633")
    assert (origin.operator.name, origin.operator.status) == ("李大山", "imported")
    assert (origin.base.quadkey, origin.base.region_id) == (origin.quadkey, origin.region_id)
    assert {code.subject for code in CodeRange.objects.all()} == {origin.operator.uid, origin.base.uid}
    assert Entry.objects.filter(action="origin.imported", target_id=str(origin.uid)).count() == 1
    assert DirtyCell.objects.exists()


def test_phones_are_encrypted_at_rest(zhao: User) -> None:
    load(zhao, row())
    stored = Origin.objects.extra(select={"raw": "phone"}).values_list("raw", flat=True).get()
    assert "19900005935" not in stored
    assert decrypt(stored) == "19900005935"


def test_the_same_line_again_is_unchanged(zhao: User) -> None:
    load(zhao, row())
    assert counts(load(zhao, row())) == (0, 0, 1)
    again = row(种养殖主体名称=" 李 大山 ", 种养规模="10.80", 上市时间="2026年4月")
    assert counts(load(zhao, again, row())) == (0, 0, 2)
    assert Origin.objects.count() == Operator.objects.count() == Base.objects.count() == 1


def test_a_changed_line_takes_the_place_of_the_old_one_and_is_reviewed_again(zhao: User) -> None:
    load(zhao, row())
    old = Origin.objects.get()
    Origin.objects.update(state=Origin.State.APPROVED)
    assert counts(load(zhao, row(种养规模=20))) == (1, 0, 0)
    new = Origin.objects.current().get()
    old.refresh_from_db()
    assert (new.supersedes, new.state, str(new.scale), new.base_id) == (old, "submitted", "20.00", old.base_id)
    assert old.state == Origin.State.SUPERSEDED
    assert Entry.objects.get(action="origin.superseded").target_id == str(old.uid)


def test_an_update_is_told_to_the_shoppers_pages(zhao: User, told: Callable[[], set[str]]) -> None:
    load(zhao, row())
    assert not told()
    origin = Origin.objects.select_related("base", "operator").get()
    load(zhao, row(种养规模=20))
    assert told() == {str(origin.base.uid), str(origin.operator.uid)}


@pytest.mark.django_db(transaction=True)
def test_a_visit_during_an_import_is_not_lost(zhao: User) -> None:
    load(zhao, row(点位经纬度=""))
    draft = Origin.objects.get()
    there = (Decimal("109.158151"), Decimal("18.435040"))

    def run() -> None:
        try:
            load(zhao, row(点位经纬度=FAR))
        finally:
            connection.close()

    thread = Thread(target=run)
    with transaction.atomic():
        locate_origin(origin=draft, longitude=there[0], latitude=there[1], actor=zhao)
        thread.start()
        wait_for_a_lock()
    thread.join()
    draft.refresh_from_db()
    assert (draft.state, draft.longitude, draft.latitude) == ("submitted", *there)
    assert Origin.objects.current().count() == 2
    assert not Entry.objects.filter(action="origin.superseded").exists()


def wait_for_a_lock() -> None:
    """Until another connection to this database stands at a lock of ours."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody came to wait")


def test_a_point_measured_again_is_an_update(zhao: User) -> None:
    load(zhao, row())
    load(zhao, row(点位经纬度=NEAR))
    assert Origin.objects.current().count() == 1
    assert str(Origin.objects.current().get().latitude) == "18.435100"


def test_bases_far_apart_are_records_of_their_own(zhao: User) -> None:
    assert counts(load(zhao, row(), row(点位经纬度=FAR))) == (2, 0, 0)
    assert (Operator.objects.count(), Base.objects.count()) == (1, 2)
    assert counts(load(zhao, row(), row(点位经纬度=FAR))) == (0, 0, 2)


def test_plots_side_by_side_in_one_file_are_both_kept(zhao: User) -> None:
    assert counts(load(zhao, row(), row(点位经纬度=NEAR, 种养规模=3))) == (2, 0, 0)
    assert Origin.objects.current().count() == 2


def test_another_season_is_a_record_of_its_own(zhao: User) -> None:
    assert counts(load(zhao, row(), row(上市时间="2026-10", 下市时间="2026-12"))) == (2, 0, 0)
    assert Base.objects.count() == 1


def test_a_line_without_a_point_waits_and_gets_its_point_later(zhao: User) -> None:
    assert counts(load(zhao, row(点位经纬度=""))) == (0, 1, 0)
    draft = Origin.objects.get()
    assert (draft.state, draft.quadkey) == ("to_locate", None)
    assert counts(load(zhao, row(点位经纬度=""))) == (0, 0, 1)
    assert counts(load(zhao, row())) == (1, 0, 0)
    located = Origin.objects.current().get()
    assert (located.supersedes, located.state) == (draft, "submitted")
    assert counts(load(zhao, row(点位经纬度=""))) == (0, 0, 1)
    assert Origin.objects.current().get() == located


def test_two_drafts_of_one_file_stay_two(zhao: User) -> None:
    drafts = [row(点位经纬度="", 种养规模=1), row(点位经纬度="", 种养规模=2)]
    assert counts(load(zhao, *drafts)) == (0, 2, 0)
    assert counts(load(zhao, *drafts)) == (0, 0, 2)


def test_the_last_of_two_lines_for_one_place_counts(zhao: User) -> None:
    assert counts(load(zhao, row(), row(种养规模=20))) == (2, 0, 0)
    current = Origin.objects.current().get()
    assert str(current.scale) == "20.00"
    assert current.supersedes.state == Origin.State.SUPERSEDED


def test_the_command_imports_and_prints_the_counts(ministry: User, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        call_command("import_origins", str(FILES / "mixed-with-errors.xlsx"), user=ministry.username)
    assert left.value.code == 2
    told = capsys.readouterr().out
    assert "共 360 行" in told
    assert "第 14 行 种养规模：" in told


def test_the_command_says_why_it_could_not(ministry: User, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"%PDF-1.7")
    with pytest.raises(CommandError, match="不是表格"):
        call_command("import_origins", str(tmp_path / "a.xlsx"), user=ministry.username)
    with pytest.raises(CommandError, match="没有“nobody”这个用户"):
        call_command("import_origins", str(tmp_path / "a.xlsx"), user="nobody")
    with pytest.raises(CommandError, match="读不到"):
        call_command("import_origins", str(tmp_path / "b.xlsx"), user=ministry.username)
    assert not Origin.objects.exists()


def test_next_years_sheet_takes_the_place_of_this_years(zhao: User) -> None:
    load(zhao, row())
    assert counts(load(zhao, row(上市时间="2027-04", 下市时间="2027-08", 点位经纬度=NEAR))) == (1, 0, 0)
    before, after = Origin.objects.order_by("pk")
    assert (before.state, after.state, after.supersedes) == ("superseded", "submitted", before)
    assert [due.origin for due in Due.objects.open()] == [after]


@pytest.mark.parametrize(
    "fields",
    [
        {"上市时间": "2027-05", "下市时间": "2027-08"},
        {"上市时间": "2028-04", "下市时间": "2028-08"},
        {"上市时间": "2025-04", "下市时间": "2025-08"},
        {"上市时间": "2027-04", "下市时间": "2027-08", "点位经纬度": FAR},
        {"上市时间": "2027-04", "下市时间": "2027-08", "产品名称": "韭菜"},
        {"上市时间": "2027-04", "下市时间": "2027-08", "点位经纬度": ""},
    ],
)
def test_what_is_not_the_season_a_year_on_stays_a_record_of_its_own(zhao: User, fields: dict[str, str]) -> None:
    load(zhao, row())
    load(zhao, row(**fields))
    assert Origin.objects.current().count() == 2
    assert not Origin.objects.exclude(supersedes=None).exists()


def test_two_seasons_a_year_apart_in_one_file_are_both_kept(zhao: User) -> None:
    rows = (row(), row(上市时间="2027-04", 下市时间="2027-08"))
    assert counts(load(zhao, *rows)) == (2, 0, 0)
    assert counts(load(zhao, *rows)) == (0, 0, 2)
    assert Origin.objects.current().count() == 2


def test_two_neighbours_take_the_places_of_two(zhao: User) -> None:
    load(zhao, row(), row(点位经纬度=FAR))
    load(
        zhao,
        row(上市时间="2027-04", 下市时间="2027-08"),
        row(上市时间="2027-04", 下市时间="2027-08", 点位经纬度=NEAR, 种养规模="2"),
    )
    replaced = Origin.objects.exclude(supersedes=None)
    assert replaced.count() == 1
    assert Origin.objects.current().count() == 3


def test_a_season_of_this_year_is_updated_rather_than_followed(zhao: User) -> None:
    load(zhao, row())
    load(zhao, row(上市时间="2027-04", 下市时间="2027-08"))
    load(zhao, row(上市时间="2027-04", 下市时间="2027-09"))
    first, second, third = Origin.objects.order_by("pk")
    assert (second.supersedes, third.supersedes) == (first, second)
    assert [(due.origin, due.outcome) for due in Due.objects.order_by("pk")] == [(first, "collected"), (third, "")]
