"""Uploaded forms are kept for a while; what they brought is kept for good."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.origins.models import ImportJob, Origin
from nongma.origins.retention import remove_old_uploads
from nongma.origins.services.imports import errors_workbook, run_import, submit_import
from nongma.testing import YAZHOU, api_of, client_of

MIXED = Path(__file__).parent / "files" / "mixed-with-errors.xlsx"


@pytest.fixture
def uploads(settings: Any, tmp_path: Path) -> Path:
    """A folder of its own for uploads, kept for thirty days."""
    settings.MEDIA_ROOT = tmp_path
    settings.KEEP_UPLOADS_DAYS = 30
    return tmp_path / "imports"


@pytest.fixture
def job(uploads: Path, zhao: User) -> ImportJob:
    """An import that ended, with the marked sheet that an earlier release kept beside it."""
    with MIXED.open("rb") as handle:
        job = submit_import(file=File(handle), filename=MIXED.name, actor=zhao)
    run_import(job.uid)
    job.refresh_from_db()
    job.file.storage.save(job.file.name.replace(".xlsx", ".errors.xlsx"), File(MIXED.open("rb")))
    return job


def ended(job: ImportJob, *, days: int, **fields: Any) -> None:
    """Let the import have been uploaded and have ended that long ago."""
    at = timezone.now() - timedelta(days=days)
    old = Path(job.file.path).parent
    folder = old.with_name(f"{timezone.localtime(at):%Y%m}")
    if folder != old:
        old.rename(folder)
    name = f"imports/{folder.name}/{Path(job.file.name).name}"
    ImportJob.objects.filter(pk=job.pk).update(finished_at=at, created_at=at, file=name, **fields)
    job.refresh_from_db()


def files_in(uploads: Path) -> list[str]:
    return sorted(path.name for path in uploads.rglob("*") if path.is_file())


def test_nobody_else_on_the_machine_reads_an_upload(job: ImportJob, uploads: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in uploads.rglob("*.xlsx")} == {0o600}
    assert Path(job.file.path).parent.stat().st_mode & 0o777 == 0o700


def test_it_removes_the_files_and_keeps_the_import(job: ImportJob, uploads: Path, zhao: User) -> None:
    ended(job, days=31)
    origins = Origin.objects.count()
    assert remove_old_uploads() == 2
    assert files_in(uploads) == []
    job.refresh_from_db()
    assert not job.file
    assert (Origin.objects.count(), job.rows.count() > 0) == (origins, True)
    entry = Entry.objects.get(action="import.file_removed")
    assert (entry.target_id, entry.region_code) == (str(job.uid), YAZHOU)
    page = client_of(zhao).get(job.get_absolute_url()).text
    assert "已按保存期限删除" in page
    assert "下载标出问题的表格" not in page
    answer = api_of(zhao).get(f"/api/v1/origins/imports/{job.uid}/errors.xlsx")
    assert (answer.status_code, answer.json()["code"]) == (409, "file_removed")
    with pytest.raises(Refused, match="保存期限"):
        errors_workbook(job, "")
    assert remove_old_uploads() == 0


@pytest.mark.parametrize(("days", "fields"), [(29, {}), (40, {"status": ImportJob.Status.RUNNING})])
def test_it_leaves_what_is_new_or_still_running(
    job: ImportJob, uploads: Path, days: int, fields: dict[str, Any]
) -> None:
    ended(job, days=days, **fields)
    before = files_in(uploads)
    assert remove_old_uploads() == 0
    assert files_in(uploads) == before
    assert not Entry.objects.filter(action="import.file_removed").exists()


def test_it_clears_what_a_crash_left_behind(job: ImportJob, uploads: Path) -> None:
    ended(job, days=31)
    ImportJob.objects.filter(pk=job.pk).update(file="")
    folder = uploads / f"{timezone.localtime(timezone.now() - timedelta(days=40)):%Y%m}"
    folder.mkdir(exist_ok=True)
    stray = folder / "stray.xlsx"
    stray.write_bytes(b"")
    long_ago = (timezone.now() - timedelta(days=40)).timestamp()
    os.utime(stray, (long_ago, long_ago))
    empty = uploads / "202001"
    empty.mkdir()
    assert remove_old_uploads() == 3
    assert files_in(uploads) == []
    assert not empty.exists()
