"""Short texts that people type: one line, not empty where it is needed, not too long."""

from nongma.lib.refused import Misfilled


def checked_text(value: str, *, label: str, longest: int, field: str, is_needed: bool = False) -> str:
    """A text as it is kept. Refuses `text_missing` and `text_too_long` (422)."""
    value = " ".join(value.split())
    if is_needed and not value:
        raise Misfilled("text_missing", f"请填写{label}", field=field)
    if len(value) > longest:
        raise Misfilled("text_too_long", f"{label}最多 {longest} 个字", field=field)
    return value
