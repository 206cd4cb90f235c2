"""Text messages through an SMS gateway (短信网关)."""

from typing import Any

from django.conf import settings

from nongma.notices.models import Outgoing
from nongma.notices.ways.posting import post


def deliver(outgoing: Outgoing) -> None:
    """POST the message in the form that the gateway wants (`NONGMA_SMS_TEMPLATE`). Raises `NotDelivered`."""
    places = {"{id}": str(outgoing.uid), "{phone}": outgoing.recipient, "{text}": outgoing.body}
    content = {name: _filled(value, places) for name, value in settings.SMS_TEMPLATE.items()}
    post(settings.SMS_URL, content, key=settings.SMS_KEY, request_id=str(outgoing.uid))


def _filled(value: Any, places: dict[str, str]) -> Any:
    """A part of the template with its places filled, however deep it lies."""
    if isinstance(value, dict):
        return {name: _filled(part, places) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, places) for part in value]
    if not isinstance(value, str):
        return value
    if value in places:
        return places[value]
    for place in ("{id}", "{phone}", "{text}"):
        value = value.replace(place, places[place])
    return value
