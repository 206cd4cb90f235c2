"""The pages and the API of an import."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files import File
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.origins.models import ImportJob, Origin
from nongma.origins.services.imports import run_import, submit_import
from nongma.testing import YAZHOU, api_of, client_of

FILES = Path(__file__).parent / "files"
MIXED = FILES / "mixed-with-errors.xlsx"
URL = "/api/v1/origins/imports"


def upload(client: Client, path: Path, name: str = "", **headers: str) -> Any:
    return client.post(URL, {"file": SimpleUploadedFile(name or path.name, path.read_bytes())}, headers=headers)


@pytest.fixture
def mixed(ministry: User) -> ImportJob:
    with MIXED.open("rb") as handle:
        job = submit_import(file=File(handle), filename=MIXED.name, actor=ministry)
    run_import(job.uid)
    job.refresh_from_db()
    return job


def test_it_answers_as_programs_rely_on(ministry: User) -> None:
    api = api_of(ministry)
    queued = upload(api, MIXED)
    assert queued.status_code == 202, queued.content
    uid = queued.json()["id"]
    before = api.get(f"{URL}/{uid}").json()
    assert (before["status"], before["total"], before["errors"]) == ("queued", 0, [])
    run_import(uid)
    after = api.get(f"{URL}/{uid}").json()
    assert after["status"] == "done"
    assert after["accepted"] + after["to_locate"] + after["unchanged"] + after["rejected"] == after["total"] == 360
    assert set(after["errors"][0]) == {"row", "field", "code", "message"}
    assert len(after["errors"]) == 52
    listed = api.get(URL).json()
    assert [item["id"] for item in listed["items"]] == [uid]


def test_it_gives_the_first_answer_again_for_the_same_key(zhao: User) -> None:
    api = api_of(zhao)
    first = upload(api, MIXED, **{"Idempotency-Key": "k1"})
    second = upload(api, MIXED, **{"Idempotency-Key": "k1"})
    assert first.json() == second.json()
    assert ImportJob.objects.count() == 1


def test_it_refuses_the_same_file_while_it_runs(zhao: User) -> None:
    api = api_of(zhao)
    assert upload(api, MIXED).status_code == 202
    again = upload(api, MIXED)
    assert (again.status_code, again.json()["code"]) == (409, "import_running")
    assert ImportJob.objects.count() == 1


def test_it_hides_imports_of_others(mixed: ImportJob, zhao: User) -> None:
    api = api_of(zhao)
    assert api.get(f"{URL}/{mixed.uid}").status_code == 404
    assert api.get(f"{URL}/{mixed.uid}/errors.xlsx").status_code == 404
    assert client_of(zhao).get(mixed.get_absolute_url()).status_code == 404


def test_growers_may_not_import(li: User) -> None:
    assert upload(api_of(li), MIXED).status_code == 403
    assert client_of(li).get("/origins/import").status_code == 403
    assert not ImportJob.objects.exists()


def test_it_marks_the_faulty_cells(mixed: ImportJob, ministry: User) -> None:
    response = api_of(ministry).get(f"{URL}/{mixed.uid}/errors.xlsx")
    assert response.status_code == 200
    workbook = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    sheet = workbook["采集表"]
    marked = {(cell.row, cell.column): cell for row in sheet.iter_rows() for cell in row if cell.comment}
    assert len(marked) == 52
    scale = marked[14, 15]
    assert scale.value == "约三亩"
    assert "不是数字" in scale.comment.text
    assert scale.fill.fgColor.rgb[-6:] == "F8C9C4"
    assert (268, 12) in marked


def test_the_corrected_sheet_adds_only_what_was_corrected(mixed: ImportJob, ministry: User) -> None:
    response = client_of(ministry).post(f"/origins/import/{mixed.uid}/errors.xlsx", {"reason": "改正"})
    workbook = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    sheet = workbook["采集表"]
    sheet.cell(14, 15).value = 30
    sheet.cell(31, 13).value = "周波"
    near = next(row for row in range(4, 260) if sheet.cell(row, 10).value == sheet.cell(268, 10).value)
    sheet.cell(268, 12).value = sheet.cell(near, 12).value
    before = Origin.objects.current().count()
    buffer = io.BytesIO()
    workbook.save(buffer)
    job = submit_import(file=File(io.BytesIO(buffer.getvalue())), filename="改.xlsx", actor=ministry)
    run_import(job.uid)
    job.refresh_from_db()
    assert (job.status, job.total) == ("done", 360)
    assert job.rejected == mixed.rejected - 2
    assert (job.accepted, job.to_locate) == (3, 0)
    assert job.unchanged == mixed.accepted + mixed.to_locate - 1
    assert Origin.objects.current().count() == before + 2
    assert Origin.objects.get(import_job=job, import_row=268).supersedes.state == Origin.State.SUPERSEDED


def test_the_page_takes_a_file_and_shows_its_faults(ministry: User) -> None:
    client = client_of(ministry)
    with MIXED.open("rb") as handle:
        response = client.post("/origins/import", {"file": handle})
    job = ImportJob.objects.get()
    assert response.status_code == 302
    assert response.url == job.get_absolute_url()
    assert "正在排队" in client.get(response.url).text
    run_import(job.uid)
    done = client.get(f"{response.url}/progress")
    assert done["HX-Refresh"] == "true"
    page = client.get(response.url).text
    assert "约三亩" in page
    only = client.get(f"{response.url}?field=grid_phone").text
    assert "约三亩" not in only
    assert "0898-123" in only


def test_the_page_says_why_it_refuses(zhao: User) -> None:
    client = client_of(zhao)
    response = client.post("/origins/import", {"file": SimpleUploadedFile("a.xlsx", b"%PDF-1.7 x")})
    assert response.status_code == 422
    assert "这是PDF 文件，不是表格" in response.text
    assert not ImportJob.objects.exists()


def test_the_template_is_a_form_that_it_takes(zhao: User, tmp_path: Path) -> None:
    response = client_of(zhao).get("/origins/import/template.xlsx")
    path = tmp_path / "t.xlsx"
    path.write_bytes(response.content)
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["采集表"]
    values = {
        "种养殖主体名称": "李大山", "主体类型": "农户", "所属行业": "种植业", "产品名称": "豇豆", "省": "海南省",
        "市": "三亚市", "县": "崖州区",
        "乡（镇）": "崖州区直辖村级区划", "村": "水南村委会", "点位经纬度": "109.158151,18.435040",
        "种养殖主体联系人": "李大山", "种养殖主体联系方式": "19900005935", "种养规模": 12.5, "种养规模单位": "亩",
        "上市时间": "2026-04", "下市时间": "2026-08", "生产方式": "露地", "追溯方式": "追溯码", "网格员姓名": "冯玉强",
        "网格员联系方式": "19900004633", "信息采集员姓名": "卫秀春", "信息采集员联系方式": "19900008499",
    }  # fmt: skip
    for cell in sheet[2]:
        title = str(cell.value).rstrip("*")
        if title in values:
            sheet.cell(3, cell.column).value = values[title]
    workbook.save(path)
    with path.open("rb") as handle:
        job = submit_import(file=File(handle), filename="t.xlsx", actor=zhao)
    run_import(job.uid)
    job.refresh_from_db()
    assert (job.message, job.accepted, list(job.rows.values_list("faults"))) == ("", 1, [])
    assert Origin.objects.get().region_id % 1000


def test_an_import_is_on_record_where_its_person_works(zhao: User) -> None:
    with MIXED.open("rb") as handle:
        job = submit_import(file=File(handle), filename=MIXED.name, actor=zhao)
    run_import(job.uid)
    told = Entry.objects.filter(target_id=str(job.uid)).values_list("action", "region_code")
    assert set(told) == {(f"import.{step}", YAZHOU) for step in ("queued", "started", "finished")}
