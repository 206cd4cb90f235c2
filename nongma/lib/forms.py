"""What forms of every room need."""

from django import forms

from nongma.lib.refused import Refused


def show_refusal(form: forms.Form, refusal: Refused) -> None:
    """Put a refusal beside the field that it names, or on top of the form."""
    error = forms.ValidationError(refusal.message, code=refusal.code)
    form.add_error(refusal.field if refusal.field in form.fields else None, error)
