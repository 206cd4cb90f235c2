"""The records for programs: the same filters as the table, decisions, points."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.catalogue.models import Industry, Unit
from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.paging import Page, Paging, paged
from nongma.origins import api_imports
from nongma.origins.collecting.bodies import Found, OriginIn, UpdateIn, changed_entry, new_entry
from nongma.origins.collecting.services import collect_origin, update_origin, version_of
from nongma.origins.doubts import api as doubts
from nongma.origins.due import api as api_dues
from nongma.origins.filters import NAMES, OriginFilter
from nongma.origins.models import Origin, ReviewJob
from nongma.origins.queries import origin_of
from nongma.origins.services.locate import locate_origin
from nongma.origins.services.placing import Fix, read_point
from nongma.origins.services.review import (
    AT_ONCE,
    LONGEST_REASON,
    Verdict,
    approve_origin,
    decide_origins,
    return_origin,
    start_review_job,
    waiting_for,
)

router = Router(tags=["产地信息"])
router.add_router("", api_imports.router)
router.add_router("", doubts.router)
router.add_router("", api_dues.router)


class Wanted(Schema):
    """Which records; every condition may be left out."""

    region: str | None = Field(None, description="12 位区划代码；也可以只写前 2、4、6、9 位", examples=["460205000000"])
    product: str | None = Field(None, description="产品代码、名称或编号")
    industry: str | None = Field(None, description="planting、livestock 或 fishery")
    status: str | None = Field(None, description="to_locate、submitted、approved 或 returned")
    scale_min: str | None = Field(None, description="规模不小于")
    scale_max: str | None = Field(None, description="规模不大于")
    on_sale: str | None = Field(None, description="在市月份，如 2026-05", examples=["2026-05"])
    doubt: str | None = Field(None, description="any（有疑点）、none（没有疑点）或疑点的种类，如 town")
    q: str | None = Field(None, description="主体名称中的几个字；只有一个字时，找名称以它开头的")
    import_: str | None = Field(None, alias="import", description="导入的 id")

    def filter_for(self, request: SignedInRequest) -> OriginFilter:
        given = self.model_dump(by_alias=True)
        return OriginFilter.read({name: given[name] or "" for name in NAMES}, request.user)


class OperatorOut(Schema):
    code: str
    name: str


class ProductOut(Schema):
    code: str
    name: str
    industry: Industry


class RegionOut(Schema):
    code: str = Field(description="12 位区划代码")
    name: str

    @staticmethod
    def resolve_code(region: Any) -> str:
        return f"{region.code:012}"

    @staticmethod
    def resolve_name(region: Any) -> str:
        return str(region)


class OriginOut(Schema):
    """A record of 附件1; names of people and phone numbers are masked."""

    id: UUID = Field(validation_alias="uid")
    state: Origin.State
    operator: OperatorOut
    product: ProductOut
    region: RegionOut
    alias: str
    certifications: list[Origin.Certification]
    longitude: Decimal | None
    latitude: Decimal | None
    contact: str
    phone: str
    scale: Decimal
    unit: Unit
    scale_typed: str = Field(description="折算成亩以前填报的规模；没有折算的为空")
    planted_on: date | None = Field(description="移栽定植时间，只有种植产品有")
    on_sale: date | None = Field(validation_alias="on_sale_on")
    off_sale: date | None = Field(validation_alias="off_sale_on")
    methods: list[Origin.Method]
    trace_methods: list[Origin.TraceMethod]
    credit: str
    grid_name: str
    grid_phone: str
    collector: str
    collector_phone: str
    return_reason: str
    reviewed_by: str | None
    reviewed_at: datetime | None
    located_with: str = Field(description="device 手机定位、map 地图点选、typed 手工填写、sheet 表格导入；不知道的为空")
    accuracy_m: Decimal | None = Field(description="手机定位的精度，米")
    base: str = Field(description="基地码")
    version: str = Field(description="内容的版本，更新时作为 `seen` 带上")
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_base(origin: Any) -> str:
        return str(origin.base.code)

    @staticmethod
    def resolve_version(origin: Any) -> str:
        return version_of(origin)

    @staticmethod
    def resolve_contact(origin: Origin) -> str:
        return mask_name(origin.contact)

    @staticmethod
    def resolve_grid_name(origin: Origin) -> str:
        return mask_name(origin.grid_name)

    @staticmethod
    def resolve_collector(origin: Origin) -> str:
        return mask_name(origin.collector_name)

    @staticmethod
    def resolve_phone(origin: Origin) -> str:
        return mask_phone(origin.phone)

    @staticmethod
    def resolve_grid_phone(origin: Origin) -> str:
        return mask_phone(origin.grid_phone)

    @staticmethod
    def resolve_collector_phone(origin: Origin) -> str:
        return mask_phone(origin.collector_phone)

    @staticmethod
    def resolve_reviewed_by(origin: Origin) -> str | None:
        return origin.reviewed_by.name if origin.reviewed_by else None


class Reason(Schema):
    reason: str = Field(max_length=LONGEST_REASON, description="退回原因")


class Place(Found):
    longitude: str | float = Field(description="经度，WGS84；文本要有 6 位小数", examples=["109.158151"])
    latitude: str | float = Field(description="纬度，WGS84；文本要有 6 位小数", examples=["18.435040"])


class Chosen(Wanted, extra="forbid"):
    """A filter that something is decided by: a name that is not known is refused, not passed over."""


class Decision(Schema):
    """A verdict on the records of a list or of a filter."""

    verdict: Verdict
    reason: str = Field("", max_length=LONGEST_REASON, description="退回原因，退回时必填")
    ids: Annotated[list[UUID], Field(min_length=1, max_length=AT_ONCE)] | None = Field(None, description="记录的 id")
    filter: Chosen | None = Field(None, description="或者按筛选条件")


class DecisionOut(Schema):
    decided: int = Field(description="这次处理的条数")
    passed_over: int = Field(description="不是待审核、或者找不到，没有改动的条数")


class DecisionQueued(Schema):
    """A decision on so many records that the worker takes it."""

    id: UUID
    progress: str = Field(description="查进度的地址", examples=["/api/v1/origins/decisions/0193…"])


class DecisionProgress(Schema):
    """How far a decision on many records is."""

    id: UUID = Field(validation_alias="uid")
    verdict: Verdict
    status: ReviewJob.Status
    message: str = Field(description="失败的原因；正常时为空")
    total: int = Field(description="提交时待审核的条数")
    decided: int = Field(description="已处理的条数")
    created_at: datetime
    finished_at: datetime | None


@router.get("/origins", response=Page[OriginOut], summary="产地信息列表", operation_id="origins")
@requires_api(Action.VIEW_ORIGINS)
def origins(request: SignedInRequest, wanted: Query[Wanted], paging: Query[Paging]) -> Any:
    """按区划顺序，只含现行记录（不含已被更新的）。"""
    found = wanted.filter_for(request).visible_to(request.user)
    rows = found.select_related("operator", "base", "product", "region", "reviewed_by").order_by("region_id", "id")
    return paged(rows, paging)


@router.post("/origins", response={201: OriginOut}, summary="采集一条产地信息", operation_id="collect_origin")
@requires_api(Action.ENTER_ORIGIN)
@idempotent
def collect(request: SignedInRequest, data: OriginIn) -> Status[Origin]:
    """机构人员在辖区内采集；主体审核通过的，主体人员可以自行采集。保存后等待县级审核；没有点位的存为待定位。"""
    entry = new_entry(data, request.user)
    fix = Fix.read(data.dict())
    made = collect_origin(entry=entry, fix=fix, locate_later=data.locate_later, actor=request.user)
    return Status(201, origin_of(made.uid, request.user))


@router.post(
    "/origins/decide",
    response={200: DecisionOut, 202: DecisionQueued},
    summary="批量审核",
    operation_id="decide_origins",
)
@requires_api(Action.REVIEW_ORIGINS)
@idempotent
def decide(request: SignedInRequest, response: HttpResponse, decision: Decision) -> Any:
    """通过或退回 `ids` 列出的（最多 2,000 条）或 `filter` 筛选出的全部待审核记录；其他的不动，计入 `passed_over`。

    `filter` 筛选出的待审核记录超过 2,000 条时在后台处理，回答 202：`id` 是这次审核的编号，到 `progress`
    （也在 `Location` 头里）查进度。提交之后才改动过的记录不在其中。
    """
    if (decision.ids is None) == (decision.filter is None):
        raise ValidationError({"ids": ValidationError("ids 和 filter 要填一个，也只能填一个", code="one_of")})
    filters = decision.filter.filter_for(request) if decision.filter is not None else None
    if filters is not None:
        chosen = filters.visible_to(request.user)
        if waiting_for(request.user, chosen).order_by()[AT_ONCE : AT_ONCE + 1].exists():
            job = start_review_job(
                filters=filters.parameters(),
                description=filters.describe(),
                origins=chosen,
                until=timezone.now(),
                verdict=Verdict(decision.verdict),
                reason=decision.reason,
                actor=request.user,
            )
            progress = reverse("api-1:decision", args=[job.uid])
            response["Location"] = progress
            return 202, {"id": job.uid, "progress": progress}
    else:
        chosen = Origin.objects.visible_to(request.user).filter(uid__in=decision.ids or [])
    done = decide_origins(
        origins=chosen,
        verdict=Verdict(decision.verdict),
        reason=decision.reason,
        doubt=filters.doubt_kind if filters else None,
        actor=request.user,
    )
    return replace(done, passed_over=len(set(decision.ids)) - done.decided) if decision.ids else done


@router.get(
    "/origins/decisions/{uuid:uid}",
    response=DecisionProgress,
    summary="批量审核的进度",
    operation_id="decision",
    url_name="decision",
)
@requires_api(Action.REVIEW_ORIGINS)
def decision_progress(request: SignedInRequest, uid: UUID) -> Any:
    """自己提交的一次后台审核：状态和已处理的条数。"""
    return get_object_or_404(ReviewJob.objects.visible_to(request.user), uid=uid)


@router.get("/origins/{uuid:uid}", response=OriginOut, summary="一条产地信息", operation_id="origin")
@requires_api(Action.VIEW_ORIGINS)
def origin(request: SignedInRequest, uid: UUID) -> Any:
    """按 id 取一条，已被更新的也能取到。"""
    return origin_of(uid, request.user)


@router.put("/origins/{uuid:uid}", response=OriginOut, summary="更新一条产地信息", operation_id="update_origin")
@requires_api(Action.ENTER_ORIGIN)
def update(request: SignedInRequest, uid: UUID, data: UpdateIn) -> Any:
    """主体、产品和村不变。得到一条等待审核的新记录，原来的变为已更新；别人先更新了的回答 409 `changed_meanwhile`。"""
    old = origin_of(uid, request.user)
    entry, fix = changed_entry(data, old, request.user), Fix.read(data.dict())
    made = update_origin(origin=old, entry=entry, fix=fix, seen=data.seen, actor=request.user)
    return origin_of(made.uid, request.user)


@router.post("/origins/{uuid:uid}/approve", response=OriginOut, summary="审核通过", operation_id="approve_origin")
@requires_api(Action.REVIEW_ORIGINS)
def approve(request: SignedInRequest, uid: UUID) -> Any:
    """通过一条待审核的记录；别人已经处理过的回答 409 `already_decided`。"""
    approve_origin(origin=origin_of(uid, request.user), actor=request.user)
    return origin_of(uid, request.user)


@router.post("/origins/{uuid:uid}/return", response=OriginOut, summary="退回", operation_id="return_origin")
@requires_api(Action.REVIEW_ORIGINS)
def send_back(request: SignedInRequest, uid: UUID, body: Reason) -> Any:
    """退回一条待审核的记录，写明原因；别人已经处理过的回答 409 `already_decided`。"""
    return_origin(origin=origin_of(uid, request.user), reason=body.reason, actor=request.user)
    return origin_of(uid, request.user)


@router.post("/origins/{uuid:uid}/locate", response=OriginOut, summary="补点位", operation_id="locate_origin")
@requires_api(Action.ENTER_ORIGIN)
def locate(request: SignedInRequest, uid: UUID, place: Place) -> Any:
    """给待定位的记录补上现场采集的点位，随后等待审核。"""
    found = origin_of(uid, request.user)
    longitude, latitude = read_point(place.longitude, place.latitude)
    fix = Fix.read(place.dict())
    locate_origin(origin=found, longitude=longitude, latitude=latitude, fix=fix, actor=request.user)
    return origin_of(uid, request.user)
