from typing import Any

from django import forms
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Ban, Industry, Product, Unit
from nongma.catalogue.services import SCALE_UNITS
from nongma.lib.forms import ANY
from nongma.regions.forms import RegionField
from nongma.regions.models import Region


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


class CountyProductForm(forms.Form):
    """A product that a county collects beside the nation's; of one on file, industry and unit stay."""

    name = forms.CharField(label="产品名称", max_length=40, help_text="按 NY/T 3177《农产品分类和代码》的名称填写")
    aliases = forms.CharField(label="别名", required=False, max_length=400, help_text="几个别名用空格隔开，导入时认得")
    kind = forms.ChoiceField(label="所属行业和规模单位")
    threshold = forms.DecimalField(
        label="采集规模",
        required=False,
        max_digits=10,
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal"}),
        help_text="达到多少就要采集；不填的，都可以采集",
    )
    source = forms.CharField(label="依据", max_length=200, help_text="定这个产品和规模的文件名称、文号")
    region = RegionField(label="县（市、区）")

    def __init__(self, data: Any = None, *, user: User, product: Product | None = None) -> None:
        initial: dict[str, Any] = {}
        if product:
            initial = {"name": product.name, "aliases": " ".join(product.aliases), "source": product.source}
            initial |= {"threshold": product.threshold}
        super().__init__(data, initial=initial)
        home = home_county(user)
        if product:
            del self.fields["kind"], self.fields["region"]
        else:
            kind = self.fields["kind"]
            assert isinstance(kind, forms.ChoiceField)
            kind.choices = [
                (f"{industry.value}:{unit.value}", f"{industry.label}，按{Unit(unit).label}")
                for industry, units in SCALE_UNITS.items()
                for unit in units
            ]
            if home:
                self.fields["region"].initial = home.code_text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["aliases"] = cleaned.get("aliases", "").replace("、", " ").replace("，", " ").split()
        if kind := cleaned.pop("kind", ""):
            cleaned["industry"], _, cleaned["unit"] = kind.partition(":")
        return cleaned


def home_county(user: User) -> Region | None:
    """The one county whose products the person sets; None for who looks after several."""
    spans = scope_of(user, Action.ADD_PRODUCTS).spans
    found = Region.objects.filter(pk=spans[0].start).first() if len(spans) == 1 else None
    return found if found and found.level == Region.Level.COUNTY else None
