"""What the list of those missed is narrowed by."""

from django import forms

from nongma.catalogue.models import Product
from nongma.regions.forms import RegionField


class MissedFilterForm(forms.Form):
    """Place, product, and whether somebody was excused."""

    use_required_attribute = False

    region = RegionField(required=False)
    product = forms.ModelChoiceField(
        label="产品", queryset=Product.objects.order_by("-is_key", "code"), required=False, to_field_name="code",
        empty_label="全部",
    )  # fmt: skip
    waived = forms.ChoiceField(label="情况", required=False, choices=[("", "漏采"), ("1", "已免采")])
