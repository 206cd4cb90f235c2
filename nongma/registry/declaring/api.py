"""What operators declare that they grow or keep, over the API."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from ninja import Router, Schema
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import requires_api
from nongma.catalogue.models import Product, Unit
from nongma.lib.refused import Misfilled
from nongma.registry.declaring.services import MOST_PRODUCTS, change_declared, version_of
from nongma.registry.models import Licence, Operator, Produce
from nongma.registry.queries import editable_of, operator_of
from nongma.registry.self_registration.services import Declared

router = Router(tags=["主体"])


class ProduceIn(Schema):
    """A product and how much of it."""

    product: str = Field(max_length=20, description="产品代码")
    unit: Unit = Field(description="规模的单位")
    scale: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)] | None = None


class ProduceOut(ProduceIn):
    """A product that is declared, by name, too."""

    name: str

    @staticmethod
    def resolve_product(produce: Produce) -> str:
        return produce.product.code

    @staticmethod
    def resolve_name(produce: Produce) -> str:
        return produce.product.name


class DeclaredIn(Schema):
    """All that an operator grows or keeps; what is left out is taken off."""

    produce: list[ProduceIn] = Field(max_length=MOST_PRODUCTS)
    version: str = Field(min_length=1, max_length=64, description="取到的 version")


class DeclaredOut(Schema):
    """What an operator has declared."""

    produce: list[ProduceOut]
    licence_uploaded_at: datetime | None = Field(description="现在的执照照片上传的时间；照片在网页上看和换")
    version: str

    @staticmethod
    def resolve_licence_uploaded_at(operator: Operator) -> datetime | None:
        kept = Licence.objects.current().filter(operator=operator)
        return kept.values_list("uploaded_at", flat=True).first()

    @staticmethod
    def resolve_produce(operator: Operator) -> list[Produce]:
        return list(operator.produce.all())

    @staticmethod
    def resolve_version(operator: Operator) -> str:
        return version_of(operator)


@router.get("/operators/{code}/declared", response=DeclaredOut, summary="主体的产品和规模")
@requires_api(Action.VIEW_OPERATORS)
def get_declared(request: SignedInRequest, code: str) -> Operator:
    """主体自己填的产品、规模，和执照照片什么时候传的。"""
    return operator_of(code, request.user)


@router.put("/operators/{code}/declared", response=DeclaredOut, summary="修改产品和规模")
@requires_api(Action.REGISTER_OPERATOR)
def put_declared(request: SignedInRequest, code: str, data: DeclaredIn) -> Operator:
    """给出全部产品，没有给出的去掉；马上生效。带上取到的 `version`，别人改过就回答 409 `changed_meanwhile`。"""
    operator = editable_of(code, request.user)
    return change_declared(operator=operator, actor=request.user, produce=_produce(data), seen=data.version)


def _produce(data: DeclaredIn) -> list[Declared]:
    products = {one.code: one for one in Product.objects.filter(code__in={row.product for row in data.produce})}
    for place, row in enumerate(data.produce, 1):
        if row.product not in products:
            raise Misfilled("product_unknown", f"第 {place} 种产品：没有这个产品代码", field="produce")
    return [Declared(products[row.product], row.unit.value, row.scale) for row in data.produce]
