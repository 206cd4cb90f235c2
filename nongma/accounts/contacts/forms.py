from typing import Any

from django import forms

from nongma.accounts.contacts.services import REQUIRED, checked
from nongma.accounts.models import Contact, ContactState
from nongma.accounts.models.contacts import LABELS, LEVELS, Entry
from nongma.lib.forms import ANY, show_refusal
from nongma.lib.refused import Refused
from nongma.regions.forms import RegionField

PERSONAL = {"autocomplete": "off"}


class ContactFilterForm(forms.Form):
    """What the register is narrowed by."""

    q = forms.CharField(
        label="查找", required=False, max_length=60, widget=forms.TextInput({"placeholder": "单位名称"})
    )
    level = forms.ChoiceField(
        label="层级", required=False, choices=[ANY, *((str(int(level)), level.label) for level in LEVELS)]
    )
    state = forms.ChoiceField(label="状态", required=False, choices=[ANY, *ContactState.choices])
    region = RegionField(required=False)


def _text(name: str, **attributes: str) -> forms.CharField:
    return forms.CharField(label=LABELS[name], required=name in REQUIRED, widget=forms.TextInput(PERSONAL | attributes))


class ContactForm(forms.Form):
    """An agency's line of 附件2; what is missing is said at the report, so that a half may be kept."""

    use_required_attribute = False

    lead_name = _text("lead_name")
    lead_title = _text("lead_title")
    lead_landline = _text("lead_landline", type="tel", placeholder="如 0898-88381234")
    lead_mobile = _text("lead_mobile", type="tel")
    person_name = _text("person_name")
    person_landline = _text("person_landline", type="tel", placeholder="如 0898-88381234")
    person_mobile = _text("person_mobile", type="tel")
    person_email = _text("person_email", type="email")
    note = _text("note")

    def __init__(self, data: Any = None, *, unit: str, contact: Contact | None = None, is_report: bool = False) -> None:
        initial = {name: getattr(contact, name) for name in self.base_fields} if contact else {}
        super().__init__(data, initial=initial)
        self.unit = unit
        if data is not None and not is_report:
            for field in self.fields.values():
                field.required = False

    def clean(self) -> dict[str, Any]:
        """Every fault at once: what the service would refuse one by one stands beside its field."""
        cleaned = super().clean() or {}
        for name, text in list(cleaned.items()):
            try:
                cleaned[name] = checked(name, text)
            except Refused as refusal:
                show_refusal(self, refusal)
        return cleaned

    @property
    def entry(self) -> Entry:
        return Entry(self.unit, **self.cleaned_data)
