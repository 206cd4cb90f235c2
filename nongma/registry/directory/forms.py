from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone

from nongma.catalogue.models import Unit
from nongma.lib.forms import ANY
from nongma.regions.forms import RegionField
from nongma.regions.models import Region
from nongma.registry.directory.fields import LABELS
from nongma.registry.directory.figures import WHATS
from nongma.registry.directory.rules import MOST_MONTHS, subjects_of
from nongma.registry.models import ScaleRule


class EntryFilterForm(forms.Form):
    """What the list of entries is narrowed by."""

    q = forms.CharField(
        label="查找", required=False, max_length=60, widget=forms.TextInput({"placeholder": "名称的一部分"})
    )
    what = forms.ChoiceField(
        label="情况",
        required=False,
        choices=[ANY, *((name, label) for name, label in WHATS.items() if name != "listed")],
    )
    lack = forms.ChoiceField(label="缺哪一项", required=False, choices=[ANY, *LABELS.items()])
    region = RegionField(required=False)


class ExpectedForm(forms.Form):
    """Somebody who must be in the directory."""

    name = forms.CharField(label="名称", max_length=100, help_text="营业执照上的全称；家庭农场、农户写登记的名称")
    uscc = forms.CharField(
        label="统一社会信用代码", max_length=30, required=False, help_text="知道就填，登记后按它对上"
    )
    region = RegionField(label="所在地")
    source = forms.CharField(
        label="从哪里得知", max_length=100, widget=forms.TextInput({"placeholder": "如 市场监管登记 2026-05"})
    )


class StrikeForm(forms.Form):
    """Why somebody is taken off the list."""

    reason = forms.CharField(
        label="移出的原因", max_length=200, widget=forms.TextInput({"placeholder": "如 已经停业，走访核实"})
    )


class TermsForm(forms.Form):
    """How long entries and codes hold."""

    fresh_months = forms.IntegerField(label="信息几个月没有修改或确认，算待更新", min_value=1, max_value=MOST_MONTHS)
    idle_months = forms.IntegerField(label="几个月没有用码，算未赋码", min_value=1, max_value=MOST_MONTHS)


class RuleForm(forms.Form):
    """Who counts as operating at scale, from a day on."""

    subject = forms.ChoiceField(label="标准的对象")
    counts = forms.TypedChoiceField(
        label="算不算规模主体",
        choices=[("1", "算"), ("0", "不算")],
        coerce=lambda value: value == "1",
        initial="1",
        help_text="选“不算”，上级的标准在本地区不适用",
    )
    threshold = forms.DecimalField(
        label="达到多少",
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal"}),
        help_text="产品规模、行业规模要填；主体类型、持有认证不填",
    )
    unit = forms.ChoiceField(label="单位", required=False, choices=[("", "请选择"), *Unit.choices])
    valid_from = forms.DateField(label="从哪天起", widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    source = forms.CharField(
        label="依据", max_length=200, widget=forms.TextInput({"placeholder": "文件名称、文号、条款"})
    )

    def __init__(self, *args: Any, region: Region, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["subject"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", "请选择"),
            *(
                (
                    str(basis.label),
                    [(f"{basis.value}:{code}", name) for code, name in subjects_of(basis, within=region.pk).items()],
                )
                for basis in ScaleRule.Basis
            ),
        ]
        self.fields["valid_from"].initial = timezone.localdate

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if chosen := cleaned.get("subject"):
            basis, _, cleaned["subject"] = chosen.partition(":")
            cleaned["basis"] = ScaleRule.Basis(basis)
        return cleaned
