"""Files that are no form, broken, hostile or too long: a Chinese sentence, and nothing saved."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from django.core.files import File
from pytest_django import Settings

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.lib.sheets.bounded import Bounds, ReaderDied, lines_from
from nongma.lib.uploads import FileTooLarge
from nongma.origins.models import ImportJob, ImportRow, Origin
from nongma.origins.services import imports
from nongma.origins.services.imports import run_import, submit_import
from nongma.registry.models import Base, Operator

FILES = Path(__file__).parent / "files"
OFFICIAL = FILES / "yazhou-cowpea-500.xlsx"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def nothing_saved() -> bool:
    return not any(model.objects.exists() for model in (Origin, Operator, Base, ImportRow))


def send(content: bytes, actor: User, name: str = "a.xlsx") -> ImportJob:
    return submit_import(file=File(io.BytesIO(content)), filename=name, actor=actor)


def outcome(content: bytes, actor: User, name: str = "a.xlsx") -> ImportJob:
    job = send(content, actor, name)
    run_import(job.uid)
    job.refresh_from_db()
    return job


def archive(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as handle:
        for name, content in entries.items():
            handle.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def workbook(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\0" * 500, "empty_file"),
        (b"%PDF-1.7 something", "not_a_spreadsheet"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "not_a_spreadsheet"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "not_a_spreadsheet"),
        (b"\x00\x01\x02\xff\xfe\x00binary" * 20, "not_a_spreadsheet"),
        (archive(**{"word/document.xml": b"<x/>"}), "not_a_spreadsheet"),
        (b"PK\x03\x04 cut off", "corrupt_file"),
        (OFFICIAL.read_bytes()[:20_000], "corrupt_file"),
        (COMPOUND + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600, "password_protected"),
    ],
)
def test_it_refuses_at_once_what_is_no_sheet(content: bytes, code: str, zhao: User, settings: Settings) -> None:
    with pytest.raises(Refused) as refusal:
        send(content, zhao)
    assert refusal.value.code == code
    assert any("\u4e00" <= sign <= "\u9fff" for sign in refusal.value.message)
    assert not ImportJob.objects.exists()
    assert not Entry.objects.filter(action__startswith="import.").exists()
    uploads = Path(settings.MEDIA_ROOT) / "imports"
    assert not [path for path in uploads.rglob("*") if path.is_file() and path.read_bytes() == content]


def test_it_refuses_a_file_that_is_too_big(zhao: User, settings: Settings) -> None:
    settings.UPLOAD_BYTES = 1024
    with pytest.raises(FileTooLarge):
        send(OFFICIAL.read_bytes(), zhao)
    assert not ImportJob.objects.exists()


def test_it_refuses_a_zip_bomb_by_its_table_of_contents(zhao: User) -> None:
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = raw.compress(b"0" * 1024) + raw.flush()
    claimed = 2**32 - 2
    name = b"xl/workbook.xml"
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(data), claimed, len(name), 0) + name + data
    central = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, len(data), claimed, len(name), 0, 0, 0, 0, 0, 0
    ) + name  # fmt: skip
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    with pytest.raises(Refused) as refusal:
        send(local + central + end, zhao)
    assert refusal.value.code == "too_large_inside"
    assert not ImportJob.objects.exists()


def _bomb() -> bytes:
    """A sheet whose 600 MB of rows take 600 KB in the file."""
    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as made:
        made.add_worksheet("采集表").write(0, 0, 1)
    buffer = io.BytesIO()
    row = b'<row r="1"><c r="A1"><v>1</v></c></row>' * 1000
    with zipfile.ZipFile(io.BytesIO(book.getvalue())) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            if item.filename != "xl/worksheets/sheet1.xml":
                new.writestr(item, old.read(item))
        with new.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            for _ in range(15_000):
                sheet.write(row)
            sheet.write(b"</sheetData></worksheet>")
    return buffer.getvalue()


@pytest.mark.slow
def test_a_bomb_that_hides_its_rows_ends_in_a_sentence(zhao: User, settings: Settings) -> None:
    settings.IMPORT_MEMORY_BYTES = 400 * 1024 * 1024
    job = outcome(_bomb(), zhao)
    assert job.status == "failed"
    assert "没有导入任何数据" in job.message
    assert nothing_saved()


def test_a_sheet_of_too_many_rows_says_how_many_may_be(zhao: User, settings: Settings) -> None:
    settings.IMPORT_ROWS = 300
    job = outcome(OFFICIAL.read_bytes(), zhao)
    assert job.status == "failed"
    assert "最多 300 行" in job.message
    assert "没有导入任何数据" in job.message
    assert nothing_saved()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["姓名", "电话"], ["张三", "19900000000"]], "不是《重点农产品产地溯源信息采集表》"),
        ([], "不是《重点农产品产地溯源信息采集表》"),
        (
            [
                [
                    "序号",
                    "种养殖主体名称*",
                    "主体类型",
                    "所属行业",
                    "产品名称",
                    "省",
                    "市",
                    "县",
                    "乡（镇）",
                    "种养规模",
                ],
                ["1"],
            ],
            "缺少这些列",
        ),
    ],
)
def test_another_form_is_told_apart(rows: list[list[str]], words: str, zhao: User) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        for row in rows:
            book.active.append(row)

    job = outcome(workbook(fill), zhao)
    assert (job.status, words in job.message) == ("failed", True), job.message
    assert nothing_saved()


def test_the_blank_form_has_no_rows(zhao: User) -> None:
    job = outcome((FILES / "origin-form-blank.xlsx").read_bytes(), zhao)
    assert (job.status, "只有表头" in job.message) == ("failed", True)
    assert nothing_saved()


def test_garbage_behind_an_old_excel_signature_is_corrupt(zhao: User) -> None:
    job = outcome(COMPOUND + b"\x01garbage" * 500, zhao, "a.xls")
    assert (job.status, "已损坏" in job.message) == ("failed", True)
    assert nothing_saved()


def test_a_child_that_breaks_its_bounds_is_a_refusal() -> None:
    tight = Bounds(memory_bytes=60 * 1024 * 1024, processor_seconds=10, silent_seconds=30)
    with (
        pytest.raises(Refused) as refusal,
        lines_from(imports.marking.MODULE, "a", "b", "c", "1", "", bounds=tight) as said,
    ):
        list(said)
    assert refusal.value.code == "too_large_inside"


def test_a_reader_that_dies_is_tried_three_times(zhao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*args: object) -> None:
        raise ReaderDied("killed")

    job = send(OFFICIAL.read_bytes(), zhao)
    monkeypatch.setattr(imports, "_run", die)
    for _ in range(2):
        with pytest.raises(ReaderDied):
            run_import(job.uid)
    run_import(job.uid)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("failed", 3)
    assert "没有导入任何数据" in job.message
    assert nothing_saved()


def test_a_role_that_may_not_collect_is_refused(qian: User) -> None:
    with pytest.raises(Refused) as refusal:
        send(OFFICIAL.read_bytes(), qian)
    assert refusal.value.code == "not_allowed"
    assert not ImportJob.objects.exists()
