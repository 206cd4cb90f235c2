from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.lib.forms import ANY, show_refusal
from nongma.lib.refused import Refused
from nongma.regions.forms import RegionField
from nongma.regions.models import Region
from nongma.regions.spans import NOWHERE, span_of
from nongma.registry.models import Base, Operator
from nongma.registry.models.bases import BaseQuerySet
from nongma.tracing import queries
from nongma.tracing.buyers import MOST_FOUND, buyers_found
from nongma.tracing.growing import grown_on_bases, product_groups
from nongma.tracing.models import Lot
from nongma.tracing.services import OLDEST_HARVEST, checked_quantity

NUMBER = {"inputmode": "decimal", "autocomplete": "off"}


class QuantityField(forms.DecimalField):
    """A quantity as people type it; the rules of what it may be are the service's."""

    def __init__(self, *, left: Decimal | None = None, **options: Any) -> None:
        hint = {} if left is None else {"placeholder": f"全部 {left.normalize():f}"}
        super().__init__(max_digits=14, decimal_places=3, widget=forms.TextInput(NUMBER | hint), **options)


class ReasonField(forms.CharField):
    """Why something is done, for the record."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, widget=forms.Textarea({"rows": 3}), **options)


class ProductSelect(forms.Select):
    """Products, each with what the page's script needs: the units it is traded in, its industry and its bases."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.products: dict[int, Product] = {}
        self.grown: dict[int, list[int]] = {}

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **options)
        product = self.products.get(value)
        if product:
            option["attrs"] |= {
                "data-units": ",".join(f"{unit}={Unit(unit).label}" for unit in product.trade_units),
                "data-industry": product.get_industry_display(),
                "data-bases": " ".join(str(base) for base, grown in self.grown.items() if value in grown),
                "data-code": product.code,
            }
        return option


class HarvestForm(forms.Form):
    """What was harvested: only the quantity must be typed, the rest starts at what was registered last.

    Units are the product's: the page's script offers no others, and without script the service says which.
    """

    base = forms.ModelChoiceField(label="基地", queryset=Base.objects.none(), empty_label=None)
    product = forms.ModelChoiceField(label="产品", queryset=Product.objects.none(), widget=ProductSelect)
    quantity = QuantityField(label="数量")
    unit = forms.CharField(label="单位", max_length=8, widget=forms.Select)
    harvested_on = forms.DateField(label="采收日期", widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        usual, today = queries.usual_harvest(user), timezone.localdate()
        super().__init__(
            data,
            initial={"base": usual.base, "product": usual.product, "unit": usual.unit, "harvested_on": today},
        )
        bases = self.fields["base"]
        assert isinstance(bases, forms.ModelChoiceField)
        bases.queryset = Base.objects.visible_to(user).in_use()
        self.has_base = bases.queryset.exists()
        base = _chosen(self, "base", {each.pk: each for each in bases.queryset}) or usual.base
        self._offer_products(user, base, bases.queryset)
        self.fields["harvested_on"].widget.attrs |= {"min": f"{today - OLDEST_HARVEST}", "max": f"{today}"}

    def _offer_products(self, user: User, base: Base | None, bases: BaseQuerySet) -> None:
        products, unit = self.fields["product"], self.fields["unit"]
        assert isinstance(products, forms.ModelChoiceField)
        assert isinstance(products.widget, ProductSelect)
        assert isinstance(unit.widget, forms.Select)
        # What the counties of the bases added is harvested there, too.
        products.queryset = Product.objects.offered_within(
            span_of(code) for code in set(bases.values_list("region_id", flat=True))
        ).order_by("code")
        listed = list(products.queryset)
        by_id = {product.pk: product for product in listed}
        grown = grown_on_bases(user)
        groups = product_groups(listed, grown, base)
        products.widget.products, products.widget.grown = by_id, grown
        products.widget.choices = [
            ("", "请选择产品"),
            *((label, [(each.pk, each.name) for each in members]) for label, members in groups),
        ]
        product = _chosen(self, "product", by_id)
        traded = product.trade_units if product else {each for one in listed for each in one.trade_units}
        unit.widget.choices = [choice for choice in Unit.choices if choice[0] in traded]


def _chosen(form: forms.Form, name: str, among: dict[int, Any]) -> Any:
    """What was sent for a field, among what is offered; None for a form that was not sent."""
    value = str(form[name].value() or "") if form.is_bound else ""
    return next((offered for pk, offered in among.items() if str(pk) == value), None)


class HoldingFilter(forms.Form):
    """What a list of lots or certificates is narrowed by; an official also by any division of the own area."""

    hint: ClassVar[str]
    states: ClassVar[list[tuple[str, str]]]

    q = forms.CharField(label="查找", required=False, max_length=60)
    state = forms.ChoiceField(label="状态", required=False)
    region = RegionField(label="地区", required=False)

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        self.fields["q"].widget.attrs["placeholder"] = self.hint
        state, region = self.fields["state"], self.fields["region"]
        assert isinstance(state, forms.ChoiceField)
        assert isinstance(region, RegionField)
        state.choices = [ANY, *self.states]
        self.by_region = not user.is_operator
        if self.by_region:
            region.queryset = Region.objects.current().filter(scope_of(user).query("code"))
            region.error_messages["invalid_choice"] = "您的辖区里没有这个行政区划，请重新选择"
        else:
            del self.fields["region"]

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked for, sensible or not."""
        return not self.is_valid() or any(self.cleaned_data.values())

    @property
    def wanted(self) -> dict[str, Any]:
        """Text, state and area, as the lists take them; what makes no sense is found nowhere."""
        if not self.is_valid():
            return {"text": "", "state": "", "within": NOWHERE}
        region: Region | None = self.cleaned_data.get("region")
        return {
            "text": self.cleaned_data["q"],
            "state": self.cleaned_data["state"],
            "within": region.span if region else None,
        }


class LotFilter(HoldingFilter):
    """What the list of lots is narrowed by."""

    hint = "批次码、产品名称"
    states = Lot.State.choices


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
    """How much of this lot and of which others is poured together; an empty quantity takes all that is left.

    A quantity beside a lot chooses it, ticked or not.
    """

    def __init__(self, data: Any = None, *, lot: Lot, balance: Decimal, user: User) -> None:
        super().__init__(data)
        self.lot = lot
        self.offered: list[Any] = list(queries.mixable_with(lot, user))
        self.left = {lot.pk: balance} | {each.pk: each.balance for each in self.offered}
        for each in (lot, *self.offered):
            self.fields[_amount(each)] = QuantityField(
                label=f"数量（{each.get_unit_display()}）", required=False, left=self.left[each.pk]
            )
        self.fields["others"] = forms.TypedMultipleChoiceField(
            label="和哪些批次混装",
            required=False,
            coerce=int,
            choices=[(each.pk, each.code) for each in self.offered],
        )

    @property
    def own_amount(self) -> forms.BoundField:
        return self[_amount(self.lot)]

    @property
    def rows(self) -> list[tuple[Lot, forms.BoundField, bool]]:
        """Each other lot, the field for its quantity and whether it is ticked."""
        ticked = {str(value) for value in self["others"].value() or ()}
        return [(each, self[_amount(each)], str(each.pk) in ticked) for each in self.offered]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for each in (self.lot, *self.offered):
            amount = cleaned.get(_amount(each))
            if amount is not None:
                self._check(each, amount)
        chosen = [each for each in self.offered if each.pk in cleaned.get("others", ()) or cleaned.get(_amount(each))]
        if not chosen and not self.errors:
            self.add_error("others", forms.ValidationError("请至少选择一个批次", code="too_few_parts"))
        return {"parts": [(each, cleaned.get(_amount(each))) for each in (self.lot, *chosen)]}

    def _check(self, lot: Lot, amount: Decimal) -> None:
        """Say beside its field what the service would say of the whole."""
        try:
            checked_quantity(amount, lot.unit, field=_amount(lot))
        except Refused as refusal:
            show_refusal(self, refusal)
        else:
            if amount > self.left[lot.pk]:
                left = f"{self.left[lot.pk].normalize():f} {lot.get_unit_display()}"
                self.add_error(_amount(lot), forms.ValidationError(f"只剩 {left}", code="over_balance"))


def _amount(lot: Lot) -> str:
    return f"amount_{lot.pk}"


class BuyerSearch(forms.Form):
    """What a buyer is looked for by."""

    find = forms.CharField(
        label="查找购买方",
        required=False,
        max_length=60,
        widget=forms.TextInput(
            {"type": "search", "autocomplete": "off", "placeholder": "名称的一部分，或 20 位主体码"}
        ),
    )


class TransferForm(forms.Form):
    """To whom how much is sold: a buyer chosen from those found, or anybody by name."""

    buyer = forms.CharField(label="购买方", required=False, max_length=30)
    buyer_name = forms.CharField(
        label="没有登记的购买方", required=False, max_length=100, help_text="上面找不到时填名称，如：崖城市场 3 号摊"
    )
    quantity = QuantityField(label="数量")

    def __init__(self, data: Any = None, *, seller: Operator, find: str = "", chosen: str = "") -> None:
        super().__init__(data, initial={"buyer": chosen})
        self.buyers = buyers_found(seller, find)
        chosen = str(self["buyer"].value() or "").replace(" ", "")
        if chosen and all(buyer.code != chosen for buyer in self.buyers):
            self.buyers = [*(buyer for buyer in buyers_found(seller, chosen) if buyer.code == chosen), *self.buyers]
        self.chosen = chosen
        self.is_cut = bool(find) and len(self.buyers) >= MOST_FOUND

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
