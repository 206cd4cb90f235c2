from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from nongma.accounts.access import Action
from nongma.accounts.api import requires_api
from nongma.lib.paging import Page, Paging, paged
from nongma.regions.models import Region
from nongma.regions.queries import code_of, find_region, path_of, search
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span, span_of

FOUND_AT_MOST = 200

router = Router(tags=["行政区划"])

Code = Annotated[str, Field(pattern=r"^[0-9]{2,12}$", description="12 位区划代码；2、4、6、9 位的按层级补零")]


class RegionName(Schema):
    """A division on a path (行政区划)."""

    code: str = Field(alias="code_text", description="12 位区划代码")
    name: str
    level: Region.Level = Field(description="0 全国，1 省，2 市，3 县，4 乡镇，5 村")


class RegionOut(RegionName):
    """A division (行政区划)."""

    full_name: str = Field(description="从省到本级的全称")
    longitude: Decimal | None = Field(description="中心经度，乡镇和村没有")
    latitude: Decimal | None
    valid_from: date | None
    valid_to: date | None = Field(description="停用日期，仍在使用的为空")
    replaced_by: str | None = Field(description="停用后由哪个代码代替")

    @staticmethod
    def resolve_replaced_by(region: Region) -> str | None:
        return None if region.replaced_by is None else f"{region.replaced_by:012}"


class RegionWithPath(RegionOut):
    """A division and those above it (路径)."""

    path: list[RegionName] = Field(description="省、市、县、乡镇、村，到本级为止")

    @staticmethod
    def resolve_path(region: Region) -> list[Region]:
        return path_of(region.code)


class RegionFilters(Schema):
    q: Annotated[str, Field(max_length=60, description="名称、拼音、首字母或代码的开头")] = ""
    within: Code | None = None
    level: Region.Level | None = None


@router.get("/regions", response=Page[RegionOut], summary="查找行政区划")
@requires_api(Action.SIGNED_IN)
def list_regions(request: HttpRequest, filters: Query[RegionFilters], paging: Query[Paging]) -> dict[str, Any]:
    """带 `q` 时按匹配程度排列，最多 200 个；不带时按代码列出现行的区划。"""
    span = EVERYWHERE if filters.within is None else _span_of(filters.within)
    if not filters.q.strip():
        regions = Region.objects.current().within(span).order_by("code")
        return paged(regions if filters.level is None else regions.filter(level=filters.level), paging)
    found = search(filters.q, span, filters.level, FOUND_AT_MOST)
    start = (paging.page - 1) * paging.page_size
    return {
        "items": found[start : start + paging.page_size],
        "total": len(found),
        "page": paging.page,
        "page_size": paging.page_size,
    }


@router.get("/regions/{code}", response=RegionWithPath, summary="一个行政区划")
@requires_api(Action.SIGNED_IN)
def get_region(request: HttpRequest, code: Code) -> Region:
    """按代码取一个区划和它的上级；停用的也能取到。"""
    region = find_region(code)
    if region is None:
        raise Http404
    return region


def _span_of(text: str) -> Span:
    code = code_of(text)
    if code is None:
        raise ValidationError({"within": "要一个 2、4、6、9 或 12 位的区划代码"})
    return span_of(code)


def span_wanted(region: str | None) -> Span:
    """The divisions that a filter means: all without one, none with a code that is no code."""
    if region is None:
        return EVERYWHERE
    code = code_of(region)
    return NOWHERE if code is None else span_of(code)
