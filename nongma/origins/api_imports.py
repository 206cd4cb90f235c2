"""Imports of 附件1 for programs: upload a file, ask how far it is, fetch the sheet with its faults marked."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import File, Query, Router, Schema
from ninja.files import UploadedFile
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.accounts.exporting import take_out
from nongma.lib.downloads import download
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.problems import problem
from nongma.lib.sheets.marked import CORRECTING
from nongma.lib.sheets.writing import XLSX
from nongma.lib.uploads import FileTooLarge
from nongma.origins.models import ImportJob
from nongma.origins.services.imports import errors_workbook, submit_import

router = Router(tags=["产地信息"])

MOST_ERRORS = 1_000


class ImportQueued(Schema):
    """An upload that was taken."""

    id: UUID


class ImportSummary(Schema):
    """How far an import is and what became of its rows."""

    id: UUID
    filename: str
    status: ImportJob.Status
    message: str = Field(description="失败的原因；正常时为空")
    total: int = Field(description="行数；导入中为估计值")
    accepted: int = Field(description="完整保存的行")
    to_locate: int = Field(description="没有点位、存为待定位的行")
    unchanged: int = Field(description="已有、没有变化的行")
    rejected: int = Field(description="有误、没有保存的行")
    created_at: datetime
    finished_at: datetime | None

    @staticmethod
    def resolve_id(job: ImportJob) -> UUID:
        return job.uid


class ImportFault(Schema):
    """What is wrong in one cell."""

    row: int = Field(description="表内行号，从 1 起")
    field: str
    code: str
    message: str


class ImportDetail(ImportSummary):
    """An import with its faults."""

    errors: list[ImportFault] = Field(description=f"前 {MOST_ERRORS} 处；全部见 errors.xlsx")

    @staticmethod
    def resolve_errors(job: ImportJob) -> list[dict[str, Any]]:
        rows = job.rows.order_by("row").values_list("row", "faults")[:MOST_ERRORS]
        faults = [{"row": row, **fault} for row, found in rows for fault in found]
        return faults[:MOST_ERRORS]


@router.post("/origins/imports", response={202: ImportQueued}, summary="上传采集表", operation_id="submit_import")
@requires_api(Action.COLLECT_ORIGINS)
@idempotent
def submit(request: SignedInRequest, file: File[UploadedFile]) -> Any:
    """上传 .xlsx、.xls 或 .csv 的《重点农产品产地溯源信息采集表》，后台导入；用返回的 id 查进度。"""
    try:
        job = submit_import(file=file, filename=file.name or "", actor=request.user)
    except FileTooLarge as refusal:
        return problem(413, refusal.code, refusal.message)
    return 202, {"id": job.uid}


@router.get("/origins/imports", response=Page[ImportSummary], summary="我的导入", operation_id="imports")
@requires_api(Action.COLLECT_ORIGINS)
def imports(request: SignedInRequest, paging: Query[Paging]) -> Any:
    """自己上传过的表格，新的在前。"""
    return paged(ImportJob.objects.visible_to(request.user), paging)


@router.get(
    "/origins/imports/{uuid:uid}", response=ImportDetail, summary="导入进度和结果", operation_id="import_detail"
)
@requires_api(Action.COLLECT_ORIGINS)
def detail(request: SignedInRequest, uid: UUID) -> Any:
    """状态、行数和前 1,000 处问题。"""
    return get_object_or_404(ImportJob.objects.visible_to(request.user), uid=uid)


@router.get(
    "/origins/imports/{uuid:uid}/errors.xlsx",
    summary="标出问题的表格",
    operation_id="import_errors",
    openapi_extra={"responses": {200: {"description": "标出问题的 .xlsx", "content": {XLSX: {}}}}},
)
@requires_api(Action.COLLECT_ORIGINS)
def errors(
    request: SignedInRequest,
    uid: UUID,
    purpose: Annotated[str, Field(description="用途，记入审计")] = CORRECTING,
) -> Any:
    """原表格，有问题的格子标成红色并加批注；改好后可以直接再上传。下载记入审计。"""
    job = get_object_or_404(ImportJob.objects.visible_to(request.user), uid=uid)
    file = take_out("import.faults_exported", purpose=purpose, actor=request.user, **errors_of(job))
    return download(request, file, name=marked_name(job), content_type=XLSX)


def errors_of(job: ImportJob) -> dict[str, Any]:
    """What is taken out with the marked sheet of an import, as `take_out` wants it told."""
    return {
        "make": lambda mark: (errors_workbook(job, mark), job.total),
        "narrowed_to": job.filename,
        "target": job,
    }


def marked_name(job: ImportJob) -> str:
    """The file name under which the marked sheet of an import is downloaded."""
    return f"{job.filename.rpartition('.')[0] or job.filename}-标出问题.xlsx"
