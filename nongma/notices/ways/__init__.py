"""The ways out of the platform: which of them are open, and handing a message over (发送方式).

Each way is a module with one function that either delivers or raises `NotDelivered`.
"""

from django.conf import settings

from nongma.notices.models import Channel, Outgoing
from nongma.notices.ways import gateway, local, mail, webhook

Via = Outgoing.Via

WAYS = {
    Via.GATEWAY: gateway.deliver,
    Via.SMTP: mail.deliver,
    Via.HTTPS: webhook.deliver,
    Via.CONSOLE: local.print_out,
    Via.FILE: local.write_file,
}


def via_of(channel: str) -> Outgoing.Via | None:
    """How messages of a channel leave: by its server, else to the place that settings name; None when it is closed."""
    if channel == Channel.SMS and settings.SMS_URL:
        return Via.GATEWAY
    if channel == Channel.MAIL and settings.MAIL_SERVER:
        return Via.SMTP
    if channel == Channel.WEBHOOK:
        return Via.HTTPS if settings.WEBHOOK_URL else None
    return {"console": Via.CONSOLE, "file": Via.FILE}.get(settings.OUTBOX)


def open_channels() -> list[Channel]:
    """The channels by which this platform reaches people."""
    return [channel for channel in Channel if via_of(channel)]


def hand_over(outgoing: Outgoing) -> None:
    """Deliver a message by the way it was queued for. Raises `NotDelivered`."""
    WAYS[Via(outgoing.via)](outgoing)
