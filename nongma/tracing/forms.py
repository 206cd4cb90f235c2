from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.models import Base
from nongma.tracing import queries
from nongma.tracing.models import Lot

ANY = ("", "全部")
NUMBER = {"inputmode": "decimal", "autocomplete": "off"}


class QuantityField(forms.DecimalField):
    """A quantity as people type it; the rules of what it may be are the service's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=3, widget=forms.TextInput(NUMBER), **options)


class ReasonField(forms.CharField):
    """Why something is done, for the record."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, widget=forms.Textarea({"rows": 3}), **options)


class ProductSelect(forms.Select):
    """Products, each with the units that it is traded in, for the page's script."""

    def create_option(self, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **options)
        product = getattr(option["value"], "instance", None)
        if isinstance(product, Product):
            option["attrs"]["data-units"] = " ".join(product.trade_units)
        return option


class HarvestForm(forms.Form):
    """What was harvested: only the quantity must be typed, the rest starts at what was registered last."""

    product = forms.ModelChoiceField(label="产品", queryset=Product.objects.none(), widget=ProductSelect)
    quantity = QuantityField(label="数量")
    unit = forms.ChoiceField(label="单位", choices=Unit.choices)
    base = forms.ModelChoiceField(label="基地", queryset=Base.objects.none(), empty_label=None)
    harvested_on = forms.DateField(label="采收日期", widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        usual = queries.usual_harvest(user)
        super().__init__(
            data,
            initial={
                "base": usual.base,
                "product": usual.product,
                "unit": usual.unit,
                "harvested_on": timezone.localdate(),
            },
        )
        bases, products = self.fields["base"], self.fields["product"]
        assert isinstance(bases, forms.ModelChoiceField)
        assert isinstance(products, forms.ModelChoiceField)
        bases.queryset = Base.objects.visible_to(user)
        products.queryset = queries.products_of(user)
        self.has_base = bases.queryset.exists()
        traded = {unit for product in products.queryset for unit in product.trade_units}
        self.fields["unit"] = forms.ChoiceField(
            label="单位", choices=[choice for choice in Unit.choices if choice[0] in traded]
        )


class LotFilter(forms.Form):
    """What the list of lots is narrowed by."""

    q = forms.CharField(
        label="查找", required=False, max_length=60, widget=forms.TextInput({"placeholder": "批次码、产品名称"})
    )
    state = forms.ChoiceField(label="状态", required=False, choices=[ANY, *Lot.State.choices])
    region = forms.ChoiceField(label="地区", required=False)

    def __init__(self, data: Any, *, regions: Iterable[Region] = ()) -> None:
        super().__init__(data)
        choices = [ANY, *((str(region.code), region.name) for region in regions)]
        self.fields["region"] = forms.ChoiceField(label="地区", required=False, choices=choices)


class SplitForm(forms.Form):
    """The parts that a lot is divided into."""

    quantities = forms.CharField(
        label="每一份的数量",
        max_length=2_000,
        widget=forms.TextInput({"inputmode": "text", "autocomplete": "off", "placeholder": "如 100 50 50"}),
        help_text="用空格隔开；没有写到的留在原批次",
    )

    def clean_quantities(self) -> list[Decimal]:
        text = self.cleaned_data["quantities"].replace("，", " ").replace("、", " ").replace("；", " ")
        try:
            return [Decimal(part) for part in text.split()]
        except InvalidOperation:
            raise forms.ValidationError("只写数字，用空格隔开", code="not_a_number") from None


class MixForm(forms.Form):
    """The other lots that are poured together with this one, each with all that is left of it."""

    others = forms.ModelMultipleChoiceField(
        label="和哪些批次混装",
        queryset=Lot.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="每个批次剩余的全部数量都会进入新批次",
    )

    def __init__(self, data: Any = None, *, lot: Lot, user: User) -> None:
        super().__init__(data)
        others = self.fields["others"]
        assert isinstance(others, forms.ModelMultipleChoiceField)
        others.queryset = queries.mixable_with(lot, user)
        others.label_from_instance = _with_balance  # type: ignore[method-assign, assignment]


def _with_balance(lot: Any) -> str:
    return f"{lot.made_on} {lot.get_kind_display()} {lot.balance.normalize():f} {lot.get_unit_display()} · {lot.code}"


class TransferForm(forms.Form):
    """To whom how much is sold."""

    quantity = QuantityField(label="数量")
    buyer = forms.CharField(
        label="购买方主体码",
        required=False,
        max_length=30,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text="20 位；购买方会自动得到一个新批次",
    )
    buyer_name = forms.CharField(
        label="购买方名称", required=False, max_length=100, help_text="购买方没有登记时填写，如：崖城市场 3 号摊"
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        code = cleaned.get("buyer", "").replace(" ", "")
        cleaned["buyer"] = None
        if code:
            try:
                cleaned["buyer"] = queries.buyer_of(code)
            except Refused as refusal:
                self.add_error("buyer", forms.ValidationError(refusal.message, code=refusal.code))
        return cleaned


class LossForm(forms.Form):
    """How much was lost."""

    quantity = QuantityField(label="损耗数量")


class ReasonForm(forms.Form):
    """Why a lot is stopped or let go."""

    reason = ReasonField(label="原因", help_text="会记入档案，也会告诉扫码的人")
