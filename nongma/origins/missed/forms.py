"""What the list of those missed is narrowed by."""

from typing import Any

from django import forms

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.regions.forms import RegionField


class MissedFilterForm(forms.Form):
    """Place, product, and whether somebody was excused."""

    use_required_attribute = False

    region = RegionField(required=False)
    product = forms.ModelChoiceField(
        label="产品", queryset=Product.objects.none(), required=False, to_field_name="code",
        empty_label="全部",
    )  # fmt: skip
    waived = forms.ChoiceField(label="情况", required=False, choices=[("", "漏采"), ("1", "已免采")])

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["product"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Product.objects.offered_within(scope_of(user).spans).order_by("-is_key", "code")
