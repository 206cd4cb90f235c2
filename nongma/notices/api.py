from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import requires_api
from nongma.lib.paging import Page, Paging, paged
from nongma.notices.models import Notice
from nongma.notices.queries import notices_of
from nongma.notices.services import mark_read

router = Router(tags=["提醒"])


class NoticeOut(Schema):
    """Something that a person is told (提醒)."""

    id: UUID
    kind: Notice.Kind
    title: str
    body: str
    url: str = Field(description="平台上的页面，以 / 开头；没有时为空")
    count: int = Field(description="合并了几件")
    due_on: date | None
    created_at: datetime
    read_at: datetime | None

    @staticmethod
    def resolve_id(notice: Notice) -> UUID:
        return notice.uid

    @staticmethod
    def resolve_title(notice: Notice) -> str:
        return notice.heading


class NoticeFilters(Schema):
    kind: Notice.Kind | None = None
    unread: Annotated[bool, Field(description="只要未读的")] = False


@router.get("/notices", response=Page[NoticeOut], summary="我的提醒")
@requires_api(Action.SIGNED_IN)
def list_notices(request: SignedInRequest, filters: Query[NoticeFilters], paging: Query[Paging]) -> dict[str, Any]:
    """本人的提醒，新的在前。"""
    return paged(notices_of(request.user, kind=filters.kind or "", unread=filters.unread), paging)


@router.post("/notices/{uid}/read", response=NoticeOut, summary="标为已读")
@requires_api(Action.SIGNED_IN)
def read_notice(request: SignedInRequest, uid: UUID) -> Notice:
    """本人的一条提醒标为已读；已经读过的不变。"""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), uid=uid)
    return mark_read(notice=notice, actor=request.user)
