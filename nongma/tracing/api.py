from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import authenticated, idempotent, requires_api
from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.catalogue.queries import find_product
from nongma.codes.codec import decode
from nongma.lib.paging import Page, Paging, paged
from nongma.regions.queries import find_region
from nongma.regions.spans import Span
from nongma.registry.models import Base
from nongma.registry.names import public_name
from nongma.tracing import queries
from nongma.tracing.models import Lot, Transfer
from nongma.tracing.queries import Direction
from nongma.tracing.recalls import freeze_lot, recall_lot, unfreeze_lot
from nongma.tracing.services import harvest_lot, mix_lots, record_loss, split_lot, transfer_lot

router = Router(tags=["批次与追溯"])

Quantity = Annotated[Decimal, Field(max_digits=14, decimal_places=3, examples=["500"], description="十进制文本")]
Code = Annotated[str, Field(pattern=r"^\d{20}$", examples=["10000000000000000000"], description="20 位码")]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
RegionCode = Annotated[str, Field(max_length=12, description="12 位区划代码，或它的前 2、4、6、9 位")]


class NamedCode(Schema):
    """Something by its printed code and its name."""

    code: str
    name: str


class LotOut(Schema):
    """A lot (批次) and what is left of it."""

    code: str
    kind: Lot.Kind
    product: str
    product_code: str
    unit: Unit
    balance: Decimal = Field(description="剩余数量")
    operator: NamedCode
    base: NamedCode | None = Field(description="产地基地；来自多个基地时为空")
    place: str = Field(description="产地；来自多个基地时为主体所在地")
    made_on: date = Field(description="采收、收购或分装混装的日期")
    bought: bool = Field(description="是不是（含有）收购来的")
    state: Lot.State
    recall_reason: str
    freeze_reason: str
    created_at: datetime
    url: str

    @staticmethod
    def resolve_product(lot: Lot) -> str:
        return lot.product.name

    @staticmethod
    def resolve_product_code(lot: Lot) -> str:
        return lot.product.code

    @staticmethod
    def resolve_place(lot: Lot) -> str:
        return str(lot.base.region if lot.base else lot.region)


class LotIn(Schema):
    """A harvest to register (采收登记)."""

    product: str = Field(max_length=40, description="产品代码或正式名称", examples=["豇豆"])
    quantity: Quantity
    unit: str = Field(max_length=8, examples=["kg"])
    base: Code | None = Field(None, description="基地码；不填时取种这个产品的基地，或唯一的（第一个）基地")
    harvested_on: date = Field(description="不晚于今天，不早于一年前")


class LotFilter(Schema):
    """Which lots are meant."""

    product: str = Field("", max_length=40, description="产品名称、别名的一部分，或产品代码")
    state: Lot.State | None = None
    region: RegionCode = ""


class SplitIn(Schema):
    """The parts to divide a lot into."""

    quantities: list[Quantity] = Field(min_length=1, max_length=100)


class MixPart(Schema):
    """So much of another lot; all that is left of it without a quantity."""

    lot: Code
    quantity: Quantity | None = None


class MixIn(Schema):
    """What is poured together with the lot in the address (混装)."""

    quantity: Quantity | None = Field(None, description="本批次投入多少；不填为全部剩余")
    lots: list[MixPart | Code] = Field(min_length=1, max_length=99, description="其他批次：批次码，或批次码和数量")


class TransferIn(Schema):
    """To whom how much is sold (交易)."""

    quantity: Quantity
    buyer: Code | None = Field(None, description="购买方主体码；没有登记的填 buyer_name")
    buyer_name: str = Field("", max_length=100)


class TransferOut(Schema):
    """A transfer, and the buyer's new lot when the buyer is registered."""

    id: str
    lot: str
    quantity: Decimal
    unit: Unit
    buyer: NamedCode | None = Field(description="农户等个人的姓名只显示姓")
    buyer_name: str
    received: str | None = Field(description="购买方得到的批次码")
    state: Transfer.State
    created_at: datetime

    @staticmethod
    def resolve_id(transfer: Transfer) -> str:
        return str(transfer.uid)

    @staticmethod
    def resolve_lot(transfer: Transfer) -> str:
        return transfer.lot.code

    @staticmethod
    def resolve_unit(transfer: Transfer) -> str:
        return transfer.lot.unit

    @staticmethod
    def resolve_buyer(transfer: Transfer) -> dict[str, str] | None:
        """Whoever sells need not know a household's name: it is masked, as on the page."""
        return {"code": transfer.buyer.code, "name": public_name(transfer.buyer)} if transfer.buyer else None

    @staticmethod
    def resolve_received(transfer: Transfer) -> str | None:
        return transfer.received.code if transfer.received else None


class LossIn(Schema):
    """How much was lost (损耗)."""

    quantity: Quantity


class ReasonIn(Schema):
    """Why a lot is stopped or let go."""

    reason: Reason


class LotsOut(Schema):
    """The lots that were made."""

    lots: list[LotOut]


class RecallOut(Schema):
    """The recalled lot and all lots that went with it."""

    code: str
    recalled: list[str] = Field(description="一起召回的全部批次码，本批次在前")


class NodeOut(Schema):
    """A lot of a trace. One that the caller may not see tells what its code tells anybody who scans it."""

    code: str
    product: str
    made_on: date
    depth: int = Field(description="离所查批次几步：来源为负，去向为正")
    state: Lot.State
    visible: bool
    kind: Lot.Kind | None = None
    unit: Unit | None = None
    operator: NamedCode | None = None
    base: NamedCode | None = None


class LinkOut(Schema):
    """So much of one lot went into another. How much is told to whoever may see one of the two."""

    parent: str
    child: str
    quantity: Decimal | None


class TraceOut(Schema):
    """Where a lot came from and where it went (追溯链)."""

    lot: str
    direction: Direction
    nodes: list[NodeOut]
    links: list[LinkOut]
    truncated: bool = Field(description="超过 5,000 条来源去向时为真，离得近的在前")


@router.post("/lots", auth=authenticated, response={201: LotOut}, summary="登记采收", operation_id="harvest_lot")
@requires_api(Action.HANDLE_LOTS)
@idempotent
def harvest(request: SignedInRequest, given: LotIn) -> Any:
    """登记一批采收，得到批次码。"""
    product = find_product(given.product)
    if product is None:
        raise input_fault("product", "product_unknown", "没有这种产品")
    lot = harvest_lot(
        base=_base(given.base, product, request.user),
        product=product,
        quantity=given.quantity,
        unit=given.unit,
        harvested_on=given.harvested_on,
        actor=request.user,
    )
    return Status(201, _shown(lot, request.user))


@router.get("/lots", auth=authenticated, response=Page[LotOut], summary="批次列表", operation_id="lots")
@requires_api(Action.VIEW_LOTS)
def lots(request: SignedInRequest, wanted: Query[LotFilter], paging: Query[Paging]) -> Any:
    """看得到的批次，新的在前。"""
    found = Lot.objects.visible_to(request.user).in_state(wanted.state)
    if wanted.product:
        found = found.filter(product__in=queries.products_named(wanted.product))
    found = found.within(written_span(wanted.region))
    return paged(queries.with_all(found).order_by("-id"), paging)


@router.get("/lots/{code}", auth=authenticated, response=LotOut, summary="一个批次", operation_id="lot")
@requires_api(Action.VIEW_LOTS)
def lot(request: SignedInRequest, code: str) -> Any:
    """一个批次和它的剩余数量。"""
    return _visible(code, request.user)


@router.post(
    "/lots/{code}/split", auth=authenticated, response={201: LotsOut}, summary="分装", operation_id="split_lot"
)
@requires_api(Action.HANDLE_LOTS)
@idempotent
def split(request: SignedInRequest, code: str, given: SplitIn) -> Any:
    """把一个批次的全部或一部分分成几个新批次。"""
    made = split_lot(lot=_own(code, request.user), quantities=given.quantities, actor=request.user)
    shown = queries.with_all(Lot.objects.filter(pk__in=[each.pk for each in made])).order_by("id")
    return Status(201, {"lots": list(shown)})


@router.post("/lots/{code}/mix", auth=authenticated, response={201: LotOut}, summary="混装", operation_id="mix_lots")
@requires_api(Action.HANDLE_LOTS)
@idempotent
def mix(request: SignedInRequest, code: str, given: MixIn) -> Any:
    """和同一主体、产品、单位的其他批次合成一个新批次。"""
    named = [part if isinstance(part, MixPart) else MixPart(lot=part) for part in given.lots]
    serials = {serial for part in named if (serial := decode(part.lot)) is not None}
    known = {each.code: each for each in Lot.objects.editable_by(request.user).filter(serial__in=serials)}
    missing = [part.lot for part in named if part.lot not in known]
    if missing:
        raise input_fault("lots", "lot_unknown", f"没有这个批次：{missing[0]}")
    first = (_own(code, request.user), given.quantity)
    parts = [first, *((known[part.lot], part.quantity) for part in named)]
    return Status(201, _shown(mix_lots(parts=parts, actor=request.user), request.user))


@router.post(
    "/lots/{code}/transfer",
    auth=authenticated,
    response={201: TransferOut},
    summary="交易",
    operation_id="transfer_lot",
)
@requires_api(Action.HANDLE_LOTS)
@idempotent
def transfer(request: SignedInRequest, code: str, given: TransferIn) -> Any:
    """把一个批次的全部或一部分卖给另一个主体（对方得到新批次），或卖给没有登记的购买方。"""
    made = transfer_lot(
        lot=_own(code, request.user),
        quantity=given.quantity,
        buyer=queries.buyer_of(given.buyer) if given.buyer else None,
        buyer_name=given.buyer_name,
        actor=request.user,
    )
    return Status(201, made)


@router.post("/lots/{code}/loss", auth=authenticated, response={201: LotOut}, summary="损耗", operation_id="lose_lot")
@requires_api(Action.HANDLE_LOTS)
@idempotent
def loss(request: SignedInRequest, code: str, given: LossIn) -> Any:
    """登记损耗，从剩余数量里扣除。"""
    found = _own(code, request.user)
    record_loss(lot=found, quantity=given.quantity, actor=request.user)
    return Status(201, _shown(found, request.user))


@router.post("/lots/{code}/recall", auth=authenticated, response=RecallOut, summary="召回", operation_id="recall_lot")
@requires_api(Action.RECALL_LOTS)
@idempotent
def recall(request: SignedInRequest, code: str, given: ReasonIn) -> Any:
    """召回一个批次，连同由它分装、混装、售出的全部批次。不能撤销。"""
    found = get_object_or_404(Lot.objects.recallable_by(request.user).coded(code))
    reached = recall_lot(lot=found, reason=given.reason, actor=request.user)
    return {"code": code, "recalled": [each.code for each in reached]}


@router.post("/lots/{code}/freeze", auth=authenticated, response=LotOut, summary="冻结", operation_id="freeze_lot")
@requires_api(Action.RECALL_LOTS)
@idempotent
def freeze(request: SignedInRequest, code: str, given: ReasonIn) -> Any:
    """监管机构冻结一个批次，直到解除。"""
    found = _watched(code, request.user)
    freeze_lot(lot=found, reason=given.reason, actor=request.user)
    return _shown(found, request.user)


@router.post(
    "/lots/{code}/unfreeze", auth=authenticated, response=LotOut, summary="解除冻结", operation_id="unfreeze_lot"
)
@requires_api(Action.RECALL_LOTS)
@idempotent
def unfreeze(request: SignedInRequest, code: str, given: ReasonIn) -> Any:
    """监管机构解除冻结。"""
    found = _watched(code, request.user)
    unfreeze_lot(lot=found, reason=given.reason, actor=request.user)
    return _shown(found, request.user)


@router.get("/lots/{code}/trace", auth=authenticated, response=TraceOut, summary="追溯", operation_id="trace_lot")
@requires_api(Action.VIEW_LOTS)
def trace(request: SignedInRequest, code: str, direction: Direction = Direction.BOTH) -> Any:
    """一个批次从哪里来、到哪里去。看不到的批次只给批次码、产品、日期和状态，两头都看不到的不给数量。"""
    found = queries.trace(_visible(code, request.user), direction, request.user)
    codes = {node.lot.pk: node.lot.code for node in found.nodes}
    seen = {node.lot.pk for node in found.nodes if node.visible}
    return {
        "lot": found.lot.code,
        "direction": direction,
        "nodes": [_node(node) for node in found.nodes],
        "links": [
            {
                "parent": codes[link.parent_id],
                "child": codes[link.child_id],
                "quantity": link.quantity if seen & {link.parent_id, link.child_id} else None,
            }
            for link in found.links
        ],
        "truncated": found.truncated,
    }


def _node(node: queries.Node) -> dict[str, Any]:
    lot = node.lot
    told = {
        "code": lot.code,
        "product": lot.product.name,
        "made_on": lot.made_on,
        "depth": node.depth,
        "state": lot.state,
        "visible": node.visible,
    }
    if node.visible:
        told |= {"kind": lot.kind, "unit": lot.unit, "operator": lot.operator, "base": lot.base}
    return told


def _base(code: str | None, product: Product, user: User) -> Base:
    if code is None:
        base = queries.base_for(product, user)
        if base is None:
            raise input_fault("base", "base_missing", "还没有登记基地")
        return base
    serial = decode(code)
    found = Base.objects.visible_to(user).select_related("operator").filter(serial=serial).first() if serial else None
    if found is None:
        raise input_fault("base", "base_unknown", "没有这个基地")
    return found


def _visible(code: str, user: User) -> Lot:
    return get_object_or_404(queries.with_all(Lot.objects.visible_to(user).coded(code)))


def _own(code: str, user: User) -> Lot:
    """A lot of the user's own operators: one that may be seen but not handled is 404 too."""
    return get_object_or_404(Lot.objects.editable_by(user).coded(code))


def _watched(code: str, user: User) -> Lot:
    """A lot for whoever watches over it: one that may be seen but not frozen is 404 too."""
    return get_object_or_404(Lot.objects.watched_by(user).coded(code))


def _shown(lot: Lot, user: User) -> Lot:
    """The lot as it is now, with its balance."""
    return queries.with_all(Lot.objects.visible_to(user)).get(pk=lot.pk)


def written_span(code: str) -> Span | None:
    """The area that a filter names by a division code; None for the whole country, 422 for no such division."""
    if not code.strip("0"):
        return None
    region = find_region(code)
    if region is None:
        raise input_fault("region", "unknown_region", "没有这个行政区划，请填 12 位区划代码")
    return region.span


def input_fault(field: str, code: str, message: str) -> ValidationError:
    return ValidationError({field: ValidationError(message, code=code)})
