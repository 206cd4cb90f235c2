from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from nongma.catalogue.models import Product
from nongma.lib.outlines import MOST_TEXT, Outline, read_outline, text_of
from nongma.lib.refused import Refused
from nongma.regions.forms import RegionField
from nongma.registry.bases.services import version_of
from nongma.registry.forms import PointFields
from nongma.registry.models import Base, Operator, Plot

NOT_SAID = ("", "没有填")
NOTHING_NEARBY = "nothing"
OUTLINE_HINT = "在图上画，或者每行写一个角（经度,纬度），也可以粘贴 GeoJSON、KML"


class OutlineField(forms.CharField):
    """An outline as text; its value is GeoJSON, or None."""

    widget = forms.Textarea({"rows": 4, "spellcheck": "false", "class": "code"})

    def prepare_value(self, value: Any) -> Any:
        return text_of(value) if isinstance(value, dict) else value

    def clean(self, value: Any) -> Outline | None:
        try:
            return read_outline(super().clean(value) or "")
        except Refused as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from None


def _area(label: str, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text=help_text,
        widget=forms.TextInput({"inputmode": "decimal"}),
    )


class OutlineFields(forms.Form):
    """An outline as text or as a file. What is in a readable file is put into the text, where it can be corrected."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    outline = OutlineField(label="轮廓", required=False, max_length=MOST_TEXT, help_text=OUTLINE_HINT)
    outline_file = forms.FileField(
        label="轮廓文件",
        required=False,
        help_text=f"GeoJSON 或 KML，{MOST_TEXT // 1000} KB 以内；上传后代替上面的轮廓",
        widget=forms.FileInput({"accept": ".geojson,.json,.kml"}),
    )

    def __init__(self, data: Any = None, files: Any = None, **options: Any) -> None:
        self.file_fault = ""
        file = files.get("outline_file") if files else None
        if file is not None and data is not None:
            data = data.copy()
            try:
                if file.size > MOST_TEXT:
                    self.file_fault = f"文件太大，最大 {MOST_TEXT // 1000} KB"
                else:
                    data["outline"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.file_fault = "文件读不懂，请上传 GeoJSON 或 KML（不是 KMZ）"
        super().__init__(data, files, **options)

    def seen_anew(self, version: str) -> None:
        """Show the form again with what was typed, as of a later version of the record."""
        data: Any = self.data
        self.data = data = data.copy()
        data["seen"] = version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.file_fault:
            self.add_error("outline_file", self.file_fault)
        cleaned.pop("outline_file", None)
        return cleaned


class BaseForm(PointFields, OutlineFields):
    """A base as a person registers and corrects it."""

    name = forms.CharField(label="基地名称", max_length=100, help_text="如：东头豇豆地、一号大棚")
    region = RegionField(label="所在村")
    address = forms.CharField(label="详细地址", max_length=200, required=False)
    area_mu = _area("面积（亩）", "合同、确权证上的面积；和轮廓面积分开保存")
    facility = forms.ChoiceField(label="设施类型", required=False, choices=[NOT_SAID, *Base.Facility.choices])
    soil = forms.ChoiceField(label="土壤", required=False, choices=[NOT_SAID, *Base.Soil.choices])
    water = forms.ChoiceField(label="用水", required=False, choices=[NOT_SAID, *Base.Water.choices])
    nearby = forms.MultipleChoiceField(
        label="一公里内的污染源",
        required=False,
        choices=[(NOTHING_NEARBY, "看过，没有"), *Base.Nearby.choices],
        widget=forms.CheckboxSelectMultiple,
    )
    environment = forms.CharField(
        label="环境说明", max_length=200, required=False, help_text="如：2026 年 3 月土壤检测合格，报告编号……"
    )
    varieties = forms.CharField(
        label="品种", max_length=100, required=False, help_text="印在标识牌上，如：美蕉 901 豇豆"
    )
    measures = forms.CharField(
        label="技术措施",
        max_length=600,
        required=False,
        help_text="印在标识牌上，一行写一条",
        widget=forms.Textarea({"rows": 5}),
    )
    keeper = forms.CharField(
        label="责任人", max_length=60, required=False, help_text="印在标识牌上、公开；农户只印姓，不填印主体联系人的姓"
    )

    @classmethod
    def new(cls, operator: Operator, data: Any = None, files: Any = None) -> "BaseForm":
        """The empty form, at the operator's place."""
        return cls(data, files, initial={"region": operator.region_id})

    @classmethod
    def of(cls, base: Base, data: Any = None, files: Any = None, *, hides_address: bool = False) -> "BaseForm":
        """The form filled with what is on record; an address that is personal stays out unless it is the own one."""
        initial = {name: getattr(base, name) for name in cls.base_fields if hasattr(base, name)}
        nearby = [NOTHING_NEARBY] if base.nearby == [] else base.nearby
        initial |= {"region": base.region_id, "nearby": nearby, "seen": version_of(base)}
        form = cls(data, files, initial=initial | ({"address": ""} if hides_address else {}))
        form.withheld = hides_address and bool(base.address)
        if form.withheld:
            form.fields["address"].widget.attrs["placeholder"] = f"{base.shown_address}（留空＝不改）"
        return form

    withheld = False

    def clean_nearby(self) -> list[str] | None:
        chosen: list[str] = self.cleaned_data["nearby"]
        if NOTHING_NEARBY in chosen and len(chosen) > 1:
            raise ValidationError("选了“没有”，就不能再选别的", code="contradiction")
        return [] if chosen == [NOTHING_NEARBY] else chosen or None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.withheld and not cleaned.get("address"):
            cleaned.pop("address", None)
        return cleaned


class PlotForm(OutlineFields):
    """A plot as a person marks it out and corrects it."""

    name = forms.CharField(label="名称或编号", max_length=60, help_text="如：1 号地、北塘")
    area_mu = _area("面积（亩）", "不填时按轮廓面积算")
    product = forms.ModelChoiceField(
        label="产品",
        required=False,
        queryset=Product.objects.national().order_by("-is_key", "code"),
        empty_label="没有填",
    )

    @classmethod
    def of(cls, plot: Plot, data: Any = None, files: Any = None) -> "PlotForm":
        """The form filled with what is on record."""
        initial = {"name": plot.name, "area_mu": plot.area_mu, "product": plot.product_id, "outline": plot.outline}
        return cls(data, files, initial=initial | {"seen": version_of(plot)})
