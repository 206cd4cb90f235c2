"""Handing accounts out by a sheet, for programs: upload it, ask how far it is. First passwords are never in here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import File, Router, Schema
from ninja.files import UploadedFile
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.accounts.handouts.services import submit_handout
from nongma.accounts.models import Handout
from nongma.lib.problems import problem
from nongma.lib.uploads import FileTooLarge

router = Router(tags=["账号"])

MOST_ERRORS = 1_000


class HandoutQueued(Schema):
    """A sheet that was taken."""

    id: UUID


class HandoutFault(Schema):
    """What is wrong in one cell."""

    row: int = Field(description="表内行号，从 1 起")
    field: str
    code: str = Field(description="differs 是提醒：这一行已办，只是和已有的不一样、没有改动；其他的都是有误")
    message: str


class HandoutDetail(Schema):
    """How far a hand-out is, what became of its rows, and their faults."""

    id: UUID
    filename: str
    status: Handout.Status
    message: str = Field(description="失败的原因；正常时为空")
    total: int = Field(description="行数；办理中为估计值")
    created: int = Field(description="分配了新账号的行")
    changed: int = Field(description="只建了机构，或给已有账号加了职务的行")
    unchanged: int = Field(description="已有、没有变化的行")
    rejected: int = Field(description="有误、没有保存的行")
    agencies: int = Field(description="新建的机构")
    created_at: datetime
    finished_at: datetime | None
    errors: list[HandoutFault] = Field(description=f"前 {MOST_ERRORS} 处")

    @staticmethod
    def resolve_id(handout: Handout) -> UUID:
        return handout.uid

    @staticmethod
    def resolve_errors(handout: Handout) -> list[dict[str, Any]]:
        rows = handout.rows.exclude(faults=[]).order_by("row").values_list("row", "faults")[:MOST_ERRORS]
        return [{"row": row, **fault} for row, found in rows for fault in found][:MOST_ERRORS]


@router.post("/handouts", response={202: HandoutQueued}, summary="上传账号分配表", operation_id="submit_handout")
@requires_api(Action.MANAGE_ACCOUNTS)
@idempotent
def submit(request: SignedInRequest, file: File[UploadedFile]) -> Any:
    """上传 .xlsx、.xls 或 .csv 的账号分配表，后台分配；用返回的 id 查进度。初始密码只在网页上打印成密码条。"""
    try:
        handout = submit_handout(file=file, filename=file.name or "", actor=request.user)
    except FileTooLarge as refusal:
        return problem(413, refusal.code, refusal.message)
    return 202, {"id": handout.uid}


@router.get("/handouts/{uuid:uid}", response=HandoutDetail, summary="批量分配的进度和结果", operation_id="handout")
@requires_api(Action.VIEW_ACCOUNTS)
def detail(request: SignedInRequest, uid: UUID) -> Any:
    """状态、行数和前 1,000 处问题；只看得到自己和前任上传的。"""
    return get_object_or_404(Handout.objects.visible_to(request.user), uid=uid)
