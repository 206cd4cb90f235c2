"""What programs send to collect one origin or to update it, and the entry that it stands for."""

from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from ninja import Schema
from pydantic import Field

from nongma.accounts.models import User
from nongma.codes.codec import decode
from nongma.lib.refused import Misfilled
from nongma.origins.collecting.entries import Entry, judged, words
from nongma.origins.importing.cells import SQUARE_METRE, SQUARE_METRE_LABEL, UNIT_LABELS
from nongma.origins.models import Origin
from nongma.origins.services.rights import check_may_collect
from nongma.regions.models import Region
from nongma.regions.queries import code_of
from nongma.registry.models import Base, Operator, OperatorKind

Text = Annotated[str, Field(max_length=200)]


class Found(Schema):
    """How a point was found."""

    located_with: Literal["device", "map", "typed"] = Field("typed", description="手机定位、地图点选、手工填写")
    accuracy_m: Annotated[float, Field(ge=0, le=9_999_999)] | None = Field(None, description="手机定位的精度，米")
    device_longitude: Annotated[float, Field(ge=73, le=136)] | None = Field(None, description="采集时手机所在的经度")
    device_latitude: Annotated[float, Field(ge=3, le=54)] | None = Field(None, description="采集时手机所在的纬度")


class ContentIn(Found):
    """What 附件1 asks about one product of one base; the rules are those of the import."""

    base: str | None = Field(None, description="基地码，20 位；不填的按点位找，没有就新建")
    base_name: Text = Field("", description="新基地的名称")
    alias: Text = ""
    certifications: list[Origin.Certification] = Field([], max_length=4)
    longitude: str | float = Field("", description="经度，WGS84；文本要有 6 位小数", examples=["109.158151"])
    latitude: str | float = Field("", description="纬度，WGS84；文本要有 6 位小数", examples=["18.435040"])
    contact: Text = Field("", description="不填的用主体登记的联系人")
    phone: Text = Field("", description="不填的用主体登记的手机号")
    scale: Text = Field(description="种养规模，十进制文本", examples=["10.8"])
    unit: Literal["mu", "head", "bird", "m2"] = Field(description="m2 只用于水产，折算成亩保存")
    on_sale: Text = Field("", description="上市时间，写到月或日；只有种植产品填", examples=["2026-04"])
    off_sale: Text = Field("", description="下市时间", examples=["2026-08"])
    planted_on: Text = Field("", description="移栽定植时间；只有种植产品填", examples=["2026-01-15"])
    methods: list[Origin.Method] = Field([], max_length=2, description="只有种植产品填")
    trace_methods: list[Origin.TraceMethod] = Field(max_length=6)
    credit: Text = ""
    grid_name: Text = Field("", description="网格员；不填的用这个村上一条记录的")
    grid_phone: Text = ""
    collector: Text = Field("", description="信息采集员；不填的是您本人")
    collector_phone: Text = ""


class OriginIn(ContentIn):
    """A new origin: of an operator on file by its code, or of one that is found or registered by name and phone."""

    operator: str | None = Field(None, description="主体码，20 位；没有登记过的不填，写 name、kind、contact、phone")
    name: Text = ""
    kind: OperatorKind | None = None
    region: str = Field(description="村（社区）的 12 位区划代码", examples=["460205198004"])
    product: Text = Field(description="产品名称或别名；本县增设的产品也可以")
    locate_later: bool = Field(False, description="没有点位，存为待定位")


class UpdateIn(ContentIn):
    """What holds now; every field is written, what is left out as it is left out of a new one."""

    seen: str = Field("", max_length=64, description="您看到的 `version`；别人先改了的回答 409")


def new_entry(data: OriginIn, user: User) -> Entry:
    """The entry of a body, looked through for all that is wrong with it.

    Refuses `operator_unknown`, `base_unknown`, `region_unknown` (422) and what `check_may_collect` does; raises
    ValidationError (422) with every fault.
    """
    operator = _operator(data.operator, user) if data.operator else None
    entry = Entry(
        region=_region(data.region),
        operator=operator,
        product=data.product,
        name=data.name,
        kind=data.kind.label if data.kind else "",
        **_content(data, operator),
    )
    return _checked(entry, user)


def changed_entry(data: UpdateIn, old: Origin, user: User) -> Entry:
    """The entry of a body that tells what holds now; refuses and raises as `new_entry`."""
    entry = Entry(region=old.region, operator=old.operator, product=old.product.name, **_content(data, old.operator))
    return _checked(entry, user)


def _content(data: ContentIn, operator: Operator | None) -> dict[str, Any]:
    """The body's words as the cells of a form have them."""
    return {
        "base": _base(data.base, operator) if data.base else None,
        "base_name": data.base_name,
        "alias": data.alias,
        "certification": words(Origin.Certification, data.certifications),
        "longitude": _degrees(data.longitude),
        "latitude": _degrees(data.latitude),
        "contact": data.contact,
        "phone": data.phone,
        "scale": data.scale,
        "unit": SQUARE_METRE_LABEL if data.unit == SQUARE_METRE else UNIT_LABELS[data.unit],
        "on_sale": data.on_sale,
        "off_sale": data.off_sale,
        "planted": data.planted_on,
        "method": words(Origin.Method, data.methods),
        "trace": words(Origin.TraceMethod, data.trace_methods),
        "credit": data.credit,
        "grid_name": data.grid_name,
        "grid_phone": data.grid_phone,
        "collector": data.collector,
        "collector_phone": data.collector_phone,
    }


def _degrees(value: str | float) -> str:
    """A number has lost its last zeros, a text has to have its six decimals."""
    return f"{value:.6f}" if isinstance(value, float) else value


def _operator(code: str, user: User) -> Operator:
    serial = decode(code)
    found = Operator.objects.visible_to(user).filter(serial=-1 if serial is None else serial).first()
    if found is None:
        raise Misfilled("operator_unknown", "没有这个主体，或者不在您的管辖范围内", field="operator")
    return found


def _base(code: str, operator: Operator | None) -> Base:
    serial = decode(code)
    found = Base.objects.filter(serial=-1 if serial is None else serial, operator=operator).first()
    if operator is None or found is None:
        raise Misfilled("base_unknown", "这个主体没有这个基地", field="base")
    return found


def _region(text: str) -> Region:
    code = code_of(text)
    found = Region.objects.current().filter(pk=-1 if code is None else code).first()
    if found is None:
        raise Misfilled("region_unknown", "没有这个行政区划", field="region")
    return found


FIELDS = {
    "village": "region",
    "point": "longitude",
    "certification": "certifications",
    "method": "methods",
    "trace": "trace_methods",
    "planted": "planted_on",
}
"""What the API calls a field of the form, where it is not the same."""


def _checked(entry: Entry, user: User) -> Entry:
    check_may_collect(actor=user, operator=entry.operator, region_code=entry.region.pk)
    faults: dict[str, list[ValidationError]] = {}
    for fault in judged(entry, user).faults:
        told = ValidationError(fault.message, code=fault.code)
        faults.setdefault(FIELDS.get(fault.field, fault.field), []).append(told)
    if faults:
        raise ValidationError(faults)
    return entry
