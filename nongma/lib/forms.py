"""What forms of every room need."""

from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates

from nongma.lib.refused import Refused

ANY = ("", "全部")
"""The choice of a filter that leaves everything in."""


def is_narrowed_further(form: forms.Form) -> bool:
    """Whether a filter's fields besides the search `q` narrow the list, or are wrong."""
    chosen = {**form.cleaned_data, "q": ""}
    return bool(form.errors) or any(chosen.values())


def narrowed_in_words(form: forms.Form) -> str:
    """What a filter's valid fields narrow a list to: 地区：崖州区；状态：待审核.

    What was typed to search (`q`) is left out: it may be a name or a phone.
    """
    chosen = {name: value for name, value in form.cleaned_data.items() if name != "q" and value not in (None, "")}
    return (
        "；".join(f"{form[name].label}：{_choice(form.fields[name], value)}" for name, value in chosen.items())
        or "全部"
    )


def show_refusal(form: forms.Form, refusal: Refused, **shown_by: str) -> None:
    """Put a refusal beside the field that it names, or on top of the form.

    `shown_by`: the field in which an input of another name is typed (point="longitude").
    """
    error = forms.ValidationError(refusal.message, code=refusal.code)
    field = shown_by.get(refusal.field, refusal.field)
    form.add_error(field if field in form.fields else None, error)


class NamedField(forms.BoundField):
    """A field of a form that asks for what is missing by its name: 请填写数量."""

    def __init__(self, form: Any, field: forms.Field, name: str) -> None:
        super().__init__(form, field, name)
        if field.error_messages["required"] == forms.Field.default_error_messages["required"]:
            # The field is the form's own copy, made anew for every request.
            field.error_messages["required"] = f"请{_asked_to(field)}{str(self.label).partition('（')[0]}"


class Renderer(DjangoTemplates):
    """Django's own, with fields that know their names (`FORM_RENDERER`)."""

    bound_field_class = NamedField


def _choice(field: forms.Field, value: Any) -> Any:
    """A chosen value as the form shows it."""
    if not isinstance(field, forms.ChoiceField):
        return value
    return next((label for choice, label in list(field.widget.choices) if choice == value), value)


def _asked_to(field: forms.Field) -> str:
    """What a person does with such a field."""
    if isinstance(field.widget, forms.CheckboxInput):
        return "勾选"
    if isinstance(field, forms.ChoiceField | forms.FileField) or isinstance(field.widget, forms.widgets.ChoiceWidget):
        return "选择"
    return "填写"
