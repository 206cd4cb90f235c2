from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from nongma.regions.models import Region

if TYPE_CHECKING:
    RegionChoiceField = forms.ModelChoiceField[Region]
else:
    RegionChoiceField = forms.ModelChoiceField


class RegionField(RegionChoiceField):
    """A division by its 12-digit code, as the region picker sends it; a code of 2, 4, 6 or 9 digits is filled up."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", "行政区划")
        super().__init__(Region.objects.current(), widget=forms.HiddenInput, **options)
        self.error_messages["invalid_choice"] = "没有这个行政区划，请重新选择"

    def to_python(self, value: Any) -> Region | None:
        text = str(value or "").strip()
        if text and not (text.isascii() and text.isdecimal() and len(text) <= 12):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        found = super().to_python(text.ljust(12, "0") if text else None)
        return found if isinstance(found, Region) else None
