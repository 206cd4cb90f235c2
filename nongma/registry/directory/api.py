from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.codes.codec import decode
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.problems import Problem
from nongma.regions.queries import find_region
from nongma.regions.spans import EVERYWHERE
from nongma.registry.directory.corrections.queries import correction_of
from nongma.registry.directory.corrections.services import answer_correction, send_correction
from nongma.registry.directory.figures import WHATS, figures_of
from nongma.registry.directory.queries import CONDITIONS, EntryFilter, area_of
from nongma.registry.models import Correction, DirectoryEntry
from nongma.registry.models.directory import FIELDS
from nongma.registry.queries import operator_of

router = Router(tags=["监管主体目录"])


class LineOut(Schema):
    """The counts of a division."""

    region: str
    name: str
    counts: dict[str, int] = Field(description="、".join(f"{what} {label}" for what, label in WHATS.items()))
    lacks: dict[str, int] = Field(description="各项缺的主体数")


class FiguresOut(Schema):
    """The counts of a division and of those below it."""

    total: LineOut
    lines: list[LineOut]


class EntryFilters(Schema):
    """Which entries."""

    q: str = Field("", max_length=60, description="名称的一部分")
    what: str = Field("", description="、".join(WHATS))
    lack: str = Field("", description="、".join(FIELDS))
    region: str = Field("", description="区划代码")


class EntryOut(Schema):
    """An entry of the directory."""

    name: str
    code: str = Field(description="主体码；缺失的为空")
    region: str
    why: str
    lacks: list[str]
    is_stale: bool
    is_wrong: bool
    uncoded: str


class CorrectionIn(Schema):
    """What an operator is asked to put right."""

    matter: Correction.Matter
    fields: list[str] = Field([], max_length=20)
    finding: str = Field(min_length=1, max_length=300)
    demand: str = Field(min_length=1, max_length=300)
    due_on: date


class AnswerIn(Schema):
    """What was put right."""

    answer: str = Field(min_length=1, max_length=500)


class CorrectionOut(Schema):
    """A notice to put a record right."""

    id: UUID
    state: str
    matter: str
    fields: list[str]
    finding: str
    demand: str
    due_on: date
    answer: str
    note: str
    settled_at: datetime | None

    @staticmethod
    def resolve_id(notice: Correction) -> UUID:
        return notice.uid


@router.get("/directory/figures", response={200: FiguresOut, 404: Problem}, summary="监管主体目录统计")
@requires_api(Action.VIEW_DIRECTORY)
def directory_figures(request: SignedInRequest, region: str = "") -> dict[str, Any]:
    """合计和下一级各地区的数；不写地区的是本辖区。"""
    area = area_of(request.user, region)
    if area is None:
        raise Http404
    found = figures_of(area)
    lines = [
        {
            "region": line.region.code_text,
            "name": line.label,
            "counts": {what: line.of(what) for what in WHATS},
            "lacks": {share.name: share.lacking for share in line.shares},
        }
        for line in (found.total, *found.lines)
    ]
    return {"total": lines[0], "lines": lines[1:]}


@router.get("/directory", response={200: Page[EntryOut], 404: Problem}, summary="监管主体目录")
@requires_api(Action.VIEW_DIRECTORY)
def directory(request: SignedInRequest, filters: Query[EntryFilters], paging: Query[Paging]) -> dict[str, Any]:
    """按行政区划排列；`what` 和统计里的项目相同。"""
    region = find_region(filters.region) if filters.region else None
    is_known = filters.what in ("", "listed", *CONDITIONS) and filters.lack in ("", *FIELDS)
    if (filters.region and region is None) or not is_known:
        raise Http404
    what = "" if filters.what == "listed" else filters.what
    wanted = EntryFilter(filters.q, what, filters.lack, region.span if region else EVERYWHERE)
    found = wanted.apply(DirectoryEntry.objects.visible_to(request.user)).select_related("region", "operator")
    return paged(found.order_by("region_id", "id"), paging, _entry)


@router.post("/operators/{code}/notices", response={201: CorrectionOut}, summary="发督促整改通知")
@requires_api(Action.SUPERVISE_OPERATORS)
@idempotent
def create_notice(request: SignedInRequest, code: str, data: CorrectionIn) -> Status[Correction]:
    """同一事由没有办结的，回答 409 `already_open`。"""
    operator = operator_of(code, request.user)
    return Status(201, send_correction(operator=operator, actor=request.user, **data.dict()))


@router.post("/operators/{code}/notices/{uid}/answer", response=CorrectionOut, summary="答复督促整改")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def answer_notice(request: SignedInRequest, code: str, uid: UUID, data: AnswerIn) -> Correction:
    """主体的人员写明整改情况。"""
    serial = decode(code)
    notice = correction_of(-1 if serial is None else serial, uid, request.user)
    return answer_correction(correction=notice, answer=data.answer, actor=request.user)


def _entry(entry: DirectoryEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "code": entry.operator.code if entry.operator else "",
        "region": entry.region.code_text,
        "why": entry.why,
        "lacks": entry.lacks,
        "is_stale": entry.is_stale,
        "is_wrong": entry.is_wrong,
        "uncoded": entry.uncoded,
    }
