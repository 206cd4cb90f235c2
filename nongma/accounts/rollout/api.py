from datetime import date
from typing import Annotated, cast

from django.http import Http404, HttpRequest
from ninja import Router, Schema
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import requires_api
from nongma.accounts.places.api import Code
from nongma.accounts.rollout.queries import Line, Progress, areas_of, find_area, progress_of
from nongma.lib.problems import Problem

router = Router(tags=["推广进度"])


class LineOut(Schema):
    """How far one division is (推广进度)."""

    code: str = Field(description="12 位区划代码")
    name: str
    level: int = Field(description="0 全国，1 省，2 市，3 县，4 乡镇，5 村")
    is_own: bool = Field(description="是不是本级机构自己那一行")
    agencies: int = Field(description="机构数，停用的不算")
    agencies_with_account: int = Field(description="有平台管理员在用的机构数，停用的管理员不算")
    people: int = Field(description="人员账号数，注销的不算")
    people_in_use: int = Field(description="登录过的人数")
    people_trained: int = Field(description="培训过的人数")
    counties_missing: int = Field(description="还没有机构的县")
    towns_missing: int = Field(description="还没有机构的乡镇")
    accounts_due_on: date | None = Field(description="账号分配期限")
    training_due_on: date | None = Field(description="培训期限")

    @staticmethod
    def resolve_code(line: Line) -> str:
        return line.region.code_text

    @staticmethod
    def resolve_name(line: Line) -> str:
        return line.label

    @staticmethod
    def resolve_level(line: Line) -> int:
        return line.region.level


class ProgressOut(Schema):
    """The division in sum, and each below it."""

    total: LineOut
    lines: list[LineOut]
    missing: list[str] = Field(description="还没有机构的县或乡镇，最多 200 个")
    missing_count: int


@router.get("/rollout", response={200: ProgressOut, 404: Problem}, summary="推广进度")
@requires_api(Action.VIEW_ACCOUNTS)
def get_progress(
    request: HttpRequest, region: Annotated[Code | None, Field(description="不写是自己管的最大的辖区")] = None
) -> Progress:
    """一个地方和它下一级的推广进度，给监管机构的平台管理员；辖区外的、别的机构问的是 404。"""
    found = find_area(region or "", areas_of(cast(SignedInRequest, request).user))
    if found is None:
        raise Http404
    return progress_of(found)
