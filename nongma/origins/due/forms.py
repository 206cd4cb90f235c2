from typing import Any

from django import forms
from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.forms import ANY
from nongma.origins.due.terms import MOST, NAMES, Terms
from nongma.origins.filters import MonthField
from nongma.origins.models import CollectionTerms
from nongma.regions.forms import RegionField

LONGEST_RANGE = 24
LABELS = {field.name: str(field.verbose_name) for field in CollectionTerms._meta.concrete_fields}
TABS = {"open": "待采集", "overdue": "逾期", "done": "已完成"}


class DueFilterForm(forms.Form):
    """What the calendar is narrowed by."""

    tab = forms.ChoiceField(required=False, choices=list(TABS.items()), widget=forms.HiddenInput)
    region = RegionField(required=False)
    product = forms.CharField(label="产品", required=False, max_length=40)
    collector = forms.CharField(
        label="采集人", required=False, max_length=40, widget=forms.TextInput({"placeholder": "用户名或姓名"})
    )
    rhythm = forms.ChoiceField(label="频次", required=False, choices=[ANY, ("monthly", "每月"), ("season", "每茬")])
    month = MonthField(label="期限月份", required=False)

    def clean_tab(self) -> str:
        return self.cleaned_data["tab"] or "open"

    def clean_product(self) -> Product | None:
        written = self.cleaned_data["product"].strip()
        if not written:
            return None
        found = Product.objects.filter(name=written).first() or Product.objects.filter(code=written).first()
        if found is None:
            raise forms.ValidationError("没有这种产品，请填产品名称或代码", code="unknown_product")
        return found

    def clean_collector(self) -> list[int] | None:
        written = self.cleaned_data["collector"].strip()
        if not written:
            return None
        by_name = User.objects.filter(username=written) | User.objects.filter(name=written)
        return list(by_name.values_list("pk", flat=True)[:200])


class PunctualityForm(forms.Form):
    """Whose punctuality, and in which months."""

    region = RegionField(required=False)
    by = forms.ChoiceField(
        label="按什么统计", required=False, choices=[("town", "乡镇（街道）"), ("collector", "采集人")]
    )
    first = MonthField(label="从哪个月", required=False)
    last = MonthField(label="到哪个月", required=False)

    def clean_by(self) -> str:
        return self.cleaned_data["by"] or "town"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        this = timezone.localdate().replace(day=1)
        first, last = cleaned.get("first"), cleaned.get("last")
        last = cleaned["last"] = last or max(this, first or this)
        first = cleaned["first"] = first or last
        months = (last.year - first.year) * 12 + last.month - first.month
        if not 0 <= months < LONGEST_RANGE:
            self.add_error("last", f"从早的月份选到晚的月份，最多 {LONGEST_RANGE} 个月")
        return cleaned


class TermsForm(forms.Form):
    """The deadlines of a division, in days."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in NAMES:
            self.fields[name] = forms.IntegerField(label=LABELS[name], min_value=1, max_value=getattr(MOST, name))

    def terms(self) -> Terms:
        """What a valid form says."""
        return Terms(**self.cleaned_data)
