from typing import Any

from django import forms

from nongma.lib.reasons import LONGEST
from nongma.registry.inputs import INPUTS

FAULT = "fault_"


class ReturnForm(forms.Form):
    """Why an operator is returned: on the whole, or input by input; each reason stands beside its field then."""

    reason = forms.CharField(label="退回原因", required=False, max_length=LONGEST, widget=forms.Textarea({"rows": 2}))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for name, label in INPUTS.items():
            self.fields[f"{FAULT}{name}"] = forms.CharField(label=label, required=False, max_length=LONGEST)

    @property
    def fault_fields(self) -> list[forms.BoundField]:
        """The fields for the reasons of single inputs."""
        return [self[name] for name in self.fields if name.startswith(FAULT)]

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with each input that was found fault with."""
        given = {name: self.cleaned_data[f"{FAULT}{name}"] for name in INPUTS}
        return {name: text for name, text in given.items() if text}


class ReasonForm(forms.Form):
    """Why something is done that needs a reason."""

    reason = forms.CharField(label="原因", max_length=LONGEST, widget=forms.Textarea({"rows": 2}))
