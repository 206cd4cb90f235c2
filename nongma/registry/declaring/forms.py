from collections.abc import Sequence
from typing import Any

from django import forms

from nongma.registry.models import Produce
from nongma.registry.self_registration.forms import ROWS, LicenceField, ProduceFields, ScaleField


class DeclaredForm(LicenceField, ProduceFields):
    """All that an operator grows or keeps, with a row left to add one, and a new photo of its licence."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, data: Any = None, files: Any = None, *, produce: Sequence[Produce], seen: str) -> None:
        initial: dict[str, Any] = {"seen": seen}
        for number, one in enumerate(produce, 1):
            scale = f"{one.scale.normalize():f}" if one.scale else None
            initial |= {f"product_{number}": f"{one.product.code}:{one.unit}", f"scale_{number}": scale}
        super().__init__(data, files, initial=initial)
        self.numbers = range(1, max(len(ROWS), len(produce) + 1) + 1)
        for number in self.numbers[len(ROWS) :]:
            self.fields[f"product_{number}"] = forms.ChoiceField(label=f"产品{number}", required=False)
            self.fields[f"scale_{number}"] = ScaleField()
        self.offer_products()
        self.fields["licence"].help_text = "JPG、PNG，10 MB 以内，拍清楚四个角；不换照片的不用传"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.take_produce(cleaned)
        return cleaned

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Each product with its scale."""
        return [(self[f"product_{number}"], self[f"scale_{number}"]) for number in self.numbers]
