"""Why somebody does what others may ask about later (原因、用途)."""

from nongma.lib.refused import Misfilled

LONGEST = 200


def checked_reason(reason: str, *, told: str, is_needed: bool = True) -> str:
    """A reason as it is kept. Refuses `reason_missing`, with what is `told` then, and `text_too_long`."""
    reason = " ".join(reason.split())
    if is_needed and not reason:
        raise Misfilled("reason_missing", told, field="reason")
    if len(reason) > LONGEST:
        raise Misfilled("text_too_long", f"最多 {LONGEST} 个字", field="reason")
    return reason
