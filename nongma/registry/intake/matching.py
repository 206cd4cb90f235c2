"""Whether the operator of a line is on file, and in what it stands there otherwise.

By 统一社会信用代码, by the blind index of the 身份证号, and by county, name and phone, as the registry tells operators
apart. What is on file is never overwritten by a sheet: it is told where it differs.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from nongma.accounts.access import Scope
from nongma.lib.fields import blind_indexes_many
from nongma.lib.masking import mask_address, mask_id, mask_name, mask_phone
from nongma.lib.sheets.faults import Fault
from nongma.registry.bulk import OperatorKey, find_operators
from nongma.registry.intake.judging import Judged, Outcome
from nongma.registry.intake.sheet import LABELS
from nongma.registry.intake.words import DIFFERS
from nongma.registry.models import IntakeOperator, Operator, Produce

BY_PHONE = "phone"
UNDONE = "批量登记撤回"
"""How the reason of an operator's closing begins when its load was taken back: a new load opens it again."""

Value = TypeVar("Value", str, bytes)
Stated = dict[int, Decimal | None]


class OnFile:
    """The operators on file that the sound lines of a chunk may be about; a fixed number of statements."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        lines = [one.line for one in judged]
        self._usccs = _ids("uscc", {line.uscc for line in lines if line.uscc})
        numbers = [line.id_number for line in lines if line.id_number]
        keyed = zip(numbers, blind_indexes_many(numbers), strict=True)
        indexed = {index: number for number, indexes in keyed for index in indexes}
        found = _ids("id_index", indexed)
        self._numbers = {indexed[index]: pk for index, pk in found.items()}
        keys = {
            id(one): OperatorKey(one.county, one.line.name or "", one.line.phone) for one in judged if one.line.phone
        }
        known = find_operators(keys.values())
        self._named = {place: known[key].id for place, key in keys.items() if key in known}
        pks = {*self._usccs.values(), *self._numbers.values(), *self._named.values()}
        operators = Operator.objects.filter(pk__in=pks).select_related("region").order_by()
        self._operators = {operator.pk: operator for operator in operators} if pks else {}
        self._stated: dict[int, Stated] = {}
        for one in Produce.objects.filter(operator__in=self._operators) if pks else ():
            self._stated.setdefault(one.operator_id, {})[one.product_id] = one.scale
        closed = [pk for pk, one in self._operators.items() if one.status == Operator.Status.CANCELLED]
        undone = IntakeOperator.objects.filter(operator__in=closed, undone_at__isnull=False) if closed else None
        self._undone = set(undone.values_list("operator", flat=True)) if undone is not None else set()

    def compare(self, judged: Iterable[Judged], scope: Scope) -> None:
        """Say of each sound line what became of it, seen by somebody with this area."""
        for one in judged:
            found = self._found(one)
            if found:
                self._judge(one, found, scope)

    def _found(self, one: Judged) -> dict[str, Operator]:
        pks = {
            "uscc": self._usccs.get(one.line.uscc or ""),
            "id_number": self._numbers.get(one.line.id_number or ""),
            BY_PHONE: self._named.get(id(one)),
        }
        return {name: self._operators[pk] for name, pk in pks.items() if pk}

    def _judge(self, one: Judged, found: dict[str, Operator], scope: Scope) -> None:
        for name, operator in found.items():
            if operator.region_id not in scope:
                what = "同名、同手机号的主体" if name == BY_PHONE else f"这个{LABELS[name]}"
                message = f"{what}已在您的辖区以外登记，请联系上级核对"
                one.faults.append(Fault(name, "on-file-elsewhere", message))
        if one.faults:
            one.outcome = Outcome.FAULTY
            return
        name, operator = next(iter(found.items()))
        one.operator = operator
        if other := next((name for name, held in found.items() if held.pk != operator.pk), None):
            message = f"{LABELS[other]}登记的是另一个主体“{found[other].name}”，请核对"
            one.faults.append(Fault(other, DIFFERS, message))
        elif operator.status == Operator.Status.CANCELLED:
            if operator.pk in self._undone and operator.stopped_for.startswith(UNDONE):
                return
            one.faults.append(Fault(name, DIFFERS, "这个主体已注销，要恢复的请在主体页面办理"))
        else:
            one.faults += differences(one, operator, self._stated.get(operator.pk, {}))
        one.outcome = Outcome.DIFFERS if one.faults else Outcome.UNCHANGED


def differences(one: Judged, operator: Operator, stated: Stated) -> list[Fault]:
    """In what a line says otherwise than what is on file; an empty cell says nothing. Personal data masked."""
    line = one.line
    pairs = (
        ("name", line.name, operator.name, operator.name),
        ("kinds", set(line.kinds or []), set(operator.kinds), operator.kind_names),
        ("uscc", line.uscc, operator.uscc, operator.uscc),
        ("id_number", line.id_number, operator.id_number, mask_id(operator.id_number)),
        ("contact", line.contact, operator.contact, mask_name(operator.contact)),
        ("phone", line.phone, operator.phone, mask_phone(operator.phone)),
        ("town", one.region_code, operator.region_id, operator.region.full_name),
        ("address", line.address, operator.address, mask_address(operator.address)),
        ("industries", set(line.industries or []), set(operator.industries), operator.industry_names),
        (
            "longitude",
            one.longitude and (one.longitude, one.latitude),
            (operator.longitude, operator.latitude),
            f"{operator.longitude},{operator.latitude}" if operator.longitude else "",
        ),
    )
    faults = [
        Fault(field, DIFFERS, f"已登记的是“{shown}”" if shown else "已登记的主体没有这一项")
        for field, said, held, shown in pairs
        if said and said != held
    ]
    for product, _, scale in one.products:
        if product.pk not in stated:
            faults.append(Fault("products", DIFFERS, f"已登记的主要产品里没有“{product.name}”"))
        elif scale is not None and stated[product.pk] != scale:
            held = stated[product.pk]
            faults.append(Fault("scale", DIFFERS, f"已登记的规模是 {held}" if held else "已登记的主体没有填规模"))
    return faults


def _ids(column: str, values: Iterable[Value]) -> dict[Value, int]:
    """The operators on file by a unique column, as it stands there."""
    wanted = list(values)
    if not wanted:
        return {}
    rows = Operator.objects.filter(**{f"{column}__in": wanted}).order_by().values_list(column, "pk")
    return dict(rows)
