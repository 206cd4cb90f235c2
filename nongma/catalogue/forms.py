from typing import Any

from django import forms
from django.utils import timezone

from nongma.catalogue.models import Ban, Industry
from nongma.lib.forms import ANY


class ProductFilter(forms.Form):
    """What the list of products is narrowed by."""

    q = forms.CharField(
        label="查找", required=False, max_length=40, widget=forms.TextInput({"placeholder": "名称、别名、英文名、代码"})
    )
    industry = forms.ChoiceField(label="所属行业", required=False, choices=[ANY, *Industry.choices])
    key = forms.BooleanField(label="只看重点品种", required=False)


class BanFilter(forms.Form):
    """What the list of bans is narrowed by; without a day it is today's."""

    q = forms.CharField(
        label="查找", required=False, max_length=40, widget=forms.TextInput({"placeholder": "药物、范围、公告号"})
    )
    kind = forms.ChoiceField(label="类别", required=False, choices=[ANY, *Ban.Kind.choices])
    degree = forms.ChoiceField(label="程度", required=False, choices=[ANY, *Ban.Degree.choices])
    on = forms.DateField(
        label="在这一天有效", required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )

    def clean_on(self) -> Any:
        return self.cleaned_data["on"] or timezone.localdate()
