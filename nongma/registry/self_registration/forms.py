from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from unicodedata import normalize

from django import forms
from django.core.exceptions import ValidationError

from nongma.catalogue.models import Industry, Product, Unit
from nongma.lib.refused import Misfilled
from nongma.regions.models import Region
from nongma.regions.queries import search
from nongma.registry.forms import OperatorForm
from nongma.registry.models import PERSONS, OperatorKind
from nongma.registry.self_registration.photos import plain_photo
from nongma.registry.self_registration.services import Declared

ROWS = (1, 2, 3)
NEEDS_EITHER = (OperatorKind.FAMILY_FARM,)
"""Who has a licence or goes by the ID number of its head."""


class PhoneForm(forms.Form):
    """Where the code goes."""

    phone = forms.CharField(
        label="手机号",
        max_length=20,
        widget=forms.TextInput({"type": "tel", "inputmode": "tel", "autocomplete": "tel-national", "autofocus": True}),
    )


class TextCodeForm(forms.Form):
    """The six digits of the text message."""

    code = forms.RegexField(
        r"^\s*\d{3}\s*\d{3}\s*$",
        label="短信里的 6 位验证码",
        error_messages={"invalid": "请输入短信里的六位数字"},
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "8", "autofocus": True}
        ),
    )

    def clean_code(self) -> str:
        return normalize("NFKC", "".join(self.cleaned_data["code"].split()))


class ScaleField(forms.DecimalField):
    """How much of a product, in the unit that is chosen with it."""

    def __init__(self) -> None:
        super().__init__(
            label="规模",
            required=False,
            min_value=Decimal("0.01"),
            max_digits=12,
            decimal_places=2,
            widget=forms.TextInput({"inputmode": "decimal"}),
        )


class ProduceFields(forms.Form):
    """Three products, each in the unit that its scale is counted in, and how much; all may stay empty."""

    product_1 = forms.ChoiceField(label="产品一", required=False)
    scale_1 = ScaleField()
    product_2 = forms.ChoiceField(label="产品二", required=False)
    scale_2 = ScaleField()
    product_3 = forms.ChoiceField(label="产品三", required=False)
    scale_3 = ScaleField()
    numbers: Sequence[int] = ROWS

    def offer_products(self) -> None:
        """Fill the choices, by industry, with one query."""
        self.products = {product.code: product for product in Product.objects.national().order_by("-is_key", "code")}
        groups: dict[str, list[tuple[str, str]]] = {label: [] for label in Industry.labels}
        for product in self.products.values():
            groups[Industry(product.industry).label] += [
                (f"{product.code}:{unit}", f"{product.name}（{Unit(unit).label}）") for unit in product.scale_units
            ]
        for number in self.numbers:
            field = self.fields[f"product_{number}"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "请选择"), *groups.items()]

    def take_produce(self, cleaned: dict[str, Any]) -> None:
        """Put `produce` in the place of the rows: product, unit and scale of each."""
        produce: list[Declared] = []
        for number in self.numbers:
            chosen, scale = cleaned.pop(f"product_{number}", ""), cleaned.pop(f"scale_{number}", None)
            if not chosen and scale:
                self.add_error(f"product_{number}", "请选择产品")
            elif chosen:
                code, _, unit = chosen.partition(":")
                if any(self.products[code] == one.product for one in produce):
                    self.add_error(f"product_{number}", "这个产品上面已经选过")
                else:
                    produce.append(Declared(self.products[code], unit, scale))
        cleaned["produce"] = produce


class LicenceField(forms.Form):
    """The photo of the licence, as `plain_photo` gives it."""

    licence = forms.FileField(
        label="营业执照照片",
        required=False,
        widget=forms.FileInput({"accept": "image/jpeg,image/png"}),
        help_text="拍清楚四个角，审核会快一些；照片不存在草稿里",
    )

    def clean_licence(self) -> bytes | None:
        given = self.cleaned_data["licence"]
        try:
            return plain_photo(given) if given else None
        except Misfilled as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from None


class SelfRegistrationForm(LicenceField, ProduceFields, OperatorForm):
    """An operator as its own person registers it: of the numbers, what its types need (`numbers_needed`)."""

    consent = forms.BooleanField(
        label="我同意按《个人信息说明》收集和使用这些信息",
        error_messages={"required": "要您同意才能登记"},
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        initial: Mapping[str, Any] | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        """`kept`: what is on file already and is not shown before it is proved whose it is, masked; empty keeps it."""
        # A browser without script has sent only what stands in the picker's text box.
        if data is not None and not data.get("region") and (found := _only_village(data.get("region_text", ""))):
            data = data.copy()
            data["region"] = found.code_text
        super().__init__(data, files, initial=dict(initial or {}))
        self.offer_products()
        self.fields["kinds"].label = "您是做什么的"
        self.fields["region"].label = "所在的村（社区）"
        self.fields["region"].error_messages["required"] = "请选择所在的村（社区）"
        self.fields["address"].help_text = "门牌号、组、队"
        self.fields["uscc"].help_text = "营业执照上的 18 位代码"
        self.fields["id_number"].help_text = "户主或本人的；加密保存，不会出现在码和公开页面里"
        self.fields["contact"].required = False
        self.kept = {name: mask for name, mask in (kept or {}).items() if mask}
        for name, mask in self.kept.items():
            self.fields[name].widget.attrs["placeholder"] = f"{mask}（留空＝不改）"
            self.fields[name].help_text = "已登记，留空＝不改"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kinds = cleaned.get("kinds", [])
        need_uscc, need_id = numbers_needed(kinds)
        has_uscc, has_id = bool(cleaned.get("uscc")), bool(cleaned.get("id_number") or self.kept.get("id_number"))
        if need_uscc and need_id and not has_uscc and not has_id:
            self._require("uscc", "有营业执照的填统一社会信用代码，没有的填身份证号")
        elif need_uscc and not need_id and not has_uscc:
            self._require("uscc", "请填写营业执照上的统一社会信用代码")
        elif need_id and not need_uscc and not has_id:
            self._require("id_number", "请填写身份证号")
        region = cleaned.get("region")
        if region and region.level != Region.Level.VILLAGE:
            self.add_error("region", "请选到村（社区）")
        if not cleaned.get("contact"):
            if goes_by_own_name(kinds):
                cleaned["contact"] = cleaned.get("name", "")[:60]
            else:
                self._require("contact", "请填写联系人")
        cleaned.pop("consent", None)
        self.take_produce(cleaned)
        return {name: value for name, value in cleaned.items() if value or name not in self.kept}

    def _require(self, name: str, told: str) -> None:
        if name not in self.errors:
            self.add_error(name, told)


def numbers_needed(kinds: list[str]) -> tuple[bool, bool]:
    """Whether a 统一社会信用代码 and whether an ID number is asked for; both: either will do."""
    chosen = set(kinds)
    persons, either = chosen & set(PERSONS), chosen & set(NEEDS_EITHER)
    if chosen - persons - either:
        return True, False
    return bool(either) and not persons, bool(chosen)


def goes_by_own_name(kinds: list[str]) -> bool:
    """Whether all types are a person's, who is the contact, too."""
    return bool(kinds) and set(kinds) <= set(PERSONS)


def _only_village(text: str) -> Region | None:
    """The village that a text names, if it names one only."""
    found = search(text.strip()[:60], None, Region.Level.VILLAGE, 2) if text.strip() else []
    exact = [region for region in found if region.full_name == text.strip()]
    return (exact or found)[0] if len(found) == 1 or exact else None
