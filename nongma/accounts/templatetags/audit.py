"""How the audit log reads on a page."""

from typing import Any

from django import template

from nongma.audit import labels

register = template.Library()
register.filter("action_label", labels.action_label)
register.filter("kind_label", labels.kind_label)


@register.filter
def details_text(details: dict[str, Any]) -> str:
    """What an entry says beside who, what and when: short values, in the order written."""
    return "，".join(
        f"{labels.detail_label(name)} {value}" for name, value in details.items() if value not in ("", None)
    )
