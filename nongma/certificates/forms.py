from decimal import Decimal
from typing import Any

from django import forms

from nongma.certificates.labels import SIZES
from nongma.certificates.labels.layout import DEFAULT_SIZE
from nongma.certificates.models import Basis, Certificate, CertificateTemplate
from nongma.tracing.forms import HoldingFilter, QuantityField, ReasonField
from nongma.tracing.models import Lot

SIZE_CHOICES = [(name, f"{name.replace('x', '×')} 毫米") for name in SIZES]


class IssueForm(forms.Form):
    """What a certificate is issued for: all that has none yet, unless the grower says less."""

    quantity = QuantityField(label="数量")
    basis = forms.ChoiceField(label="承诺依据", choices=Basis.choices, widget=forms.RadioSelect)
    show_phone = forms.BooleanField(label="在标签上印出完整手机号", required=False)
    promise = forms.BooleanField(label="我作出以上承诺", error_messages={"required": "请先阅读承诺并勾选"})

    def __init__(
        self, data: Any = None, *, lot: Lot, left: Decimal, template: CertificateTemplate, is_owner: bool
    ) -> None:
        super().__init__(data, initial={"quantity": f"{left.normalize():f}", "basis": Basis.QUALITY_CONTROL})
        unit = lot.get_unit_display()
        self.fields["quantity"].label = f"数量（{unit}）"
        self.fields["quantity"].help_text = f"最多 {left.normalize():f} {unit}"
        if lot.operator.phone:
            full, masked = f" {lot.operator.phone}" if is_owner else "完整的手机号", lot.operator.masked_phone
            self.fields["show_phone"].help_text = f"勾选印{full}，不勾选印 {masked}；扫码页面上始终隐去中间四位"
        else:
            del self.fields["show_phone"]
        basis = self.fields["basis"]
        assert isinstance(basis, forms.ChoiceField)
        basis.choices = template.bases

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned.pop("promise", None)
        return cleaned


class RevokeForm(forms.Form):
    """Why a certificate is taken back."""

    reason = ReasonField(label="作废原因", help_text="会记入档案，也会告诉扫码的人")


class LabelForm(forms.Form):
    """How labels are printed."""

    size = forms.ChoiceField(label="标签尺寸", choices=SIZE_CHOICES, required=False, initial=DEFAULT_SIZE)
    copies = forms.IntegerField(label="每张印几份", min_value=1, max_value=500, required=False, initial=1)
    sheet = forms.ChoiceField(label="纸张", choices=[("roll", "标签卷纸"), ("a4", "A4 纸（自己裁开）")], required=False)
    signed = forms.BooleanField(label="加印离线验签码（100×70）", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["size"] = cleaned.get("size") or DEFAULT_SIZE
        cleaned["copies"] = cleaned.get("copies") or 1
        return cleaned


class CertificateFilter(HoldingFilter):
    """What the list of certificates is narrowed by."""

    hint = "合格证码、批次码、产品名称"
    states = Certificate.State.choices
