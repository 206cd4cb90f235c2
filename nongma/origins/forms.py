from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from nongma.catalogue.models import Industry, Unit
from nongma.lib.masking import mask_name, mask_phone
from nongma.lib.refused import Refused
from nongma.lib.sheets import cleaning
from nongma.lib.sheets.cleaning import BadValue
from nongma.origins.importing import cells
from nongma.origins.models import Origin
from nongma.origins.services.locate import Correction
from nongma.origins.services.placing import Fix, read_point
from nongma.origins.services.review import LONGEST_REASON

PHONES = ("phone", "grid_phone", "collector_phone")
NAMES = ("contact", "grid_name", "collector_name")


class ReturnForm(forms.Form):
    """Why a record goes back to its collector."""

    reason = forms.CharField(
        label="退回原因",
        max_length=LONGEST_REASON,
        widget=forms.Textarea({"rows": 2, "placeholder": "写清哪里不对、怎么改，如：点位在水库里，请到地里重新定位"}),
    )


def _said_by_phone() -> forms.CharField:
    return forms.CharField(required=False, max_length=20, initial="", widget=forms.HiddenInput)


class PointForm(forms.Form):
    """A point in WGS84 degrees, six decimals each, and how the page found it."""

    longitude = forms.CharField(
        label="经度", max_length=20, widget=forms.TextInput({"inputmode": "decimal", "placeholder": "如 109.158151"})
    )
    latitude = forms.CharField(
        label="纬度", max_length=20, widget=forms.TextInput({"inputmode": "decimal", "placeholder": "如 18.435040"})
    )

    located_with = _said_by_phone()
    accuracy_m = _said_by_phone()
    device_longitude = _said_by_phone()
    device_latitude = _said_by_phone()

    @property
    def fix(self) -> Fix:
        """How the point of a valid form was found."""
        return Fix.read(self.cleaned_data)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("longitude") and cleaned.get("latitude"):
            try:
                cleaned["longitude"], cleaned["latitude"] = read_point(cleaned["longitude"], cleaned["latitude"])
            except Refused as refusal:
                self.add_error(refusal.field, ValidationError(refusal.message, code=refusal.code))
        return cleaned


def _checkboxes(label: str, choices: Any, required: bool = False) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=required, widget=forms.CheckboxSelectMultiple
    )


def _phone(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=20,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
        help_text="留空＝不改",
    )


def _name(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=60,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text="留空＝不改",
    )


class CorrectionForm(PointForm):
    """A record that came back, in the order of 附件1; each cell is judged as the import judges it.

    Names of people and phone numbers on file are shown masked, whoever asks: a look at them in full is on record, and
    this is none.
    """

    alias = forms.CharField(label="别名", required=False, max_length=40)
    certifications = _checkboxes("产品认证类型", Origin.Certification.choices)
    contact = _name("联系人")
    phone = _phone("联系方式（手机）")
    scale = forms.CharField(label="种养规模", max_length=20, widget=forms.TextInput({"inputmode": "decimal"}))
    unit = forms.ChoiceField(label="规模单位")
    on_sale_on = forms.CharField(label="上市时间", max_length=12, help_text="写到月或日，如 2026-04")
    off_sale_on = forms.CharField(label="下市时间", max_length=12, help_text="写到月或日，如 2026-08")
    methods = _checkboxes("生产方式", Origin.Method.choices, required=True)
    trace_methods = _checkboxes("追溯方式", Origin.TraceMethod.choices, required=True)
    credit = forms.CharField(label="信用等级", required=False, max_length=10)
    grid_name = _name("网格员姓名")
    grid_phone = _phone("网格员联系方式（手机）")
    collector_name = _name("信息采集员姓名")
    collector_phone = _phone("信息采集员联系方式（手机）")
    field_order = ("alias", "certifications", "longitude", "latitude")

    def __init__(self, data: Any = None, *, origin: Origin) -> None:
        super().__init__(data, initial=self._initial(origin))
        self.origin = origin
        for name in PHONES:
            self.fields[name].widget.attrs["placeholder"] = mask_phone(getattr(origin, name))
        for name in NAMES:
            self.fields[name].widget.attrs["placeholder"] = mask_name(getattr(origin, name))
        self.industry = Industry(origin.product.industry)
        units = cells.UNITS_OF_INDUSTRY[self.industry]
        unit_field = self.fields["unit"]
        assert isinstance(unit_field, forms.ChoiceField)
        unit_field.choices = [(unit, Unit(unit).label) for unit in units]
        if self.industry is not Industry.PLANTING:
            for name in ("on_sale_on", "off_sale_on", "methods"):
                del self.fields[name]

    @property
    def content_fields(self) -> list[forms.BoundField]:
        """All but those of the point, which the page draws with a map."""
        return [self[name] for name in self.fields if name not in PointForm.base_fields]

    @staticmethod
    def _initial(origin: Origin) -> dict[str, Any]:
        fields = {name: getattr(origin, name) for name in Correction.__dataclass_fields__}
        fields |= dict.fromkeys((*PHONES, *NAMES), "")
        return {name: value if isinstance(value, list) else str(value or "") for name, value in fields.items()}

    def clean_contact(self) -> str:
        return self.cleaned_data["contact"] or self.origin.contact

    def clean_grid_name(self) -> str:
        return self.cleaned_data["grid_name"] or self.origin.grid_name

    def clean_collector_name(self) -> str:
        return self.cleaned_data["collector_name"] or self.origin.collector_name

    def clean_phone(self) -> Any:
        return self._judged_phone("phone", "联系方式")

    def clean_grid_phone(self) -> Any:
        return self._judged_phone("grid_phone", "网格员联系方式")

    def clean_collector_phone(self) -> Any:
        return self._judged_phone("collector_phone", "信息采集员联系方式")

    def clean_scale(self) -> Decimal:
        amount: Decimal = self._judged("scale", cells.scale)[0]
        return amount

    def clean_on_sale_on(self) -> Any:
        return self._judged("on_sale_on", cells.day, "上市时间")

    def clean_off_sale_on(self) -> Any:
        return self._judged("off_sale_on", cells.day, "下市时间", True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, last = cleaned.get("on_sale_on"), cleaned.get("off_sale_on")
        if first and last and last < first:
            self.add_error("off_sale_on", "下市时间比上市时间早，请核对")
        return cleaned

    def correction(self) -> Correction:
        """What the form says, of a form that is valid."""
        absent: dict[str, Any] = {"on_sale_on": None, "off_sale_on": None, "methods": []}
        said = {name: value for name, value in self.cleaned_data.items() if name in Correction.__dataclass_fields__}
        return Correction(**absent | said)

    def _judged_phone(self, name: str, label: str) -> Any:
        return self._judged(name, cleaning.mobile, label) if self.cleaned_data[name] else getattr(self.origin, name)

    def _judged(self, name: str, judge: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return judge(self.cleaned_data[name], *arguments)
        except BadValue as bad:
            raise ValidationError(bad.message, code=bad.code) from None
