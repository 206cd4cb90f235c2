"""The official samples through the whole import, as a county loads them."""

import csv
from pathlib import Path

import pytest
from django.core.files import File

from nongma.accounts.models import User
from nongma.accounts.services import suspend_user
from nongma.origins.models import ImportJob, ImportRow, Origin
from nongma.origins.services.imports import run_import, submit_import

FILES = Path(__file__).parent / "files"


def load(name: str, actor: User) -> ImportJob:
    with (FILES / name).open("rb") as handle:
        job = submit_import(file=File(handle), filename=name, actor=actor)
    run_import(job.uid)
    job.refresh_from_db()
    return job


def faults_of(job: ImportJob) -> set[tuple[int, str]]:
    return {(row.row, fault["field"]) for row in ImportRow.objects.filter(job=job) for fault in row.faults}


def counts(job: ImportJob) -> tuple[int, int, int, int, int]:
    return job.total, job.accepted, job.to_locate, job.unchanged, job.rejected


@pytest.fixture
def expected() -> dict[tuple[int, str], str]:
    with (FILES / "mixed-with-errors.expected.csv").open(encoding="utf-8-sig") as handle:
        return {(int(line["excel_row"]), line["field"]): line["error"] for line in csv.DictReader(handle)}


def test_it_takes_all_500_cowpea_lines(zhao: User) -> None:
    job = load("yazhou-cowpea-500.xlsx", zhao)
    assert (job.status, job.message) == ("done", "")
    assert counts(job) == (500, 500, 0, 0, 0)
    assert Origin.objects.filter(import_job=job, state="submitted", quadkey__isnull=False).count() == 500


def test_it_finds_exactly_the_expected_faults(ministry: User, expected: dict[tuple[int, str], str]) -> None:
    job = load("mixed-with-errors.xlsx", ministry)
    found = {
        (row.row, fault["field"]): fault["code"] for row in ImportRow.objects.filter(job=job) for fault in row.faults
    }
    assert found == expected
    visits = sum(code == "needs-visit" for code in expected.values())
    assert counts(job) == (360, 360 - len(expected), visits, 0, len(expected) - visits)
    assert set(Origin.objects.filter(state="to_locate").values_list("import_row", flat=True)) == {268, 306}


def test_it_refuses_lines_of_other_counties(zhao: User) -> None:
    job = load("mixed-with-errors.xlsx", zhao)
    outside = {
        row.row for row in ImportRow.objects.filter(job=job) for fault in row.faults if fault["code"] == "outside-area"
    }
    assert job.rejected >= len(outside) > 200
    assert not Origin.objects.exclude(region_id__gte=460205000000, region_id__lte=460205999999).exists()
    assert job.total == job.accepted + job.to_locate + job.unchanged + job.rejected == 360


def test_it_stops_when_the_uploader_is_suspended(zhao: User, hainan: User) -> None:
    with (FILES / "yazhou-cowpea-500.xlsx").open("rb") as handle:
        job = submit_import(file=File(handle), filename="表.xlsx", actor=zhao)
    suspend_user(user=zhao, reason="账号外借", actor=hainan)
    run_import(job.uid)
    job.refresh_from_db()
    assert job.status == "failed"
    assert "账号停用" in job.message
    assert not Origin.objects.exists()


def test_it_creates_nothing_twice(ministry: User) -> None:
    first = load("mixed-with-errors.xlsx", ministry)
    before = Origin.objects.count()
    again = load("mixed-with-errors.xlsx", ministry)
    assert Origin.objects.count() == before
    assert (again.accepted, again.to_locate) == (0, 0)
    assert again.unchanged == first.accepted + first.to_locate
    assert again.rejected == first.rejected
