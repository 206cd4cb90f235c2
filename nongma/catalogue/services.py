"""Products that a county collects beside the nation's (本县增设的产品): added, changed, ended; never deleted.

Source: 农质安（溯）函〔2023〕72号, 三: 各地根据实际可制定本地区、本行业制定执行标准.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.catalogue.models import Industry, Product, Unit
from nongma.lib.locks import take_turn
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.texts import checked_text
from nongma.regions.models import Region

TURN = 0x7072_6F64
MOST_ALIASES = 10
SCALE_UNITS: dict[Industry, tuple[Unit, ...]] = {
    Industry.PLANTING: (Unit.MU,),
    Industry.LIVESTOCK: (Unit.HEAD, Unit.BIRD),
    Industry.FISHERY: (Unit.MU,),
}
"""What the scale of an industry is counted in (附件1, note 7)."""
TRADE_UNITS: dict[Industry, tuple[Unit, ...]] = {
    Industry.PLANTING: (Unit.KILOGRAM, Unit.TONNE, Unit.BOX, Unit.PIECE),
    Industry.LIVESTOCK: (Unit.KILOGRAM, Unit.TONNE),
    Industry.FISHERY: (Unit.KILOGRAM, Unit.TONNE, Unit.FISH, Unit.BOX),
}


@transaction.atomic
def add_product(
    *,
    region: Region,
    name: str,
    industry: str,
    unit: str,
    source: str,
    actor: User,
    aliases: Sequence[str] = (),
    threshold: Decimal | None = None,
) -> Product:
    """Let a county collect a product beside the nation's, from the unit's `threshold` up, by the document `source`.

    Refuses `not_allowed`, `outside_area`, `name_taken` (a product of the nation or of this county is called so), and,
    with 422, `not_a_county`, `unit_unknown`, `threshold_invalid`, `too_many`, `text_missing`, `text_too_long`.
    """
    _check_place(region, actor)
    take_turn(TURN, str(region.pk))
    product = Product(code=_next_code(region), region=region, is_key=False, verified=False)
    _fill(product, name=name, aliases=aliases, industry=industry, unit=unit, threshold=threshold, source=source)
    product.save()
    record("product.added", actor=actor, target=product, region_code=region.pk, source=product.source)
    return product


@transaction.atomic
def change_product(
    *,
    product: Product,
    name: str,
    source: str,
    actor: User,
    aliases: Sequence[str] = (),
    threshold: Decimal | None = None,
) -> Product:
    """Correct what a county's product is called, its threshold and the document; industry and unit stay.

    Refuses `product_ended` and what `add_product` does.
    """
    held = _held(product, actor)
    unit = held.scale_units[0]
    _fill(held, name=name, aliases=aliases, industry=held.industry, unit=unit, threshold=threshold, source=source)
    held.save()
    record("product.changed", actor=actor, target=held, region_code=held.region_id, source=held.source)
    return held


@transaction.atomic
def end_product(*, product: Product, actor: User) -> Product:
    """Let a county collect it no more: no form or import offers it; what is on file stays.

    Refuses `product_ended`, `not_allowed`, `outside_area`.
    """
    held = _held(product, actor)
    held.ended_on = timezone.localdate()
    held.save(update_fields=["ended_on"])
    record("product.ended", actor=actor, target=held, region_code=held.region_id)
    return held


def _held(product: Product, actor: User) -> Product:
    held = Product.objects.select_for_update(of=("self",)).select_related("region").get(pk=product.pk)
    if held.region is None:
        raise Refused("not_allowed", "全国统一的产品不能在这里改")
    _check_place(held.region, actor)
    take_turn(TURN, str(held.region_id))
    if held.ended_on is not None:
        raise Refused("product_ended", "这个产品已经停用")
    return held


def _check_place(region: Region, actor: User) -> None:
    if region.level != Region.Level.COUNTY:
        raise Misfilled("not_a_county", "产品由县（市、区）增设，请选到县", field="region")
    scope = scope_of(actor, Action.ADD_PRODUCTS)
    if not scope.spans:
        raise Refused("not_allowed", "您的角色不能增设产品")
    if not any(span.covers(region.span) for span in scope.spans):
        raise Refused("outside_area", "这个县不在您的管辖范围内", field="region")


def _next_code(region: Region) -> str:
    """Our own code: the county's six digits and a running number."""
    used = Product.objects.filter(region=region).count()
    return f"{region.pk // 10**6:06}-{used + 1:02}"


def _fill(
    product: Product,
    *,
    name: str,
    aliases: Sequence[str],
    industry: str,
    unit: str,
    threshold: Decimal | None,
    source: str,
) -> None:
    """Put checked values into a product of a county."""
    product.name = checked_text("".join(name.split()), label="名称", longest=40, field="name", is_needed=True)
    known = dict.fromkeys("".join(alias.split()) for alias in aliases)
    product.aliases = [alias for alias in known if alias and alias != product.name]
    if len(product.aliases) > MOST_ALIASES or any(len(alias) > 40 for alias in product.aliases):
        raise Misfilled("too_many", f"别名最多 {MOST_ALIASES} 个，每个不超过 40 个字", field="aliases")
    product.industry = Industry(industry)
    if unit not in SCALE_UNITS[Industry(industry)]:
        allowed = "、".join(str(one.label) for one in SCALE_UNITS[Industry(industry)])
        raise Misfilled("unit_unknown", f"{Industry(industry).label}的规模单位是{allowed}", field="unit")
    product.scale_units = [unit]
    product.trade_units = list(dict.fromkeys([*([unit] if unit != Unit.MU else []), *TRADE_UNITS[Industry(industry)]]))
    if threshold is not None and not Decimal(0) < threshold < Decimal(10) ** 8:
        raise Misfilled("threshold_invalid", "采集规模要大于 0", field="threshold")
    product.threshold, product.threshold_unit = threshold, unit if threshold is not None else ""
    product.source = checked_text(source, label="依据", longest=200, field="source", is_needed=True)
    _check_names(product)


def _check_names(product: Product) -> None:
    """No product goes by a name or alias of another that the county sees: an import could not tell them apart."""
    assert product.region_id is not None
    others: dict[str, Any] = {}
    for other in Product.objects.usable_at(product.region_id).exclude(pk=product.pk):
        others |= dict.fromkeys([other.name, *other.aliases], other.name)
    for field, names in (("name", [product.name]), ("aliases", product.aliases)):
        for called in names:
            if called in others:
                raise Refused("name_taken", f"“{called}”已经是产品“{others[called]}”的名称或别名", field=field)
