"""Making, dividing, joining and selling lots (批次). Every change holds the row lock of the lot it takes from."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.catalogue.models import Product, Unit
from nongma.codes.models import CodeRange
from nongma.codes.services import take
from nongma.lib.ids import uuid7
from nongma.lib.refused import Misfilled, Refused
from nongma.registry.directory.marks import note_code_used
from nongma.registry.models import NOT_TRADING, Base, Operator, OperatorMember
from nongma.tracing import queries
from nongma.tracing.events import note, note_all
from nongma.tracing.models import Lot, LotEntry, LotLink, TraceEvent, Transfer

COUNTED_UNITS = {Unit.HEAD, Unit.BIRD, Unit.HIVE, Unit.EGG, Unit.FISH, Unit.BOX, Unit.PIECE}
LARGEST = Decimal("99999999999.999")
# A harvest is registered when it happens; a day further back than a season is a slip of the year, or a date made up.
OLDEST_HARVEST = timedelta(days=365)
LOCK_OWN = """
    SELECT lot.frozen_at, lot.recalled_at, operator.status,
           EXISTS (SELECT FROM registry_operatormember WHERE operator_id = operator.id AND user_id = %s)
    FROM tracing_lot AS lot JOIN registry_operator AS operator ON operator.id = lot.operator_id
    WHERE lot.id = %s
    FOR UPDATE OF lot
"""
Reason = LotEntry.Reason
Step = TraceEvent.Step


@transaction.atomic
def harvest_lot(*, base: Base, product: Product, quantity: Decimal, unit: str, harvested_on: date, actor: User) -> Lot:
    """Register what was harvested from a base on a day as one lot, with its code (采收登记、赋码).

    Refuses `not_own_base`, `operator_not_approved`, `base_closed`, `unit_not_traded`, `in_future`, `too_long_ago`
    and what `checked_quantity` refuses.
    """
    base = Base.objects.select_related("operator").get(pk=base.pk)
    operator = base.operator
    if not _is_member(operator, actor):
        raise Refused("not_own_base", "只能登记本主体基地的采收", field="base")
    check_trading(operator)
    if base.closed_on is not None:
        raise Refused("base_closed", "这个基地已经停用，不能再登记采收", field="base")
    if unit not in product.trade_units:
        allowed = "、".join(Unit(each).label for each in product.trade_units)
        raise Refused("unit_not_traded", f"{product}按{allowed}登记", field="unit")
    today = timezone.localdate()
    if harvested_on > today:
        raise Misfilled("in_future", "采收日期不能晚于今天", field="harvested_on")
    if harvested_on < today - OLDEST_HARVEST:
        raise Misfilled("too_long_ago", "采收日期不能早于一年前，请核对年份", field="harvested_on")
    quantity = checked_quantity(quantity, unit)
    lot = _create_lot(
        kind=Lot.Kind.HARVEST,
        operator=operator,
        product=product,
        unit=unit,
        base=base,
        bought=False,
        made_on=harvested_on,
        actor=actor,
    )
    _enter(lot, quantity, Reason.HARVEST, actor)
    note(lot, Step.HARVESTED, quantity=str(quantity), unit=unit, on=harvested_on.isoformat(), base=str(base.uid))
    _record("lot.harvested", lot, actor, quantity=str(quantity), unit=unit)
    return lot


@transaction.atomic
def split_lot(*, lot: Lot, quantities: Sequence[Decimal], actor: User) -> list[Lot]:
    """Divide a lot, or part of it, into new lots (分装). What is not named stays in the lot.

    Refuses `too_few_parts`, `too_many_parts`, `over_balance` and what `_lock_usable` and `checked_quantity` refuse.
    """
    if not quantities:
        raise Misfilled("too_few_parts", "请填写每一份的数量", field="quantities")
    if len(quantities) > 100:
        raise Misfilled("too_many_parts", "一次最多分成 100 份", field="quantities")
    lot = _lock_usable([lot], actor)[0]
    parts = [checked_quantity(quantity, lot.unit, field="quantities") for quantity in quantities]
    _check_balance(lot, sum(parts, Decimal(0)), field="quantities")
    children = _create_lots(
        len(parts),
        kind=Lot.Kind.SPLIT,
        operator=lot.operator,
        product=lot.product,
        unit=lot.unit,
        base=lot.base,
        bought=lot.bought,
        made_on=timezone.localdate(),
        actor=actor,
    )
    _move([(lot, child, quantity) for child, quantity in zip(children, parts, strict=True)], Reason.SPLIT, actor)
    note_all(children, Step.SPLIT, unit=lot.unit, source=lot.code)
    named = [[child.code, str(quantity)] for child, quantity in zip(children, parts, strict=True)]
    note(lot, Step.SPLIT, unit=lot.unit, parts=named)
    _record("lot.split", lot, actor, parts=named)
    return children


@transaction.atomic
def mix_lots(*, parts: Sequence[tuple[Lot, Decimal | None]], actor: User) -> Lot:
    """Join lots of one product, unit and operator into a new one (混装); None takes all that is left of a lot.

    Refuses `too_few_parts`, `too_many_parts`, `same_lot_twice`, `different_operator`, `different_product`,
    `different_unit`, `over_balance`, `nothing_left` and what `_lock_usable` and `checked_quantity` refuse.
    """
    if len(parts) < 2:
        raise Misfilled("too_few_parts", "混装至少要两个批次", field="lots")
    if len(parts) > 100:
        raise Misfilled("too_many_parts", "一次最多混装 100 个批次", field="lots")
    wanted = {lot.pk: quantity for lot, quantity in parts}
    if len(wanted) < len(parts):
        raise Misfilled("same_lot_twice", "同一批次只能选一次", field="lots")
    sources = _lock_usable([lot for lot, _ in parts], actor)
    first = sources[0]
    if any(source.operator_id != first.operator_id for source in sources):
        raise Refused("different_operator", "只能混装同一主体的批次", field="lots")
    if any(source.product_id != first.product_id for source in sources):
        raise Refused("different_product", "只能混装同一产品的批次", field="lots")
    if any(source.unit != first.unit for source in sources):
        raise Refused("different_unit", "只能混装同一单位的批次", field="lots")
    balances = queries.balances(sources)
    amounts = []
    for source in sources:
        quantity = wanted[source.pk]
        if quantity is None:
            quantity = balances[source.pk]
            if quantity <= 0:
                raise Refused("nothing_left", f"批次 {source.code} 已没有余量", field="lots")
        quantity = checked_quantity(quantity, source.unit, field="lots")
        _refuse_over(quantity, balances[source.pk], source, field="lots")
        amounts.append(quantity)
    bases = {source.base_id for source in sources}
    mixed = _create_lot(
        kind=Lot.Kind.MIX,
        operator=first.operator,
        product=first.product,
        unit=first.unit,
        base=first.base if len(bases) == 1 else None,
        bought=any(source.bought for source in sources),
        made_on=timezone.localdate(),
        actor=actor,
    )
    _move([(source, mixed, quantity) for source, quantity in zip(sources, amounts, strict=True)], Reason.MIX, actor)
    note_all(sources, Step.MIXED, unit=mixed.unit, into=mixed.code)
    named = [[source.code, str(quantity)] for source, quantity in zip(sources, amounts, strict=True)]
    note(mixed, Step.MIXED, unit=mixed.unit, sources=named)
    _record("lot.mixed", mixed, actor, sources=named)
    return mixed


@transaction.atomic
def transfer_lot(
    *, lot: Lot, quantity: Decimal, actor: User, buyer: Operator | None = None, buyer_name: str = ""
) -> Transfer:
    """Sell part or all of a lot: to a registered operator, who gets a lot of its own, or to anybody else by name.

    Refuses `buyer_missing`, `buyer_twice`, `buyer_is_seller`, `operator_not_approved`, `over_balance` and what
    `_lock_usable` and `checked_quantity` refuse.
    """
    buyer_name = buyer_name.strip()
    if buyer is None and not buyer_name:
        raise Misfilled("buyer_missing", "请填写购买方", field="buyer")
    if buyer is not None and buyer_name:
        raise Misfilled("buyer_twice", "已登记的主体和未登记的名称只填一项", field="buyer_name")
    lot = _lock_usable([lot], actor)[0]
    if buyer is not None:
        if buyer.pk == lot.operator_id:
            raise Refused("buyer_is_seller", "购买方不能是本主体", field="buyer")
        buyer = Operator.objects.get(pk=buyer.pk)
        check_trading(buyer, field="buyer")
    quantity = checked_quantity(quantity, lot.unit)
    _check_balance(lot, quantity)
    uid = uuid7()
    received = None
    if buyer is None:
        _enter(lot, -quantity, Reason.TRANSFER, actor, cause=uid)
    else:
        received = _create_lot(
            kind=Lot.Kind.PURCHASE,
            operator=buyer,
            product=lot.product,
            unit=lot.unit,
            base=lot.base,
            bought=True,
            made_on=timezone.localdate(),
            actor=actor,
        )
        _move([(lot, received, quantity)], Reason.TRANSFER, actor, cause=uid)
        note(received, Step.BOUGHT, quantity=str(quantity), unit=lot.unit, source=lot.code)
    transfer = Transfer.objects.create(
        uid=uid,
        lot=lot,
        seller=lot.operator,
        buyer=buyer,
        buyer_name=buyer_name,
        received=received,
        quantity=quantity,
        state=Transfer.State.DELIVERED,
        created_by=actor,
    )
    into = {"into": received.code} if received else {}
    note(lot, Step.SOLD, quantity=str(quantity), unit=lot.unit, **into)
    _record("lot.transferred", lot, actor, quantity=str(quantity), unit=lot.unit, transfer=str(uid), **into)
    return transfer


@transaction.atomic
def record_loss(*, lot: Lot, quantity: Decimal, actor: User) -> LotEntry:
    """Write off what spoiled or was lost (损耗). Refuses `over_balance` and what `_lock_usable` refuses."""
    lot = _lock_usable([lot], actor)[0]
    quantity = checked_quantity(quantity, lot.unit)
    _check_balance(lot, quantity)
    entry = _enter(lot, -quantity, Reason.LOSS, actor)
    note(lot, Step.LOST, quantity=str(quantity), unit=lot.unit)
    _record("lot.lost", lot, actor, quantity=str(quantity), unit=lot.unit)
    return entry


def checked_quantity(quantity: Decimal, unit: str, *, field: str = "quantity") -> Decimal:
    """The quantity with three decimals.

    Refuses `not_positive`, `too_large`, `too_fine` (more than three decimals) and `not_whole` for what is counted.
    """
    if not quantity.is_finite() or quantity <= 0:
        raise Misfilled("not_positive", "数量要大于 0", field=field)
    if quantity > LARGEST:
        raise Misfilled("too_large", "数量太大，请检查单位", field=field)
    exact = quantity.quantize(Decimal("0.001"))
    if exact != quantity:
        raise Misfilled("too_fine", "数量最多三位小数", field=field)
    if unit in COUNTED_UNITS and exact != exact.to_integral_value():
        raise Misfilled("not_whole", f"按{Unit(unit).label}登记时数量要是整数", field=field)
    return exact


def check_trading(operator: Operator, *, field: str = "") -> None:
    """Refuse `operator_not_approved` for an operator that is suspended or cancelled; one not claimed yet may trade."""
    if operator.status in NOT_TRADING:
        raise Refused("operator_not_approved", f"该主体{Operator.Status(operator.status).label}，不能办理", field=field)


def _is_member(operator: Operator, actor: User) -> bool:
    return OperatorMember.objects.open().filter(operator=operator, user=actor).exists()


def _lock_usable(lots: Sequence[Lot], actor: User) -> list[Lot]:
    """The lots under their row locks, in the order of their ids so that two callers never wait for each other.

    Refuses `not_own_lot`, `operator_not_approved`, `lot_recalled` and `lot_frozen`.
    """
    own = set(OperatorMember.objects.open().filter(user=actor).values_list("operator_id", flat=True))
    locked = list(
        Lot.objects.select_for_update(of=("self",))
        .select_related("operator", "product", "base")
        .filter(pk__in=[lot.pk for lot in lots])
        .order_by("pk")
    )
    for lot in locked:
        if lot.operator_id not in own:
            raise Refused("not_own_lot", "只能办理本主体的批次")
        check_trading(lot.operator)
        check_sound(lot)
    return locked


def lock_own(lot: Lot, actor: User) -> None:
    """Take the row lock of a lot at hand and see that its operator, one of the actor's, may still use it.

    One statement in place of `_lock_usable`'s joins, for who already knows what the lot is. Refuses `not_own_lot`,
    `operator_not_approved`, `lot_recalled` and `lot_frozen`.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK_OWN, [actor.pk, lot.pk])
        row = cursor.fetchone()
    if row is None or not row[-1]:
        raise Refused("not_own_lot", "只能办理本主体的批次")
    lot.frozen_at, lot.recalled_at, lot.operator.status, _ = row
    check_trading(lot.operator)
    check_sound(lot)


def check_sound(lot: Lot) -> None:
    """Refuse `lot_recalled` and `lot_frozen`."""
    if lot.recalled_at:
        raise Refused("lot_recalled", f"批次 {lot.code} 已召回，不能再办理")
    if lot.frozen_at:
        raise Refused("lot_frozen", f"批次 {lot.code} 已被监管部门冻结，解除后才能办理")


def _check_balance(lot: Lot, quantity: Decimal, *, field: str = "quantity") -> None:
    _refuse_over(quantity, queries.balance(lot), lot, field=field)


def _refuse_over(quantity: Decimal, balance: Decimal, lot: Lot, *, field: str) -> None:
    if quantity > balance:
        left = f"{balance.normalize():f} {Unit(lot.unit).label}"
        raise Refused("over_balance", f"批次 {lot.code} 只剩 {left}", field=field)


def _create_lot(**fields: Any) -> Lot:
    return _create_lots(1, **fields)[0]


def _create_lots(count: int, *, operator: Operator, actor: User, **fields: Any) -> list[Lot]:
    """Lots that are alike, each with a code of its own and an empty ledger."""
    first = take(count)
    lots = [
        Lot(serial=serial, operator=operator, region_id=operator.region_id, created_by=actor, **fields)
        for serial in range(first, first + count)
    ]
    CodeRange.objects.bulk_create(
        [CodeRange(start=lot.serial, stop=lot.serial + 1, kind=CodeRange.Kind.LOT, subject=lot.uid) for lot in lots]
    )
    note_code_used(operator)
    return Lot.objects.bulk_create(lots)


def _enter(lot: Lot, quantity: Decimal, reason: LotEntry.Reason, actor: User, *, cause: UUID | None = None) -> LotEntry:
    return LotEntry.objects.create(lot=lot, quantity=quantity, reason=reason, actor=actor, cause=cause)


def _move(
    moves: Sequence[tuple[Lot, Lot, Decimal]], reason: LotEntry.Reason, actor: User, *, cause: UUID | None = None
) -> None:
    """Take each quantity out of one ledger and into another, and link the two lots. `cause` is the new lot if None."""
    LotEntry.objects.bulk_create(
        [
            LotEntry(lot=lot, quantity=signed, reason=reason, actor=actor, cause=cause or target.uid)
            for source, target, quantity in moves
            for lot, signed in ((source, -quantity), (target, quantity))
        ]
    )
    LotLink.objects.bulk_create(
        [LotLink(parent=source, child=target, quantity=quantity) for source, target, quantity in moves]
    )


def _record(action: str, lot: Lot, actor: User, **details: Any) -> None:
    record(action, actor=actor, target=lot, region_code=lot.region_id, **details)
