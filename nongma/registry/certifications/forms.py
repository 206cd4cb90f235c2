from typing import Any

from django import forms

from nongma.catalogue.models import Product
from nongma.registry.models import Certification


def _day(label: str, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), **options)


class CertificationForm(forms.Form):
    """A certification as an operator's owner or an agency enters it."""

    kind = forms.ChoiceField(label="认证类型", choices=Certification.Kind.choices)
    name = forms.CharField(label="认证名称", max_length=60, required=False, help_text="类型选“其他”时填")
    number = forms.CharField(label="证书编号", max_length=60, help_text="照证书抄写")
    issuer = forms.CharField(label="发证机构", max_length=100, required=False)
    from_on = _day("有效期起")
    to_on = _day("有效期止", required=False, help_text="农产品地理标志没有止期的，可以不填")
    file = forms.FileField(
        label="证书文件",
        required=False,
        help_text="扫描件或照片，PDF、JPG 或 PNG，10 MB 以内",
        widget=forms.FileInput({"accept": ".pdf,.jpg,.jpeg,.png"}),
    )
    products = forms.ModelMultipleChoiceField(
        label="认证产品",
        queryset=Product.objects.national().order_by("-is_key", "code"),
        widget=forms.CheckboxSelectMultiple,
    )

    @classmethod
    def of(cls, certification: Certification, data: Any = None, files: Any = None) -> "CertificationForm":
        """The form filled with what is on record."""
        names = ("kind", "name", "number", "issuer", "from_on", "to_on")
        initial = {name: getattr(certification, name) for name in names}
        form = cls(data, files, initial=initial | {"products": [one.pk for one in certification.products.all()]})
        if certification.file:
            form.fields["file"].help_text += "；留空＝不换"
        return form
