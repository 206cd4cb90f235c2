"""What a record says otherwise than the one whose place it took (和上次相比)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from nongma.lib.distances import metres_between, told_metres
from nongma.lib.masking import mask_name, mask_phone
from nongma.origins.models import Origin


class Change(NamedTuple):
    """One item of 附件1, as it was and as it is; `by` says how much, where that can be told."""

    label: str
    before: str
    after: str
    by: str = ""


def _season(origin: Origin) -> str:
    return f"{origin.on_sale_on} 至 {origin.off_sale_on}" if origin.on_sale_on else "不填报"


def _day(value: object) -> str:
    return str(value or "")


ITEMS: tuple[tuple[str, Callable[[Origin], str]], ...] = (
    ("种养殖主体", lambda one: one.operator.name),
    ("产品名称", lambda one: one.product.name),
    ("别名", lambda one: one.alias),
    ("产品认证类型", lambda one: one.certification_names),
    ("基地地址", lambda one: one.region.full_name),
    ("上市至下市", _season),
    ("移栽定植", lambda one: _day(one.planted_on)),
    ("生产方式", lambda one: one.method_names),
    ("追溯方式", lambda one: one.trace_method_names),
    ("信用等级", lambda one: one.credit),
)
PEOPLE = (
    ("联系人", "contact", mask_name),
    ("联系方式", "phone", mask_phone),
    ("网格员", "grid_name", mask_name),
    ("网格员联系方式", "grid_phone", mask_phone),
    ("信息采集员", "collector_name", mask_name),
    ("信息采集员联系方式", "collector_phone", mask_phone),
)


def changes_of(origin: Origin) -> list[Change]:
    """The differences from the record that it supersedes, in the order of the form; none where there is no such one.

    Names and phones are masked; where two look alike masked, that they differ is said in words.
    """
    before = origin.supersedes
    return changes_between(before, origin) if before else []


def changes_between(before: Origin, after: Origin) -> list[Change]:
    """The differences between two records of one base and product, as `changes_of`."""
    return list(_changes(before, after))


def _changes(before: Origin, after: Origin) -> Iterator[Change]:
    for label, said in ITEMS:
        old, new = said(before), said(after)
        if old != new:
            yield Change(label, old or "没有填", new or "没有填")
    if (before.scale, before.unit) != (after.scale, after.unit):
        yield Change("种养规模", _scale(before), _scale(after), _share(before, after))
    if before.point != after.point:
        yield Change("点位经纬度", before.point or "待定位", after.point or "待定位", _moved(before, after))
    for label, field, mask in PEOPLE:
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            hidden = mask(old), mask(new)
            yield Change(label, *hidden, "换了，隐去后看着一样" if hidden[0] == hidden[1] else "")


def _scale(origin: Origin) -> str:
    return f"{origin.scale.normalize():f} {origin.get_unit_display()}"


def _share(before: Origin, after: Origin) -> str:
    if before.unit != after.unit:
        return "单位换了"
    change = (after.scale - before.scale) / before.scale * 100
    return f"{'多' if change > 0 else '少'}了 {abs(change):.0f}%"


def _moved(before: Origin, after: Origin) -> str:
    if before.longitude is None or before.latitude is None or after.longitude is None or after.latitude is None:
        return ""
    here, there = (float(before.longitude), float(before.latitude)), (float(after.longitude), float(after.latitude))
    return f"移了 {told_metres(metres_between(here, there))}"
