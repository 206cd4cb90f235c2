"""附件 1 as one form for a phone: what is typed is judged as a row of a sheet, each fault beside its field."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry, Product, Unit
from nongma.codes.codec import decode
from nongma.lib.masking import mask_name, mask_phone
from nongma.origins.collecting.entries import Entry, cells_of, judged, last_of_village, words
from nongma.origins.forms import PointForm
from nongma.origins.importing import cells
from nongma.origins.models import Origin
from nongma.origins.services.rights import own_operators
from nongma.regions.forms import RegionField
from nongma.regions.models import Region
from nongma.registry.intake.words import GROWERS
from nongma.registry.models import Base, Operator, OperatorKind

UNITS = [
    *((unit, cells.UNIT_LABELS[unit]) for unit in ("mu", "head", "bird")),
    (cells.SQUARE_METRE, cells.SQUARE_METRE_LABEL),
]
KINDS = [(kind.value, kind.label) for kind in OperatorKind if kind.value in GROWERS]
OF_CROPS = ("planted", "on_sale", "off_sale", "methods")
OF_NEW_OPERATOR = ("name", "kind", "contact", "phone")
PEOPLE = {
    "contact": ("contact", mask_name),
    "phone": ("phone", mask_phone),
    "grid_name": ("grid_name", mask_name),
    "grid_phone": ("grid_phone", mask_phone),
    "collector": ("collector_name", mask_name),
    "collector_phone": ("collector_phone", mask_phone),
}
"""Personal data on file stand masked beside empty fields; empty keeps them."""
FIELD_OF = {
    **dict.fromkeys(("province", "city", "county", "town", "village"), "region"),
    "point": "longitude",
    "industry": "product",
    "certification": "certifications",
    "method": "methods",
    "trace": "trace_methods",
}
"""Where a fault stands on the page."""


class ProductSelect(forms.Select):
    """Products, each with what the page's script needs: its industry, and the county that added it."""

    products: dict[str, Product]

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **options)
        product = self.products.get(value)
        if product:
            units = [unit for unit in product.scale_units if unit in cells.UNIT_LABELS]
            option["attrs"] |= {
                "data-industry": product.industry,
                "data-units": " ".join(units + [cells.SQUARE_METRE] * (product.industry == Industry.FISHERY)),
                "data-county": f"{product.region_id or ''}",
            }
        return option


class BaseSelect(forms.Select):
    """Bases, each with where it is."""

    bases: dict[str, Base]

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **options)
        base = self.bases.get(value)
        if base:
            option["attrs"] |= {f"data-{part}": told for part, told in place_of(base).items()}
        return option


def place_of(base: Base) -> dict[str, str]:
    """Where a base is, as the page's script wants it."""
    return {
        "region": base.region.code_text,
        "place": base.region.full_name,
        "longitude": str(base.longitude or ""),
        "latitude": str(base.latitude or ""),
    }


def _text(label: str, *, required: bool = True, most: int = 60, help_text: str = "", **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=most,
        help_text=help_text,
        widget=forms.TextInput({"autocomplete": "off"} | attrs),
    )


def _phone(label: str) -> forms.CharField:
    return _text(label, most=20, type="tel", inputmode="tel")


def _month(label: str) -> forms.CharField:
    return _text(label, most=12, type="month", placeholder="如 2026-04")


def _several(label: str, choices: Sequence[tuple[str, str]], *, required: bool = True) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=required, widget=forms.CheckboxSelectMultiple
    )


class ContentForm(PointForm):
    """What is collected about one product of one base, but for whose it is and which product."""

    alias = _text("别名", required=False, most=40, help_text="当地的叫法")
    certifications = _several("产品认证类型", Origin.Certification.choices, required=False)
    base = forms.CharField(label="基地", required=False, max_length=20)
    base_name = _text("新基地的名称", required=False, most=100, help_text="不填的按村名和产品起名")
    scale = _text("种养规模", most=20, inputmode="decimal", help_text="只填数字，要大于 0")
    unit = forms.ChoiceField(label="规模单位", choices=UNITS)
    planted = _text("移栽定植时间", required=False, most=12, type="date", help_text="到下一茬前，平台按它提醒")
    on_sale = _month("上市时间")
    off_sale = _month("下市时间")
    methods = _several("生产方式", Origin.Method.choices)
    trace_methods = _several("追溯方式", Origin.TraceMethod.choices)
    credit = _text("信用等级", required=False, most=10, help_text="没有开展信用评价的不填")
    contact = _text("联系人")
    phone = _phone("联系方式（手机）")
    grid_name = _text("网格员姓名", help_text="乡镇监管员或村级协管员")
    grid_phone = _phone("网格员联系方式（手机）")
    collector = _text("信息采集员姓名")
    collector_phone = _phone("信息采集员联系方式（手机）")

    use_required_attribute = False
    is_later = False

    def __init__(self, data: Any = None, *, user: User, **options: Any) -> None:
        super().__init__(data, **options)
        self.user = user
        self.entry: Entry | None = None

    def offer_bases(self, operator: Operator | None) -> None:
        """Let the person choose among the bases of an operator, or say that it is a new one."""
        listed = operator.bases.in_use().select_related("region") if operator else Base.objects.none()
        self.bases = {base.code: base for base in listed.order_by("id")[:200]}
        widget = BaseSelect(choices=[("", "按位置找，没有就新建"), *((code, str(b)) for code, b in self.bases.items())])
        widget.bases = self.bases
        self.fields["base"].widget = widget

    def keep(self, name: str, told: str) -> None:
        """Leave out what is on file; the person sees it masked."""
        field = self.fields[name]
        field.required = False
        field.help_text = f"{told}，留空＝不改"
        field.widget.attrs["placeholder"] = told

    def relax(self, *names: str) -> None:
        for name in names:
            self.fields[name].required = False

    def clean_base(self) -> Base | None:
        code = self.cleaned_data["base"]
        if code and code not in self.bases:
            raise ValidationError("请重新选择基地", code="base_unknown")
        return self.bases.get(code)

    def judge(self, entry: Entry) -> None:
        """Put each fault of the entry beside its field; one that is told there already is not told twice."""
        self.entry = entry
        told = set(self.errors)
        for fault in judged(entry, self.user).faults:
            field = FIELD_OF.get(fault.field, fault.field)
            if field not in told:
                self.add_error(field if field in self.fields else None, ValidationError(fault.message, code=fault.code))

    def cells(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """The fields as the words of a sheet."""
        chosen = {name: str(cleaned.get(name) or "") for name in TEXTS}
        return chosen | {
            "base": cleaned.get("base"),
            "unit": dict(UNITS).get(cleaned.get("unit", ""), ""),
            "certification": words(Origin.Certification, cleaned.get("certifications", [])),
            "method": words(Origin.Method, cleaned.get("methods", [])),
            "trace": words(Origin.TraceMethod, cleaned.get("trace_methods", [])),
        }


TEXTS = (
    "alias", "base_name", "longitude", "latitude", "scale", "planted", "on_sale", "off_sale", "credit", "contact",
    "phone", "grid_name", "grid_phone", "collector", "collector_phone",
)  # fmt: skip


class CollectForm(ContentForm):
    """A new origin: whose it is, of which product, where."""

    operator = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    name = _text("种养殖主体名称", most=100, help_text="单位写营业执照上的全称，农户写户主姓名")
    kind = forms.ChoiceField(label="主体类型", choices=[("", "请选择"), *KINDS])
    product = forms.ChoiceField(label="产品名称")
    region = RegionField(label="村（社区）")

    def __init__(self, data: Any = None, *, user: User, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, user=user, initial=dict(initial or {}))
        self.fields["region"].error_messages["required"] = "请选到村（社区）"
        self._offer_products()
        self.own = list(own_operators(user)) if user.is_operator else []
        self.grower = self._operator()
        self.offer_bases(self.grower)
        self.keep("collector", mask_name(user.name))
        if user.phone:
            self.keep("collector_phone", mask_phone(user.phone))
        if self.grower:
            self.relax("name", "kind")
            self.keep("contact", mask_name(self.grower.contact))
            self.keep("phone", mask_phone(self.grower.phone))
        self.place = self._place()
        self.last = last_of_village(self.place, user) if self.place else None
        if self.last:
            self.keep("grid_name", mask_name(self.last.grid_name))
            self.keep("grid_phone", mask_phone(self.last.grid_phone))
        product = self.products.get(str(self["product"].value() or ""))
        if product and product.industry != Industry.PLANTING:
            self.relax(*OF_CROPS)
        self.is_later = bool(data) and data.get("do") == "later"
        if self.is_later:
            self.relax("longitude", "latitude")

    def _offer_products(self) -> None:
        """The nation's key products first, then what counties added, then all others by industry."""
        spans = scope_of(self.user, Action.COLLECT_ORIGINS).spans
        if self.user.is_operator:
            spans = tuple(operator.region.span for operator in own_operators(self.user).select_related("region"))
        listed = Product.objects.offered_within(spans).select_related("region").order_by("-is_key", "code")
        self.products = {product.code: product for product in listed}
        groups: dict[str, list[tuple[str, str]]] = {"重点品种": []}
        for product in self.products.values():
            group = "重点品种" if product.is_key else Industry(product.industry).label
            if product.region:
                group = f"{product.region.name}增设"
            groups.setdefault(group, []).append((product.code, product.name))
        order = sorted(groups, key=lambda name: (name != "重点品种", not name.endswith("增设")))
        choices: list[Any] = [("", "请选择"), *((name, groups[name]) for name in order if groups[name])]
        field = self.fields["product"]
        assert isinstance(field, forms.ChoiceField)
        widget = ProductSelect()
        widget.products = self.products
        field.widget, field.choices = widget, choices

    def _operator(self) -> Operator | None:
        """The operator that was chosen, or the person's own where there is but one."""
        serial = decode(str(self["operator"].value() or "").strip())
        if self.user.is_operator:
            chosen = [one for one in self.own if one.serial == serial]
            return (chosen or self.own)[0] if chosen or len(self.own) == 1 else None
        visible = Operator.objects.visible_to(self.user)
        return visible.filter(serial=serial).first() if serial is not None else None

    def _place(self) -> Region | None:
        value = self["region"].value()
        try:
            return RegionField(required=False).clean(value) if value else None
        except ValidationError:
            return None

    def clean_operator(self) -> str:
        code: str = self.cleaned_data["operator"]
        if code and self.grower is None:
            raise ValidationError("没有这个主体，请重新选择", code="operator_unknown")
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        region, product = cleaned.get("region"), self.products.get(cleaned.get("product", ""))
        if region and product and "operator" not in self.errors:
            told = self.cells(cleaned)
            kind = dict(KINDS).get(cleaned.get("kind", ""), "")
            self.judge(
                Entry(
                    region=region,
                    operator=self.grower,
                    product=product.name,
                    name=str(cleaned.get("name") or ""),
                    kind=str(kind),
                    **told,
                )
            )
        return cleaned


class UpdateForm(ContentForm):
    """A record on file as it is to be from now on: last time's values stand in it."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, user: User, origin: Origin, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, user=user, initial=self._initial(origin) | dict(initial or {}))
        self.origin = origin
        self.offer_bases(origin.operator)
        for name, (field, mask) in PEOPLE.items():
            self.keep(name, mask(getattr(origin, field)))
        allowed = [*cells.UNITS_OF_INDUSTRY[origin.product.industry]]
        if origin.product.industry == Industry.FISHERY:
            allowed.append(cells.SQUARE_METRE)
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ChoiceField)
        unit.choices = [one for one in UNITS if one[0] in allowed]
        if not origin.is_crop:
            for name in OF_CROPS:
                del self.fields[name]

    @staticmethod
    def _initial(origin: Origin) -> dict[str, Any]:
        told = cells_of(origin)
        kept = {name: told[name] for name in ("alias", "scale", "planted", "credit", "longitude", "latitude")}
        return kept | {
            "unit": Unit(origin.unit).value,
            "on_sale": told["on_sale"][:7],
            "off_sale": told["off_sale"][:7],
            "methods": list(origin.methods),
            "trace_methods": list(origin.trace_methods),
            "certifications": list(origin.certifications),
            "base": origin.base.code if origin.base.closed_on is None else "",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        told, had = self.cells(cleaned), cells_of(self.origin)
        for name in PEOPLE:
            told[name] = told[name] or had[name]
        for name in ("on_sale", "off_sale"):
            # A day that is known stays a day where the month does.
            if told[name] and had[name].startswith(told[name]):
                told[name] = had[name]
        self.judge(
            Entry(region=self.origin.region, operator=self.origin.operator, product=self.origin.product.name, **told)
        )
        return cleaned
