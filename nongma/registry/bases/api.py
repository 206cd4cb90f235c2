from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, cast
from uuid import UUID

from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.catalogue.models import Product
from nongma.lib.outlines import MOST_CORNERS
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.refused import Misfilled
from nongma.registry.api import PlaceOut, PointIn, RegionCode, region_of
from nongma.registry.bases.queries import base_of, bases_of, doubts_of, editable_base, plot_of, plots_of
from nongma.registry.bases.services import (
    BaseInputs,
    PlotInputs,
    add_base,
    add_plot,
    change_base,
    change_plot,
    close_base,
    close_plot,
    version_of,
)
from nongma.registry.models import Base, Plot
from nongma.registry.queries import editable_of, operator_of

router = Router(tags=["主体"])

Area = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
Outline = Annotated[
    dict[str, Any],
    Field(description=f"GeoJSON Polygon 或 MultiPolygon，WGS84，环要合拢，最多 {MOST_CORNERS} 个角"),
]


class BaseFacts(PointIn):
    """What may be said about a base besides its name and place."""

    address: str = Field("", max_length=200)
    area_mu: Area | None = Field(None, description="填写的面积，亩")
    outline: Outline | None = None
    soil: Base.Soil | None = None
    water: Base.Water | None = None
    facility: Base.Facility | None = None
    nearby: list[Base.Nearby] | None = Field(None, max_length=6, description="一公里内的污染源；空表＝看过没有")
    environment: str = Field("", max_length=200)
    varieties: str = Field("", max_length=100, description="品种，印在标识牌上")
    measures: str = Field("", max_length=500, description="技术措施，一行一条，印在标识牌上")
    keeper: str = Field("", max_length=60, description="责任人，印在标识牌上")


class BaseIn(BaseFacts):
    """A base to register."""

    name: str = Field(min_length=1, max_length=100)
    region: RegionCode


class BaseChangeIn(BaseFacts):
    """What to change of a base; what is left out stays as it is."""

    name: str = Field("", min_length=1, max_length=100)
    region: RegionCode | None = None
    version: str = Field("", max_length=64, description="取基地时的 `version`：别人改过了就不覆盖")


class CloseIn(Schema):
    """Why a base is taken out of use."""

    reason: str = Field("", max_length=200)


class BaseOut(Schema):
    """A base."""

    code: str = Field(description="基地码，20 位")
    name: str
    region: PlaceOut
    address: str = Field(description="主体没有信用代码的只显示前两个字")
    longitude: Decimal | None
    latitude: Decimal | None
    area_mu: Decimal | None = Field(description="填写的面积，亩")
    outline: dict[str, Any] | None
    outline_mu: Decimal | None = Field(description="轮廓围起来的面积，亩，由平台计算")
    soil: str
    water: str
    facility: str
    nearby: list[str] | None
    environment: str
    varieties: str
    measures: str
    closed_on: date | None = Field(description="停用日期；为空＝使用中")
    closed_for: str
    created_at: datetime
    doubts: list[str] = Field(description="要再核对的：点位在轮廓外、面积相差超过 10% 等")
    version: str

    @staticmethod
    def resolve_doubts(base: Base) -> list[str]:
        return doubts_of(base, list(base.plots.all()))

    @staticmethod
    def resolve_address(base: Base) -> str:
        return base.shown_address

    @staticmethod
    def resolve_version(base: Base) -> str:
        return version_of(base)


class PlotFacts(Schema):
    """What may be said about a plot besides its name."""

    outline: Outline | None = None
    area_mu: Area | None = None
    product: str | None = Field(None, max_length=20, description="产品代码")


class PlotIn(PlotFacts):
    """A plot to mark out."""

    name: str = Field(min_length=1, max_length=60)


class PlotChangeIn(PlotFacts):
    """What to change of a plot; what is left out stays as it is."""

    name: str = Field("", min_length=1, max_length=60)
    version: str = Field("", max_length=64)
    closed: bool = Field(False, description="true：停用这个地块，其余的不看")


class PlotOut(Schema):
    """A plot of a base."""

    uid: UUID
    name: str
    outline: dict[str, Any] | None
    outline_mu: Decimal | None
    area_mu: Decimal | None
    product: str | None = Field(description="产品代码")
    closed_on: date | None
    version: str

    @staticmethod
    def resolve_product(plot: Plot) -> str | None:
        return plot.product.code if plot.product else None

    @staticmethod
    def resolve_version(plot: Plot) -> str:
        return version_of(plot)


@router.get("/operators/{code}/bases", response=Page[BaseOut], summary="主体的基地")
@requires_api(Action.VIEW_OPERATORS)
def list_bases(request: SignedInRequest, code: str, paging: Query[Paging]) -> dict[str, Any]:
    """使用中的在前，按登记先后排列。"""
    return paged(bases_of(operator_of(code, request.user), request.user).prefetch_related("plots"), paging)


@router.post("/operators/{code}/bases", response={201: BaseOut}, summary="登记基地")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def create_base(request: SignedInRequest, code: str, data: BaseIn) -> Status[Base]:
    """回答里的 `code` 是基地码。有轮廓、没有经纬度的，点位取轮廓中间。"""
    operator = editable_of(code, request.user)
    return Status(201, add_base(operator=operator, actor=request.user, **_base_inputs(data)))


@router.get("/operators/{code}/bases/{base}", response=BaseOut, summary="一个基地")
@requires_api(Action.VIEW_OPERATORS)
def get_base(request: SignedInRequest, code: str, base: str) -> Base:
    """按 20 位基地码取一个基地。"""
    return base_of(code, base, request.user)


@router.patch("/operators/{code}/bases/{base}", response=BaseOut, summary="修改基地")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def patch_base(request: SignedInRequest, code: str, base: str, data: BaseChangeIn) -> Base:
    """只改给出的项目；已通过的产地信息保留原来的点位。"""
    held = editable_base(code, base, request.user)
    return change_base(base=held, actor=request.user, seen=data.version, **_base_inputs(data))


@router.post("/operators/{code}/bases/{base}/close", response=BaseOut, summary="停用基地")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def shut_base(request: SignedInRequest, code: str, base: str, data: CloseIn) -> Base:
    """写明原因；以前的记录都还在。"""
    return close_base(base=editable_base(code, base, request.user), reason=data.reason, actor=request.user)


@router.get("/operators/{code}/bases/{base}/plots", response=Page[PlotOut], summary="基地的地块")
@requires_api(Action.VIEW_OPERATORS)
def list_plots(request: SignedInRequest, code: str, base: str, paging: Query[Paging]) -> dict[str, Any]:
    """使用中的在前。"""
    return paged(plots_of(base_of(code, base, request.user)), paging)


@router.post("/operators/{code}/bases/{base}/plots", response={201: PlotOut}, summary="登记地块")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def create_plot(request: SignedInRequest, code: str, base: str, data: PlotIn) -> Status[Plot]:
    """一个基地里可以有几个地块，名称不能相同。"""
    held = editable_base(code, base, request.user)
    return Status(201, add_plot(base=held, actor=request.user, **_plot_inputs(data)))


@router.patch("/operators/{code}/bases/{base}/plots/{uid}", response=PlotOut, summary="修改、停用地块")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def patch_plot(request: SignedInRequest, code: str, base: str, uid: UUID, data: PlotChangeIn) -> Plot:
    """只改给出的项目。"""
    plot = plot_of(editable_base(code, base, request.user), uid)
    if data.closed:
        return close_plot(plot=plot, actor=request.user)
    return change_plot(plot=plot, actor=request.user, seen=data.version, **_plot_inputs(data))


def _base_inputs(data: BaseIn | BaseChangeIn) -> BaseInputs:
    """What was given, by the names of the service; what was left out is left out."""
    values = data.dict(exclude_unset=True, exclude={"version", "longitude", "latitude", "region"})
    for name in ("soil", "water", "facility"):
        if name in values:
            values[name] = values[name] or ""
    if data.model_fields_set & {"longitude", "latitude"}:
        values["point"] = data.point
    if data.region is not None:
        values["region"] = region_of(data.region)
    return cast(BaseInputs, values)


def _plot_inputs(data: PlotIn | PlotChangeIn) -> PlotInputs:
    values = data.dict(exclude_unset=True, exclude={"version", "closed", "product"})
    if "product" in data.model_fields_set:
        values["product"] = _product(data.product) if data.product else None
    return cast(PlotInputs, values)


def _product(code: str) -> Product:
    product = Product.objects.filter(code=code).first()
    if product is None:
        raise Misfilled("product_unknown", "没有这个产品代码", field="product")
    return product
