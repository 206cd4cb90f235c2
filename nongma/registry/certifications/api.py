from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.catalogue.models import Product
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.refused import Misfilled
from nongma.registry.certifications.queries import certification_of, certifications_of
from nongma.registry.certifications.services import add_certification
from nongma.registry.models import Certification
from nongma.registry.models.certifications import Standing
from nongma.registry.queries import editable_of, operator_of

router = Router(tags=["主体"])


class CertificationIn(Schema):
    """A certification to register."""

    kind: Certification.Kind
    name: str = Field("", max_length=60, description="其他认证写名称")
    number: str = Field(min_length=1, max_length=60, description="证书编号")
    issuer: str = Field("", max_length=100, description="发证机构")
    products: list[str] = Field(min_length=1, max_length=100, description="产品代码")
    from_on: date
    to_on: date | None = Field(None, description="农产品地理标志可以没有")


class CertificationOut(Schema):
    """A certification that an operator holds."""

    uid: UUID
    kind: Certification.Kind
    name: str
    number: str
    issuer: str
    products: list[str] = Field(description="产品代码")
    from_on: date
    to_on: date | None
    state: Standing
    confirmed_on: date | None = Field(description="管理部门核验的日期")
    withdrawn_on: date | None

    @staticmethod
    def resolve_products(held: Certification) -> list[str]:
        return [product.code for product in held.products.all()]

    @staticmethod
    def resolve_state(held: Certification) -> Standing:
        return held.standing(timezone.localdate())


@router.get("/operators/{code}/certifications", response=Page[CertificationOut], summary="主体的认证")
@requires_api(Action.VIEW_OPERATORS)
def list_certifications(request: SignedInRequest, code: str, paging: Query[Paging]) -> dict[str, Any]:
    """后登记的在前。"""
    return paged(certifications_of(operator_of(code, request.user)), paging)


@router.post("/operators/{code}/certifications", response={201: CertificationOut}, summary="登记认证")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def create_certification(request: SignedInRequest, code: str, data: CertificationIn) -> Status[Certification]:
    """证书文件在网页上传。"""
    operator = editable_of(code, request.user)
    products = list(Product.objects.filter(code__in=data.products))
    if len(products) != len(set(data.products)):
        raise Misfilled("product_unknown", "没有这个产品代码", field="products")
    values = data.dict() | {"products": products}
    held = add_certification(operator=operator, actor=request.user, **values)
    return Status(201, certification_of(operator, held.uid))
