"""How the audit log reads on a page."""

from typing import Any

from django import template

from nongma.accounts.models import Role
from nongma.audit import labels

VALUES = {"session": "网页", "token": "接口", **dict(Role.choices)}

register = template.Library()
register.filter("action_label", labels.action_label)
register.filter("kind_label", labels.kind_label)


@register.filter
def details_text(details: dict[str, Any]) -> str:
    """What an entry says beside who, what and when: its values in the order written, lists by their length."""
    return "，".join(
        f"{labels.detail_label(name)} {_value_text(value)}"
        for name, value in details.items()
        if value not in ("", None)
    )


def _value_text(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} 项"
    return VALUES.get(value, str(value)) if isinstance(value, str) else str(value)
