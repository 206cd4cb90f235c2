"""What a person typed about an operator or base, checked: its columns, or a refusal that names the input."""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry
from nongma.lib import phones
from nongma.lib.fields import blind_index, blind_indexes, digest_of, hold_keys
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.texts import checked_text
from nongma.regions.models import Region
from nongma.registry import identity
from nongma.registry.models import COUNTY_WIDTH, NOT_TRADING, Operator, OperatorKind

Point = tuple[Decimal, Decimal]
POINT_PLACES = Decimal("0.000001")
CHINA = (Decimal("73"), Decimal("3"), Decimal("136"), Decimal("54"))
TEXTS = {"name": ("名称", 100), "contact": ("联系人", 60), "address": ("地址", 200)}
CLAIM = "如果就是您的，请联系县级管理部门核实后交给您"


def checked(
    *,
    kinds: Sequence[str],
    name: str,
    region: Region,
    uscc: str | None,
    id_number: str,
    phone: str,
    contact: str,
    address: str,
    point: Point | None,
    industries: Sequence[str],
) -> dict[str, Any]:
    """The columns of an operator from what a person typed, or a refusal that names the input."""
    if not kinds:
        raise Misfilled("kind_missing", "请至少选一种主体类型", field="kinds")
    check_region(region)
    uscc = identity.tidy(uscc or "")
    if uscc and (fault := identity.uscc_fault(uscc)):
        raise Misfilled("uscc_invalid", fault, field="uscc")
    id_number = identity.tidy(id_number)
    if id_number and (fault := identity.id_fault(id_number)):
        raise Misfilled("id_invalid", fault, field="id_number")
    phone = phones.tidy(phone)
    if phone and not phones.is_mobile(phone):
        raise Misfilled("phone_invalid", "手机号要 11 位数字，以 13–19 开头", field="phone")
    return {
        "kinds": _distinct(OperatorKind(kind).value for kind in kinds),
        "name": text_of("name", name, is_needed=True),
        "region": region,
        "uscc": uscc or None,
        "id_number": id_number,
        "id_index": blind_index(id_number) if id_number else None,
        "contact": text_of("contact", contact),
        "phone": phone,
        "phone_index": blind_index(phone) if phone else None,
        "address": text_of("address", address),
        "industries": _distinct(Industry(industry).value for industry in industries),
        **checked_place(point),
    }


def inputs_of(operator: Operator) -> dict[str, Any]:
    longitude, latitude = operator.longitude, operator.latitude
    return {
        "kinds": operator.kinds,
        "name": operator.name,
        "region": operator.region,
        "uscc": operator.uscc,
        "id_number": operator.id_number,
        "phone": operator.phone,
        "contact": operator.contact,
        "address": operator.address,
        "point": (longitude, latitude) if longitude is not None and latitude is not None else None,
        "industries": operator.industries,
    }


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def text_of(field: str, value: str, *, is_needed: bool = False) -> str:
    """A text of an operator or base (`TEXTS`), checked. Refuses `text_missing` and `text_too_long`."""
    label, longest = TEXTS[field]
    return checked_text(value, label=label, longest=longest, field=field, is_needed=is_needed)


def check_region(region: Region) -> None:
    if region.level < Region.Level.COUNTY:
        raise Misfilled("region_too_wide", "行政区划至少要选到县（区）", field="region")


def checked_place(point: Point | None) -> dict[str, Decimal | None]:
    if point is None:
        return {"longitude": None, "latitude": None}
    west, south, east, north = CHINA
    if not (all(part.is_finite() for part in point) and west <= point[0] <= east and south <= point[1] <= north):
        raise Misfilled("point_invalid", "经纬度不在中国境内，请检查有没有填反", field="point")
    return {"longitude": point[0].quantize(POINT_PLACES), "latitude": point[1].quantize(POINT_PLACES)}


def check_unregistered(values: dict[str, Any], apart_from: Operator | None = None) -> None:
    """Refuse what is on file: by 统一社会信用代码, by 身份证号, or by name and phone in the same county."""
    hold_keys()
    others = Operator.objects.exclude(pk=apart_from.pk) if apart_from else Operator.objects.all()
    if values["uscc"] and others.filter(uscc=values["uscc"]).exists():
        raise Refused("already_registered", f"这个统一社会信用代码已经登记过主体，{CLAIM}", field="uscc")
    if values["id_index"] and others.filter(id_index__in=blind_indexes(values["id_number"])).exists():
        raise Refused("already_registered", f"这个身份证号已经登记过主体，{CLAIM}", field="id_number")
    if values["phone_index"]:
        county = values["region"].pk // COUNTY_WIDTH * COUNTY_WIDTH
        same = others.filter(phone_index__in=blind_indexes(values["phone"]), name=values["name"])
        if same.filter(region_id__gte=county, region_id__lt=county + COUNTY_WIDTH).exists():
            raise Refused("already_registered", f"本县已经有同名、同手机号的主体，{CLAIM}", field="name")


def version_of(operator: Operator) -> str:
    """What tells whether any input of an operator has changed since a page showed it."""
    inputs = inputs_of(operator)
    return digest_of(json.dumps(inputs | {"region": inputs["region"].pk}, default=str, sort_keys=True)).hex()


def check_area(code: int, actor: User, action: Action = Action.REGISTER_OPERATOR) -> None:
    if code not in scope_of(actor, action):
        raise Refused("outside_area", "不在您的管辖范围内", field="region")


def check_may_change(operator: Operator, actor: User, *places: Region) -> None:
    """Only an owner changes what belongs to the own operator, only an agency of the area what belongs to others.

    `places`: where the change would put things. Refuses `not_own_operator`, `outside_area`, and `not_active` (the
    operator is suspended or cancelled).
    """
    if actor.is_operator:
        if not operator.members.owners().filter(user=actor).exists():
            raise Refused("not_own_operator", "只有主体的负责人可以登记和修改")
    else:
        check_area(operator.region_id, actor)
        for place in places:
            check_area(place.pk, actor)
    if operator.status in NOT_TRADING:
        raise Refused("not_active", f"主体{operator.get_status_display()}，不能登记和修改")
