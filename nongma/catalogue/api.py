from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from nongma.accounts.access import Action
from nongma.accounts.api import requires_api
from nongma.catalogue.models import Ban, Industry, Product
from nongma.catalogue.queries import bans_matching, products_matching
from nongma.lib.paging import Page, Paging, paged

router = Router(tags=["产品与药物"])


class ProductOut(Schema):
    """A farm product (产品)."""

    code: str = Field(description="平台自编代码")
    name: str
    english_name: str
    aliases: list[str]
    industry: Industry
    scale_units: list[str] = Field(description="种养规模可用的单位")
    trade_units: list[str] = Field(description="批次数量可用的单位")
    is_key: bool = Field(description="是不是 12 个重点品种之一")
    threshold: Decimal | None = Field(description="纳入采集的规模，单位见 threshold_unit")
    threshold_unit: str
    threshold_note: str
    nyt3177_code: str | None = Field(description="NY/T 3177-2018 代码，核实前为空")
    source: str
    verified: bool


class BanOut(Schema):
    """A rule that bans or restricts a substance (禁限用规定)."""

    substance: str
    english_name: str
    aliases: list[str]
    kind: Ban.Kind
    degree: Ban.Degree
    scope: str
    notice: str
    clause: str
    valid_from: date
    valid_to: date | None
    verified: bool = Field(description="有没有人对照公告核实过")

    @staticmethod
    def resolve_substance(ban: Ban) -> str:
        return ban.substance.name

    @staticmethod
    def resolve_english_name(ban: Ban) -> str:
        return ban.substance.english_name

    @staticmethod
    def resolve_aliases(ban: Ban) -> list[str]:
        return ban.substance.aliases


class ProductFilters(Schema):
    q: Annotated[str, Field(max_length=40, description="名称、别名、英文名的一部分，或代码")] = ""
    industry: Industry | None = None
    key: Annotated[bool, Field(description="只要重点品种")] = False


class BanFilters(Schema):
    on: Annotated[date | None, Field(description="在这一天有效的规定，不填为今天")] = None
    q: Annotated[str, Field(max_length=40, description="药物、范围、公告号的一部分")] = ""
    kind: Ban.Kind | None = None
    degree: Ban.Degree | None = None


@router.get("/products", response=Page[ProductOut], summary="产品清单")
@requires_api(Action.SIGNED_IN)
def list_products(request: HttpRequest, filters: Query[ProductFilters], paging: Query[Paging]) -> dict[str, Any]:
    """重点品种在前。代码是平台自编的；`nyt3177_code` 核实前为空。"""
    found = products_matching(text=filters.q, industry=filters.industry or "", key_only=filters.key)
    return paged(found.order_by("-is_key", "code"), paging)


@router.get("/products/{code}", response=ProductOut, summary="一个产品")
@requires_api(Action.SIGNED_IN)
def get_product(request: HttpRequest, code: str) -> Product:
    """按平台代码取一个产品。"""
    return get_object_or_404(Product, code=code)


@router.get("/bans", response=Page[BanOut], summary="某一天有效的禁限用规定")
@requires_api(Action.SIGNED_IN)
def list_bans(request: HttpRequest, filters: Query[BanFilters], paging: Query[Paging]) -> dict[str, Any]:
    """清单里没有的药物是“没有记录”，不等于允许使用。"""
    on = filters.on or timezone.localdate()
    found = bans_matching(on=on, text=filters.q, kind=filters.kind or "", degree=filters.degree or "")
    return paged(found.order_by("kind", "degree", "substance__name", "id"), paging)
