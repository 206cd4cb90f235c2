"""Loads of operators for programs: upload a sheet, ask how far it is, fetch the sheet with its faults marked."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.accounts.exporting import take_out
from nongma.lib.downloads import download
from nongma.lib.problems import problem
from nongma.lib.sheets.marked import CORRECTING
from nongma.lib.sheets.writing import XLSX
from nongma.lib.uploads import FileTooLarge
from nongma.registry.intake.services import errors_workbook, submit_intake
from nongma.registry.models import Intake

router = Router(tags=["主体"])

MOST_ERRORS = 1_000


class IntakeQueued(Schema):
    """A sheet that was taken."""

    id: UUID


class IntakeFault(Schema):
    """What is wrong in one cell."""

    row: int = Field(description="表内行号，从 1 起")
    field: str
    code: str = Field(description="differs：和已登记的不同，没有改动；doubled：和前面的行重复；其他的都是有误")
    message: str


class IntakeDetail(Schema):
    """How far a load is, what became of its rows, and their faults."""

    id: UUID
    filename: str
    status: Intake.Status
    message: str = Field(description="失败的原因；正常时为空")
    total: int = Field(description="行数；办理中为估计值")
    accepted: int = Field(description="新登记的行")
    unchanged: int = Field(description="已有、没有变化的行")
    differing: int = Field(description="和已登记的不同、没有改动的行")
    doubled: int = Field(description="和前面的行是同一个主体的行")
    rejected: int = Field(description="有误、没有登记的行")
    created_at: datetime
    finished_at: datetime | None
    errors: list[IntakeFault] = Field(description=f"前 {MOST_ERRORS} 处；全部见 errors.xlsx")

    @staticmethod
    def resolve_id(intake: Intake) -> UUID:
        return intake.uid

    @staticmethod
    def resolve_accepted(intake: Intake) -> int:
        return intake.made

    @staticmethod
    def resolve_rejected(intake: Intake) -> int:
        return intake.faulty

    @staticmethod
    def resolve_errors(intake: Intake) -> list[dict[str, Any]]:
        rows = intake.rows.exclude(faults=[]).order_by("row").values_list("row", "faults")[:MOST_ERRORS]
        return [{"row": row, **fault} for row, found in rows for fault in found][:MOST_ERRORS]


@router.post(
    "/operators/imports", response={202: IntakeQueued}, summary="上传主体批量登记表", operation_id="submit_intake"
)
@requires_api(Action.LOAD_OPERATORS)
@idempotent
def submit(request: SignedInRequest, file: File[UploadedFile], approves: Form[bool] = False) -> Any:
    """上传 .xlsx、.xls 或 .csv 的主体批量登记表，后台登记，不再等确认；用返回的 id 查进度。

    `approves` 为 true：审核员已核实，直接通过；不填的，登记后是待认领。
    """
    try:
        intake = submit_intake(file=file, filename=file.name or "", actor=request.user, at_once=True, approves=approves)
    except FileTooLarge as refusal:
        return problem(413, refusal.code, refusal.message)
    return 202, {"id": intake.uid}


@router.get(
    "/operators/imports/{uuid:uid}", response=IntakeDetail, summary="批量登记的进度和结果", operation_id="intake"
)
@requires_api(Action.LOAD_OPERATORS)
def detail(request: SignedInRequest, uid: UUID) -> Any:
    """状态、行数和前 1,000 处问题；只看得到自己和前任上传的。"""
    return get_object_or_404(Intake.objects.visible_to(request.user), uid=uid)


@router.get(
    "/operators/imports/{uuid:uid}/errors.xlsx",
    summary="标出问题的主体登记表",
    operation_id="intake_errors",
    openapi_extra={"responses": {200: {"description": "标出问题的 .xlsx", "content": {XLSX: {}}}}},
)
@requires_api(Action.LOAD_OPERATORS)
def errors(
    request: SignedInRequest,
    uid: UUID,
    purpose: Annotated[str, Field(description="用途，记入审计")] = CORRECTING,
) -> Any:
    """原表格，有问题的格子标成红色或黄色并加批注；改好后可以直接再上传。下载记入审计。"""
    intake = get_object_or_404(Intake.objects.visible_to(request.user), uid=uid)
    file = take_out("intake.faults_exported", purpose=purpose, actor=request.user, **errors_of(intake))
    return download(request, file, name=marked_name(intake), content_type=XLSX)


def errors_of(intake: Intake) -> dict[str, Any]:
    """What is taken out with the marked sheet of a load, as `take_out` wants it told."""
    return {
        "make": lambda mark: (errors_workbook(intake, mark), intake.total),
        "narrowed_to": intake.filename,
        "target": intake,
    }


def marked_name(intake: Intake) -> str:
    """The file name under which the marked sheet of a load is downloaded."""
    return f"{intake.filename.rpartition('.')[0] or intake.filename}-标出问题.xlsx"
