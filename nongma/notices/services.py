"""Telling people: notices in the platform, what they read, and how else they want to be told (提醒)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.copying import array
from nongma.lib.ids import uuid7
from nongma.lib.refused import Misfilled
from nongma.notices.models import Channel, Notice, Preference
from nongma.notices.ways import open_channels

COLUMNS = ("user", "count", "title", "body", "url", "about", "due_on")

NOTIFY = """
    WITH told AS (
        INSERT INTO notices_notice (uid, user_id, count, title, body, url, about, due_on, kind, created_at)
        SELECT each.*, %s, %s
        FROM unnest(
            %s::uuid[], %s::bigint[], %s::integer[], %s::text[], %s::text[], %s::text[], %s::text[], %s::date[]
        ) AS each (uid, user_id, count, title, body, url, about, due_on)
        ON CONFLICT (about, user_id) WHERE read_at IS NULL AND about > '' DO UPDATE SET
            count = excluded.count + CASE WHEN %s THEN notices_notice.count ELSE 0 END,
            kind = excluded.kind, title = excluded.title, body = excluded.body, url = excluded.url,
            due_on = excluded.due_on, created_at = excluded.created_at
        RETURNING id, user_id, xmax = 0 AS is_new
    )
    SELECT told.id FROM told JOIN notices_preference preference ON preference.user_id = told.user_id
    WHERE told.is_new AND cardinality(preference.{kind}_by) > 0
"""


@dataclass(frozen=True)
class Note:
    """What one person is told; see `notify`."""

    user: int
    title: str
    body: str = ""
    url: str = ""
    about: str = ""
    due_on: date | None = None
    count: int = 1


def notify(
    *,
    users: Iterable[int] | Mapping[int, int],
    kind: Notice.Kind,
    title: str,
    body: str = "",
    url: str = "",
    about: str = "",
    due_on: date | None = None,
    is_added: bool = True,
    actor: User | None = None,
) -> None:
    """Tell people something, all in one statement, in the transaction of what it tells of.

    `users` are keys; who is named several times, or with a number, gets one notice with that number in place of
    `{count}` in the title.
    While a notice `about` the same thing is unread it is written anew instead of standing there twice: with
    `is_added` its number grows, without it is the new one. Nobody is told what they did themselves (`actor`).
    Who chose to be told of the kind at once by text message or mail gets the title there, from the worker; so it holds
    no personal data.
    """
    counts = Counter(users)
    if actor is not None:
        counts.pop(actor.pk, None)
    notify_each(
        notes=[Note(user, title, body, url, about, due_on, count) for user, count in counts.items()],
        kind=kind,
        is_added=is_added,
    )


def notify_each(*, notes: Collection[Note], kind: Notice.Kind, is_added: bool = True) -> None:
    """Tell people each their own, all in one statement; at most one to each person about one thing."""
    if not notes:
        return
    # In one order, so that two who tell the same people wait for each other instead of blocking each other.
    told = sorted(notes, key=lambda note: (note.user, note.about))
    columns = [array(getattr(note, column) for note in told) for column in COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(
            NOTIFY.format(kind=Notice.Kind(kind).value),
            [Notice.Kind(kind).value, timezone.now(), array(uuid7() for _ in told), *columns, is_added],
        )
        wanted = [key for (key,) in cursor.fetchall()]
    if wanted:
        from nongma.notices.tasks import tell_outside

        tell_outside.defer(notices=wanted)


def withdraw(*, about: str, but: Collection[int] = (), of: Collection[int] | None = None) -> int:
    """Take back the unread notices about something that is settled; how many they were.

    Everybody's, or those `of` some; not those of the people in `but`.
    """
    notices = Notice.objects.filter(about=about).unread().exclude(user__in=but)
    if of is not None:
        notices = notices.filter(user__in=of)
    return notices.update(read_at=timezone.now())


def mark_read(*, notice: Notice, actor: User) -> Notice:
    """Note that the person has read a notice; the first time counts."""
    now = timezone.now()
    if Notice.objects.visible_to(actor).unread().filter(pk=notice.pk).update(read_at=now):
        notice.read_at = now
    return notice


def mark_all_read(*, actor: User, kind: str = "", until: UUID | None = None) -> int:
    """Note that the person has read all notices, or all of a kind; how many were unread.

    `until` is the newest that the page showed: what came since stays unread.
    """
    notices = Notice.objects.visible_to(actor).unread()
    if kind:
        notices = notices.filter(kind=kind)
    newest = Notice.objects.visible_to(actor).filter(uid=until).first() if until else None
    if newest:
        notices = notices.filter(created_at__lte=newest.created_at)
    return notices.update(read_at=timezone.now())


@transaction.atomic
def choose_channels(*, actor: User, chosen: dict[str, list[str]]) -> Preference:
    """Keep by which channels the person wants to be told: `{"digest": ["mail"], "decision": ["sms", "mail"], …}`.

    Refuses `channel_closed` and `no_phone` or `no_email` (the account has none to send to).
    """
    for kind, channels in chosen.items():
        for channel in channels:
            if channel not in open_channels():
                raise Misfilled("channel_closed", f"平台没有开通{Channel(channel).label}", field=kind)
            if channel == Channel.SMS and not actor.phone:
                raise Misfilled("no_phone", "您的账号没有登记手机号，不能用短信接收", field=kind)
            if channel == Channel.MAIL and not actor.email:
                raise Misfilled("no_email", "您的账号没有登记邮箱，不能用邮件接收", field=kind)
    fields = {f"{kind}_by": channels for kind, channels in chosen.items()}
    preference, _ = Preference.objects.update_or_create(user=actor, defaults=fields)
    told = {kind: "、".join(str(Channel(each).label) for each in by) or "不另外发" for kind, by in chosen.items()}
    record("account.channels_chosen", actor=actor, target=actor, region_code=actor.place, **told)
    return preference
