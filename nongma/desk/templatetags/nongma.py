"""Template tags that every room's pages use: codes, quantities, dates, icons, form controls."""

import functools
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms, template
from django.conf import settings
from django.forms import BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from nongma.audit.labels import action_label
from nongma.audit.models import Entry
from nongma.codes.codec import encode

register = template.Library()


@functools.cache
def vendor_folder(name: str) -> str:
    """The folder of a vendored package, whose name ends with its version."""
    found = [path.name for path in (settings.ROOT / "static" / "vendor").glob(f"{name}-[0-9]*")]
    if len(found) != 1:
        raise LookupError(f"static/vendor has {len(found)} folders of {name}; run scripts/vendor.py")
    return f"vendor/{found[0]}"


@register.simple_tag
def vendor(name: str, file: str) -> str:
    """The address of a third-party file: `{% vendor 'maplibre-gl' 'maplibre-gl.css' %}`."""
    return static(f"{vendor_folder(name)}/{file}")


@register.simple_tag
def icon(name: str) -> SafeString:
    """A Tabler icon from the sprite; it carries no meaning that the words beside it do not."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static(f"{vendor_folder('tabler-icons')}/sprite.svg"),
        name,
    )


@register.simple_tag
def code20(serial: int) -> str:
    """The 20 printed digits of a serial."""
    return encode(serial)


@register.filter
def spaced(code: str) -> str:
    """A printed code in groups of four, as people read it out."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


@register.filter
def quantity(value: Decimal | int | float | None) -> str:
    """A quantity without useless zeros, with thousands apart: 1,250.5."""
    if value is None:
        return "—"
    text = f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def day(value: date | datetime | None) -> str:
    """A date as 2026-03-01, of a moment the day in China."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
    return value.strftime("%Y-%m-%d")


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """This page's query string with changes; None or an empty text takes a parameter away."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.filter
def deed(entry: Entry) -> str:
    """What an audit entry tells of, in the words of the trade."""
    return action_label(entry.action)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's control with the classes of the look."""
    widget = field.field.widget
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return field.as_widget()
    own = widget.attrs.get("class", "")
    if isinstance(widget, forms.CheckboxInput):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    return field.as_widget(attrs={"class": f"{kind} {own}".strip()})
