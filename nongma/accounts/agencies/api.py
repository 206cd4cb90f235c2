from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.agencies.forms import State
from nongma.accounts.agencies.queries import COLUMNS, AgencyFilter, agency_of
from nongma.accounts.api import idempotent, requires_api
from nongma.accounts.models import Agency, Department, User
from nongma.accounts.places.api import Code, span_wanted
from nongma.accounts.services import create_agency, restore_agency, suspend_agency
from nongma.lib.pages import MOST_LISTED
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.refused import Misfilled
from nongma.regions.models import Region
from nongma.regions.queries import find_region

router = Router(tags=["机构和人员"])


class AgencyIn(Schema):
    """An agency to enter."""

    name: str = Field(min_length=1, max_length=100, description="全称")
    region: Code
    kind: Agency.Kind
    department: Department = Department.QUALITY_SAFETY


class HolderOut(Schema):
    """Who holds a post, by name and username."""

    uid: UUID
    username: str
    name: str


class AgencyOut(Schema):
    """An agency (机构)."""

    uid: UUID
    name: str
    region: str = Field(description="12 位区划代码")
    region_name: str
    level: Region.Level = Field(description="0 全国，1 省，2 市，3 县，4 乡镇，5 村")
    kind: Agency.Kind
    department: Department
    parent: UUID | None = Field(description="分配它的账号的监管机构")
    administrator: HolderOut | None = Field(description="平台管理员，还没有的为空")
    suspended_at: datetime | None
    created_at: datetime

    @staticmethod
    def resolve_region(agency: Agency) -> str:
        return agency.region.code_text

    @staticmethod
    def resolve_region_name(agency: Agency) -> str:
        return str(agency.region)

    @staticmethod
    def resolve_parent(agency: Agency) -> UUID | None:
        return agency.parent.uid if agency.parent else None

    @staticmethod
    def resolve_administrator(agency: Agency) -> User | None:
        return agency.administrator


class ReasonIn(Schema):
    """Why something is done that people will ask about."""

    reason: str = Field(min_length=1, max_length=200, description="记入审计")


class AgencyFilters(Schema):
    q: Annotated[str, Field(max_length=60, description="名称的一部分")] = ""
    region: Code | None = None
    level: Region.Level | None = None
    kind: Agency.Kind | None = None
    department: Department | None = None
    state: State | None = Field(None, description="active 在用，vacant 没有平台管理员，suspended 已停用")


@router.get("/agencies", response=Page[AgencyOut], summary="机构名单")
@requires_api(Action.VIEW_ACCOUNTS)
def list_agencies(request: SignedInRequest, filters: Query[AgencyFilters], paging: Query[Paging]) -> dict[str, Any]:
    """自己管的机构，按行政区划排列。"""
    wanted = AgencyFilter(
        q=filters.q,
        region=span_wanted(filters.region),
        level="" if filters.level is None else str(filters.level.value),
        kind=filters.kind or "",
        department=filters.department or "",
        state=filters.state or "",
    )
    found = wanted.apply(Agency.objects.visible_to(request.user))
    ordered = found.order_by(*COLUMNS["region"]).select_related("region", "parent", "administrator")
    return paged(ordered, paging, most_counted=MOST_LISTED)


@router.post("/agencies", response={201: AgencyOut}, summary="建立机构")
@requires_api(Action.MANAGE_ACCOUNTS)
@idempotent
def enter_agency(request: SignedInRequest, data: AgencyIn) -> Status[Agency]:
    """账号由哪个机构分配，平台按规则确定，写在回答的 `parent` 里。"""
    region = find_region(data.region)
    if region is None or region.valid_to:
        raise Misfilled("region_unknown", "没有这个行政区划", field="region")
    agency = create_agency(
        name=data.name, region=region, kind=data.kind, department=data.department, actor=request.user
    )
    return Status(201, agency)


@router.get("/agencies/{uuid:uid}", response=AgencyOut, summary="一个机构")
@requires_api(Action.VIEW_ACCOUNTS)
def get_agency(request: SignedInRequest, uid: UUID) -> Agency:
    """不归自己管的是 404。"""
    return agency_of(uid, request.user)


@router.post("/agencies/{uuid:uid}/suspend", response=AgencyOut, summary="停用机构")
@requires_api(Action.MANAGE_ACCOUNTS)
def suspend_whole_agency(request: SignedInRequest, uid: UUID, data: ReasonIn) -> Agency:
    """它的人员下一次操作起都不能用；任职和记录保留。"""
    suspend_agency(agency=agency_of(uid, request.user), reason=data.reason, actor=request.user)
    return agency_of(uid, request.user)


@router.post("/agencies/{uuid:uid}/restore", response=AgencyOut, summary="恢复机构")
@requires_api(Action.MANAGE_ACCOUNTS)
def restore_whole_agency(request: SignedInRequest, uid: UUID) -> Agency:
    """上级停用的，下级不能恢复。"""
    restore_agency(agency=agency_of(uid, request.user), actor=request.user)
    return agency_of(uid, request.user)
