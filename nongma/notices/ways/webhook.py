"""Messages to the authority's own office application, by one webhook (政务应用); it knows people by their username."""

from django.conf import settings

from nongma.notices.models import Outgoing
from nongma.notices.ways.posting import post


def deliver(outgoing: Outgoing) -> None:
    """POST the message for a username. Raises `NotDelivered`."""
    content = {
        "id": str(outgoing.uid),
        "purpose": outgoing.purpose,
        "username": outgoing.recipient,
        "subject": outgoing.subject,
        "text": outgoing.body,
        "created_at": outgoing.created_at.isoformat(),
    }
    post(settings.WEBHOOK_URL, content, key=settings.WEBHOOK_KEY, request_id=str(outgoing.uid))
