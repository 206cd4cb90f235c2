from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from nongma.accounts.handouts.services import run_handout
from nongma.accounts.handouts.tests.conftest import HandOut, counts, faults, station, workbook
from nongma.accounts.models import Handout, IdempotencyKey, User
from nongma.testing import api_of, client_of, file_in

PURPOSE = {"reason": "改正"}


def upload(content: bytes, name: str = "账号.xlsx") -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile(name, content)}


def test_it_leads_from_the_upload_to_the_result(gao: User) -> None:
    client = client_of(gao)
    assert "还没有批量分配过" in client.get(reverse("accounts:handouts")).content.decode()
    assert client.get(reverse("accounts:hand-out")).status_code == 200
    answer = client.post(reverse("accounts:hand-out"), upload(workbook([station(1), station(2, roles="审核员")])))
    handout = Handout.objects.get()
    assert answer["Location"] == handout.get_absolute_url()
    page = client.get(handout.get_absolute_url()).content.decode()
    assert "正在排队" in page
    run_handout(handout.uid)
    assert client.get(reverse("accounts:handout-progress", args=[handout.uid]))["HX-Refresh"] == "true"
    page = client.get(handout.get_absolute_url()).content.decode()
    assert "监管机构在这一级没有“审核员”" in page
    assert "打印密码条" in page
    assert "账号.xlsx" in client.get(reverse("accounts:handouts")).content.decode()
    filtered = client.get(handout.get_absolute_url(), {"field": "phone"}).content.decode()
    assert "在这一级没有" not in filtered


def test_it_marks_the_faulty_cells(gao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1), station(2, phone="12", email='=HYPERLINK("http://x")')])
    client = client_of(gao)
    response = client.post(reverse("accounts:handout-faults", args=[handout.uid]), PURPOSE)
    book = openpyxl.load_workbook(BytesIO(file_in(response)))
    sheet = book["账号分配表"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    phone = sheet.cell(3, columns["手机"])
    assert phone.comment
    assert "11 位手机号" in phone.comment.text
    assert phone.fill.fgColor.rgb == "00F8C9C4"
    assert sheet.cell(2, columns["手机"]).comment is None
    assert sheet.cell(3, columns["邮箱"]).data_type == "s"
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def test_formulas_of_a_csv_stay_texts(gao: User, hand_out: HandOut) -> None:
    head = "省,市,县,机构名称,类别,姓名,手机,角色\n"
    handout = hand_out(
        gao, (head + '海南,三亚,崖州,"=1+1",监管,"@SUM(A1)",13900000001,信息采集员\n').encode(), "账号.csv"
    )
    assert faults(handout) == [(2, "roles", "not_grantor")] or counts(handout)[3] == 1
    response = client_of(gao).post(reverse("accounts:handout-faults", args=[handout.uid]), PURPOSE)
    book = openpyxl.load_workbook(BytesIO(file_in(response)))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert {"=1+1", "@SUM(A1)"} <= {cell.value for cell in cells}
    assert all(cell.data_type != "f" for cell in cells)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "这是PDF 文件"),
        (b"PK\x03\x04 no archive", "文件已损坏"),
    ],
)
def test_what_is_no_sheet_is_not_taken(gao: User, content: bytes, code: str) -> None:
    answer = client_of(gao).post(reverse("accounts:hand-out"), upload(content))
    assert answer.status_code == 422
    assert Handout.objects.count() == 0


def test_another_sheet_ends_with_a_sentence(gao: User, hand_out: HandOut) -> None:
    for content, said in [
        ("姓名,手机\n李,13900000001\n".encode(), "不是账号分配表"),
        ("姓名,手机,角色,机构名称\n李,13900000001,查询员,站\n".encode(), "缺少这些列：省（或区划代码）、类别"),
        (workbook([]), "没有填写的行"),
    ]:
        handout = hand_out(gao, content, "账号.csv")
        assert handout.status == "failed"
        assert said in handout.message
        assert "没有分配任何账号" in handout.message


def test_a_file_that_is_too_big_is_refused(gao: User, settings: Any) -> None:
    settings.UPLOAD_BYTES = 100
    assert client_of(gao).post(reverse("accounts:hand-out"), upload(b"x" * 101)).status_code == 422
    answer = api_of(gao).post("/api/v1/handouts", upload(b"x" * 101))
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert Handout.objects.count() == 0


def test_the_template_can_be_filled_in_and_uploaded(gao: User, hand_out: HandOut) -> None:
    content = client_of(gao).get(reverse("accounts:handout-template")).content
    book = openpyxl.load_workbook(BytesIO(content))
    assert book.sheetnames == ["账号分配表", "填写示例", "填写说明", "选项"]
    sheet = book["账号分配表"]
    assert len(sheet.data_validations.dataValidation) >= 6
    columns = {str(cell.value).rstrip("*"): cell.column for cell in sheet[1]}
    from nongma.accounts.handouts.sheet import LABELS

    for field, value in station(1).items():
        sheet.cell(2, columns[LABELS[field]], value)
    filled = BytesIO()
    book.save(filled)
    assert counts(hand_out(gao, filled.getvalue())) == (1, 0, 0, 0)


def test_programs_upload_and_ask(gao: User) -> None:
    api = api_of(gao)
    content = workbook([station(1), station(2, phone="1")])
    key = {"Idempotency-Key": "once"}
    answer = api.post("/api/v1/handouts", upload(content), headers=key)
    assert answer.status_code == 202
    uid = answer.json()["id"]
    again = api.post("/api/v1/handouts", upload(content), headers=key)
    assert (again.status_code, again.json()["id"]) == (202, uid)
    assert IdempotencyKey.objects.count() == 1
    assert api.get(f"/api/v1/handouts/{uid}").json()["status"] == "queued"
    run_handout(uid)
    told = api.get(f"/api/v1/handouts/{uid}").json()
    assert (told["status"], told["total"], told["created"], told["rejected"]) == ("done", 2, 1, 1)
    assert [(one["row"], one["field"], one["code"]) for one in told["errors"]] == [(3, "phone", "not-a-mobile")]
    password = Handout.objects.get().rows.exclude(first_password="").get().first_password
    assert password not in api.get(f"/api/v1/handouts/{uid}").content.decode()


def test_the_same_file_is_not_taken_twice_at_once(gao: User) -> None:
    content = workbook([station(1)])
    client = client_of(gao)
    client.post(reverse("accounts:hand-out"), upload(content))
    answer = client.post(reverse("accounts:hand-out"), upload(content))
    assert answer.status_code == 422
    assert "正在办理" in answer.content.decode()
    assert Handout.objects.count() == 1


def test_a_hand_out_is_seen_by_whoever_made_it(gao: User, hainan: User, zhao: User, hand_out: HandOut) -> None:
    handout = hand_out(gao, [station(1)])
    for name in ("handout", "handout-progress", "handout-faults", "handout-slips"):
        address = reverse(f"accounts:{name}", args=[handout.uid])
        for client, status in ((client_of(hainan), 404), (client_of(zhao), 403)):
            answer = client.post(address, PURPOSE) if name == "handout-faults" else client.get(address)
            assert answer.status_code == status, name
    assert api_of(hainan).get(f"/api/v1/handouts/{handout.uid}").status_code == 404
    assert client_of(hainan).post(reverse("accounts:clear-slips", args=[handout.uid])).status_code == 404
    assert handout.rows.exclude(first_password="").count() == 1
