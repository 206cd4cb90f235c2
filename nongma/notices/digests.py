"""One message a day to whoever has something unread or due soon (每日汇总)."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import User
from nongma.notices.models import DUE_SOON, Channel, Digest, DigestRun, Outgoing, Preference
from nongma.notices.queries import chosen_channels
from nongma.notices.sending import Message, address_of, send_many
from nongma.notices.ways import open_channels

FROM, UNTIL = time(8), time(20)
OLDEST = timedelta(days=30)
PEOPLE_AT_ONCE = 500

WAITING = """
    SELECT user_id,
           count(*) FILTER (WHERE read_at IS NULL AND created_at > %s) AS unread,
           count(*) FILTER (WHERE due_on BETWEEN %s AND %s) AS due
    FROM notices_notice
    WHERE user_id > %s AND (read_at IS NULL OR due_on BETWEEN %s AND %s)
    GROUP BY user_id
    ORDER BY user_id
    LIMIT %s
"""


class Waiting(NamedTuple):
    """What waits for a person: unread notices of the last thirty days, and deadlines of the next three."""

    user: int
    unread: int
    due: int


def send_digests(now: datetime | None = None) -> int:
    """Send today's digests, from eight to eight in the platform's zone; how many people got theirs by this call.

    Chunk by chunk, each one transaction with how far it is: a run that was killed goes on behind the last chunk, a
    day that is done is done.
    """
    now = timezone.localtime(now)
    if not FROM <= now.time() < UNTIL:
        return 0
    day, total = now.date(), 0
    while (told := _send_chunk(day)) is not None:
        total += told
    return total


@transaction.atomic
def _send_chunk(day: date) -> int | None:
    """The next few hundred people; how many got a digest, None when nobody is left."""
    DigestRun.objects.get_or_create(day=day)
    run = DigestRun.objects.select_for_update().get(day=day)
    if run.finished_at:
        return None
    people = _waiting(day, run.last_user)
    if not people:
        run.finished_at = timezone.now()
        run.save(update_fields=["finished_at"])
        return None
    digests = _digests(day, people)
    run.last_user = people[-1].user
    run.sent += digests
    run.save(update_fields=["last_user", "sent"])
    return digests


def _waiting(day: date, after: int) -> list[Waiting]:
    until = day + DUE_SOON
    since = timezone.make_aware(datetime.combine(day, FROM)) - OLDEST
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [since, day, until, after, day, until, PEOPLE_AT_ONCE])
        return [Waiting(*row) for row in cursor.fetchall()]


def _digests(day: date, people: list[Waiting]) -> int:
    """Queue the digests of some people by the channels that each chose; how many people have one."""
    having = [each for each in people if each.unread or each.due]
    keys = [each.user for each in having]
    users = User.objects.select_related("agency").in_bulk(keys)
    preferences = Preference.objects.in_bulk(keys)
    messages: dict[Waiting, list[Message]] = {}
    for each in having:
        user = users[each.user]
        if user.may_sign_in and (channels := _channels(user, preferences.get(user.pk))):
            messages[each] = [_message(user, each, channel) for channel in channels]
    made = Digest.objects.bulk_create(
        [Digest(user_id=each.user, day=day, unread=each.unread, due=each.due) for each in messages]
    )
    send_many([message for of_one in messages.values() for message in of_one])
    return len(made)


def _channels(user: User, preference: Preference | None) -> list[Channel]:
    """By what a person gets the digest: of what was chosen, what is open and has an address."""
    chosen = chosen_channels(user, preference, "digest")
    return [channel for channel in open_channels() if channel in chosen and address_of(user, channel)]


def _message(user: User, waiting: Waiting, channel: Channel) -> Message:
    parts = [f"{waiting.unread} 条未读提醒"] if waiting.unread else []
    parts += [f"{waiting.due} 件事 3 天内到期"] if waiting.due else []
    what = "，".join(parts)
    return Message(
        channel=channel,
        recipient=address_of(user, channel),
        purpose=Outgoing.Purpose.DIGEST,
        subject=f"农码：{what}",
        body=f"您有{what}。请登录农码查看：{page_of_notices()}",
        user=user,
    )


def page_of_notices() -> str:
    """The full address of the list of notices, for messages that leave the platform."""
    return f"{settings.PUBLIC_URL}{reverse('notices:list')}"
