"""Reads about notices and messages, each by an index."""

from collections.abc import Mapping

from django.db.models import Q

from nongma.accounts.models import User
from nongma.lib.fields import blind_indexes
from nongma.lib.phones import is_mobile, tidy
from nongma.notices.models import Channel, Notice, NoticeQuerySet, Outgoing, OutgoingQuerySet, Preference
from nongma.notices.sending import address_of
from nongma.notices.ways import open_channels

MOST_COUNTED = 99


def unread_count(user: User) -> int:
    """How many notices a person has not read; a hundred stand for more."""
    return Notice.objects.visible_to(user).unread().order_by()[: MOST_COUNTED + 1].count()


def notices_of(user: User, *, kind: str = "", unread: bool = False) -> NoticeQuerySet:
    """A person's notices, newest first."""
    notices = Notice.objects.visible_to(user)
    if kind:
        notices = notices.filter(kind=kind)
    return notices.unread() if unread else notices


def chosen_channels(user: User, preference: Preference | None, kind: str) -> list[str]:
    """By what a person is told of a kind. Who never chose gets the digest by mail, else by text message."""
    if preference is not None:
        return preference.by(kind)
    if kind != "digest":
        return []
    reachable = [channel for channel in open_channels() if address_of(user, channel)]
    return [channel.value for channel in (Channel.MAIL, Channel.SMS) if channel in reachable][:1]


def messages_of(user: User, wanted: Mapping[str, str]) -> OutgoingQuerySet:
    """Messages to people of the user's area, newest first; one recipient is found by the whole number or address."""
    messages = Outgoing.objects.visible_to(user).select_related("user")
    for name in ("state", "channel"):
        if wanted.get(name):
            messages = messages.filter(**{name: wanted[name]})
    recipient = wanted.get("recipient", "").strip()
    return messages.filter(_to(recipient)) if recipient else messages


def _to(recipient: str) -> Q:
    number = tidy(recipient)
    names = [f"{Channel.SMS}:{number}"] if is_mobile(number) else []
    names += [f"{channel}:{recipient.lower()}" for channel in (Channel.MAIL, Channel.WEBHOOK)]
    return Q(recipient_index__in=[index for name in names for index in blind_indexes(name)])
