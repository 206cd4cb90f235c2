"""Notices that a person also gets by text message, mail or the office application, at once (提醒方式)."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from nongma.notices.digests import page_of_notices
from nongma.notices.models import Channel, Notice, Outgoing, Preference
from nongma.notices.sending import Message, address_of, send_many
from nongma.notices.ways import open_channels


@transaction.atomic
def tell(notices: Collection[int]) -> int:
    """Queue the messages for notices that are still unread; how many.

    Run again after a kill it tells nobody twice: it holds the notices and leaves out those told of before.
    """
    held = Notice.objects.filter(pk__in=notices, told_at=None).unread().select_related("user__agency")
    waiting = list(held.select_for_update(of=("self",)).order_by("pk"))
    chosen = Preference.objects.in_bulk([notice.user_id for notice in waiting])
    messages = [
        _message(notice, channel)
        for notice in waiting
        if notice.user_id in chosen and notice.user.may_sign_in
        for channel in open_channels()
        if channel in chosen[notice.user_id].by(notice.kind) and address_of(notice.user, channel)
    ]
    send_many(messages)
    Notice.objects.filter(pk__in=[notice.pk for notice in waiting]).update(told_at=timezone.now())
    return len(messages)


def _message(notice: Notice, channel: Channel) -> Message:
    return Message(
        channel=channel,
        recipient=address_of(notice.user, channel),
        purpose=Outgoing.Purpose.NOTICE,
        subject=f"农码：{notice.heading}",
        body=f"{notice.heading}。请登录农码查看：{page_of_notices()}",
        user=notice.user,
    )
