from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from nongma.catalogue.models import Industry
from nongma.lib import phones
from nongma.lib.forms import ANY
from nongma.regions.forms import RegionField
from nongma.registry import identity
from nongma.registry.models import Operator, OperatorKind


class OperatorFilterForm(forms.Form):
    """What the list of operators is narrowed by."""

    q = forms.CharField(
        label="查找",
        required=False,
        max_length=60,
        widget=forms.TextInput({"placeholder": "名称、主体码、信用代码、手机号"}),
    )
    kind = forms.ChoiceField(label="主体类型", required=False, choices=[ANY, *OperatorKind.choices])
    status = forms.ChoiceField(label="状态", required=False, choices=[ANY, *Operator.Status.choices])
    region = RegionField(required=False)
    large = forms.BooleanField(label="只看规模主体", required=False)


class PointFields(forms.Form):
    """A position in WGS84 degrees, both parts or none."""

    longitude = forms.DecimalField(
        label="经度",
        required=False,
        max_digits=9,
        decimal_places=6,
        widget=forms.TextInput({"inputmode": "decimal", "placeholder": "如 109.158151"}),
    )
    latitude = forms.DecimalField(
        label="纬度",
        required=False,
        max_digits=9,
        decimal_places=6,
        widget=forms.TextInput({"inputmode": "decimal", "placeholder": "如 18.435040"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        parts: tuple[Decimal | None, Decimal | None] = cleaned.pop("longitude", None), cleaned.pop("latitude", None)
        if (parts[0] is None) != (parts[1] is None) and not self.errors:
            missing = "longitude" if parts[0] is None else "latitude"
            self.add_error(missing, "经度和纬度要一起填")
        cleaned["point"] = parts if None not in parts else None
        return cleaned


class OperatorForm(PointFields):
    """An operator as a person registers or corrects it."""

    kinds = forms.MultipleChoiceField(
        label="主体类型", choices=OperatorKind.choices, widget=forms.CheckboxSelectMultiple, help_text="可以选几种"
    )
    name = forms.CharField(label="名称", max_length=100, help_text="单位写营业执照上的全称，农户写户主姓名")
    region = RegionField(label="所在地")
    address = forms.CharField(label="详细地址", max_length=200, required=False)
    industries = forms.MultipleChoiceField(
        label="所属行业", choices=Industry.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    contact = forms.CharField(label="联系人", max_length=60)
    phone = forms.CharField(label="手机", max_length=20, widget=forms.TextInput({"type": "tel", "autocomplete": "off"}))
    uscc = forms.CharField(
        label="统一社会信用代码", max_length=30, required=False, help_text="单位填写，营业执照上的 18 位代码"
    )
    id_number = forms.CharField(
        label="身份证号",
        max_length=30,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text="农户填写；加密保存，不会出现在码和公开页面里",
    )
    field_order = (
        "kinds",
        "name",
        "region",
        "address",
        "industries",
        "contact",
        "phone",
        "uscc",
        "id_number",
        "longitude",
        "latitude",
    )

    def clean_phone(self) -> str:
        phone = phones.tidy(self.cleaned_data["phone"])
        if not phone and not self.fields["phone"].required:
            return ""
        if not phones.is_mobile(phone):
            raise ValidationError("手机号要 11 位数字，以 13–19 开头", code="phone_invalid")
        return phone

    def clean_uscc(self) -> str:
        number = identity.tidy(self.cleaned_data["uscc"])
        if number and (fault := identity.uscc_fault(number)):
            raise ValidationError(fault, code="uscc_invalid")
        return number

    def clean_id_number(self) -> str:
        number = identity.tidy(self.cleaned_data["id_number"])
        if number and (fault := identity.id_fault(number)):
            raise ValidationError(fault, code="id_invalid")
        return number


class OperatorChangeForm(OperatorForm):
    """An operator as a person corrects it.

    Personal data of others stand masked beside empty fields, and stay as they are where nothing is typed: seeing them
    in full is a look of its own, on record (`reveal_contact`).
    """

    def __init__(self, data: Any = None, *, operator: Operator, own: bool) -> None:
        masked = {
            "contact": operator.masked_contact,
            "phone": operator.masked_phone,
            "id_number": operator.masked_id_number,
            "address": operator.shown_address if operator.is_unlicensed else "",
        }
        self.withheld = [] if own else [name for name, mask in masked.items() if mask]
        shown = [name for name in self.base_fields if name not in (*self.withheld, "region")]
        initial = {name: getattr(operator, name) for name in shown} | {"region": operator.region_id}
        super().__init__(data, initial=initial)
        for name in self.withheld:
            field = self.fields[name]
            field.required = False
            field.widget.attrs["placeholder"] = f"{masked[name]}（留空＝不改）"
            field.help_text = "留空＝不改"
        self.faults = {name: text for name, text in operator.review_faults.items() if name in self.fields}
        for name, text in self.faults.items():
            self.fields[name].help_text = f"审核员：{text}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        return {name: value for name, value in cleaned.items() if value or name not in self.withheld}
