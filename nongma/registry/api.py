from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from ninja import Query, Router, Schema, Status
from pydantic import Field, ValidationInfo, field_validator

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.catalogue.models import Industry
from nongma.lib import phones
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE
from nongma.registry import identity
from nongma.registry.models import Operator, OperatorKind
from nongma.registry.queries import OperatorFilter, operator_of
from nongma.registry.services import Decision, Point, register_operator, review_operator

router = Router(tags=["主体"])

Longitude = Annotated[Decimal, Field(ge=-180, le=180, max_digits=9, decimal_places=6)]
Latitude = Annotated[Decimal, Field(ge=-90, le=90, max_digits=9, decimal_places=6)]
RegionCode = Annotated[int, Field(gt=0, lt=10**12, description="区划代码，12 位；2、4、6、9 位的补零")]


class PlaceOut(Schema):
    """A division by code and names."""

    code: str
    path: str

    @staticmethod
    def resolve_code(region: Region) -> str:
        return f"{region.code:012d}"

    @staticmethod
    def resolve_path(region: Region) -> str:
        return region.full_name


class PointIn(Schema):
    """A position in WGS84 degrees, both parts or none."""

    longitude: Longitude | None = None
    latitude: Latitude | None = Field(None, validate_default=True)

    @field_validator("latitude")
    @classmethod
    def whole(cls, latitude: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if (info.data.get("longitude") is None) != (latitude is None):
            raise ValueError("longitude 和 latitude 要一起给出")
        return latitude

    @property
    def point(self) -> Point | None:
        if self.longitude is None or self.latitude is None:
            return None
        return self.longitude, self.latitude


class OperatorIn(PointIn):
    """An operator to register."""

    kinds: list[OperatorKind] = Field(min_length=1, max_length=len(OperatorKind))
    name: str = Field(min_length=1, max_length=100)
    region: RegionCode
    industries: list[Industry] = Field([], max_length=len(Industry))
    address: str = Field("", max_length=200)
    contact: str = Field("", max_length=60)
    phone: str = Field("", max_length=20, description="手机号")
    uscc: str = Field("", max_length=30, description="统一社会信用代码")
    id_number: str = Field("", max_length=30, description="身份证号，加密保存，不再给出")

    @field_validator("phone")
    @classmethod
    def mobile(cls, text: str) -> str:
        text = phones.tidy(text)
        if text and not phones.is_mobile(text):
            raise ValueError("手机号要 11 位数字，以 13–19 开头")
        return text

    @field_validator("uscc")
    @classmethod
    def credit_code(cls, text: str) -> str:
        return _without_fault(identity.tidy(text), identity.uscc_fault)

    @field_validator("id_number")
    @classmethod
    def identity_number(cls, text: str) -> str:
        return _without_fault(identity.tidy(text), identity.id_fault)


class OperatorOut(Schema):
    """An operator; personal data masked."""

    code: str = Field(description="主体码，20 位")
    name: str
    kinds: list[OperatorKind]
    industries: list[Industry]
    status: Operator.Status
    region: PlaceOut
    address: str = Field(description="没有信用代码的只显示前两个字")
    uscc: str | None
    contact: str = Field(description="只显示第一个字")
    phone: str = Field(description="隐去中间四位")
    longitude: Decimal | None
    latitude: Decimal | None
    created_at: datetime
    reviewed_at: datetime | None
    review_note: str

    @staticmethod
    def resolve_address(operator: Operator) -> str:
        return operator.shown_address

    @staticmethod
    def resolve_contact(operator: Operator) -> str:
        return operator.masked_contact

    @staticmethod
    def resolve_phone(operator: Operator) -> str:
        return operator.masked_phone


class ReturnIn(Schema):
    """Why an operator is returned."""

    reason: str = Field("", max_length=200)
    faults: dict[str, str] = Field({}, max_length=20, description='要改的项目和原因，如 {"name": "写全称"}')


class OperatorFilters(Schema):
    q: Annotated[str, Field(max_length=60, description="名称的一部分，或主体码、信用代码、手机号的全部")] = ""
    kind: OperatorKind | None = None
    status: Operator.Status | None = None
    region: RegionCode | None = None


@router.post("/operators", response={201: OperatorOut}, summary="登记主体")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def create_operator(request: SignedInRequest, data: OperatorIn) -> Status[Operator]:
    """县级审核员登记的直接通过，其他人登记的等待审核。回答里的 `code` 是主体码。"""
    values = data.dict(exclude={"longitude", "latitude", "region"})
    operator = register_operator(actor=request.user, region=region_of(data.region), point=data.point, **values)
    return Status(201, operator)


@router.get("/operators", response=Page[OperatorOut], summary="主体清单")
@requires_api(Action.VIEW_OPERATORS)
def list_operators(request: SignedInRequest, filters: Query[OperatorFilters], paging: Query[Paging]) -> dict[str, Any]:
    """按行政区划排列，联系人和手机打码。"""
    wanted = OperatorFilter(
        q=filters.q,
        kind=filters.kind or "",
        status=filters.status or "",
        region=region_of(filters.region).span if filters.region else EVERYWHERE,
    )
    found = wanted.apply(Operator.objects.visible_to(request.user))
    return paged(found.select_related("region").order_by("region_id", "id"), paging)


@router.get("/operators/{code}", response=OperatorOut, summary="一个主体")
@requires_api(Action.VIEW_OPERATORS)
def get_operator(request: SignedInRequest, code: str) -> Operator:
    """按 20 位主体码取一个主体。"""
    return operator_of(code, request.user)


@router.post("/operators/{code}/approve", response=OperatorOut, summary="主体审核通过")
@requires_api(Action.REVIEW_OPERATORS)
@idempotent
def approve_operator(request: SignedInRequest, code: str) -> Operator:
    """已经有人审核过的回答 409 `already_decided`。"""
    operator = operator_of(code, request.user)
    review_operator(operator=operator, decision=Decision.APPROVE, actor=request.user)
    return operator_of(code, request.user)


@router.post("/operators/{code}/return", response=OperatorOut, summary="退回主体")
@requires_api(Action.REVIEW_OPERATORS)
@idempotent
def return_operator(request: SignedInRequest, code: str, data: ReturnIn) -> Operator:
    """写明原因，主体照着改。"""
    operator = operator_of(code, request.user)
    review_operator(
        operator=operator, decision=Decision.RETURN, actor=request.user, reason=data.reason, faults=data.faults
    )
    return operator_of(code, request.user)


def region_of(code: int) -> Region:
    region = Region.objects.current().filter(pk=int(str(code).ljust(12, "0"))).first()
    if region is None:
        raise Refused("region_unknown", "没有这个行政区划", field="region")
    return region


def _without_fault(number: str, fault_of: Callable[[str], str]) -> str:
    if number and (fault := fault_of(number)):
        raise ValueError(fault)
    return number
