"""The collection calendar for programs: what is due, 无变化, 不再种养."""

from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import requires_api
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.reasons import LONGEST
from nongma.origins.due import queries
from nongma.origins.due.queries import DueFilter
from nongma.origins.due.services import confirm_unchanged, end_collecting, resume_collecting
from nongma.origins.models import Due

router = Router()


class WantedDues(Schema):
    """Which dues; every condition may be left out."""

    tab: str = Field("open", description="open（待采集）、overdue（逾期）或 done（已完成）")
    region: str | None = Field(None, description="12 位区划代码", examples=["460205000000"])
    product: str | None = Field(None, description="产品名称或代码")
    collector: str | None = Field(None, description="采集人的用户名或姓名")
    rhythm: str | None = Field(None, description="monthly（每月）或 season（每茬）")
    month: str | None = Field(None, description="期限所在月份，如 2026-05；写了它，还没开始的也在其中")

    def filter(self) -> DueFilter:
        """What is asked for; raises ValidationError by field for what makes no sense."""
        wanted, form = DueFilter.read({name: value or "" for name, value in self.model_dump().items()})
        if form.errors:
            raise ValidationError(form.errors.as_data())
        return wanted


class DueOut(Schema):
    """A record that is to be made anew, or was."""

    id: UUID = Field(validation_alias="origin.uid", description="上次采集的产地信息的 id")
    operator: str = Field(validation_alias="operator.name")
    product: str = Field(validation_alias="product.name")
    region: str = Field(description="12 位区划代码")
    rhythm: Due.Rhythm
    opens_on: date
    due_on: date
    collector: str = Field(validation_alias="collector.name")
    outcome: str = Field(description="空：待采集；collected、unchanged、ended 或 lapsed")
    why: str = Field(description="不再种养或失效的原因")
    met_on: date | None

    @staticmethod
    def resolve_region(due: Any) -> str:
        return f"{due.region_id:012}"


class Ending(Schema):
    reason: str = Field(max_length=LONGEST, description="为什么不再种养")


@router.get("/origins/dues", response=Page[DueOut], summary="采集日历", operation_id="dues")
@requires_api(Action.VIEW_ORIGINS)
def dues(request: SignedInRequest, wanted: Query[WantedDues], paging: Query[Paging]) -> Any:
    """按期限的顺序；`tab=done` 按区划和办理日期。"""
    chosen = wanted.filter()
    found = chosen.apply(Due.objects.visible_to(request.user), timezone.localdate())
    rows = found.select_related(*queries.RELATED).order_by(*queries.natural_of(chosen))
    return paged(rows, paging)


@router.post("/origins/{uuid:uid}/confirm", response=DueOut, summary="确认无变化", operation_id="confirm_due")
@requires_api(Action.COLLECT_ORIGINS)
def confirm(request: SignedInRequest, uid: UUID) -> Any:
    """畜产品、水产品这个月没有变化；回答下一次采集。种植产品每茬是一条新记录，用更新的接口；这里回答 `crop_anew`。"""
    return confirm_unchanged(due=queries.due_of(uid, request.user), actor=request.user)


@router.post("/origins/{uuid:uid}/end", response=DueOut, summary="不再种养", operation_id="end_due")
@requires_api(Action.COLLECT_ORIGINS)
def end(request: SignedInRequest, uid: UUID, body: Ending) -> Any:
    """写明原因，以后不用采集。"""
    return end_collecting(due=queries.due_of(uid, request.user), reason=body.reason, actor=request.user)


@router.post("/origins/{uuid:uid}/resume", response=DueOut, summary="撤销不再种养", operation_id="resume_due")
@requires_api(Action.COLLECT_ORIGINS)
def resume(request: SignedInRequest, uid: UUID) -> Any:
    """又要采集了，期限和原来一样。"""
    due = queries.due_of(uid, request.user, outcome=Due.Outcome.ENDED)
    return resume_collecting(due=due, actor=request.user)
