"""Doubts for programs: those of one record. Which records have one is a filter of their list (`doubt=`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Router, Schema
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import requires_api
from nongma.origins.doubts.queries import Rate, RatedDoubt, rated
from nongma.origins.models import Doubt
from nongma.origins.queries import origin_of

router = Router(tags=["产地信息"])


class RateOut(Schema):
    """How often doubts of the kind turned out right."""

    judged: int = Field(description="判过的条数")
    right: int = Field(description="其中属实的条数")


class DoubtOut(Schema):
    """One thing about a record that does not look right."""

    id: UUID
    kind: Doubt.Kind
    text: str = Field(description="说明，带数字")
    state: Doubt.State = Field(description="open 待判、right 属实、wrong 没有问题、withdrawn 已撤下")
    other: UUID | None = Field(description="有关的另一条记录；看不到的不给")
    found_at: datetime
    closed_at: datetime | None
    here: RateOut = Field(description="本县这类疑点判得怎样")
    everywhere: RateOut = Field(description="全部地区这类疑点判得怎样")


def _rate(rate: Rate) -> RateOut:
    return RateOut(judged=rate.judged, right=rate.right)


def _out(one: RatedDoubt) -> DoubtOut:
    doubt = one.doubt
    return DoubtOut(
        id=doubt.uid,
        kind=Doubt.Kind(doubt.kind),
        text=doubt.text,
        state=Doubt.State(doubt.state),
        other=one.other.uid if one.other else None,
        found_at=doubt.found_at,
        closed_at=doubt.closed_at,
        here=_rate(one.here),
        everywhere=_rate(one.everywhere),
    )


@router.get(
    "/origins/{uuid:uid}/doubts", response=list[DoubtOut], summary="一条产地信息的疑点", operation_id="origin_doubts"
)
@requires_api(Action.VIEW_ORIGINS)
def doubts(request: SignedInRequest, uid: UUID) -> Any:
    """待判的在前，判过的在后；不再成立的不列。种植户自己看不到，回答空表。哪些记录有疑点，用列表的 `doubt` 筛选。"""
    origin = origin_of(uid, request.user)
    return [] if request.user.is_operator else [_out(one) for one in rated(origin, request.user)]
