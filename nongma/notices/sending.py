"""Messages on their way out: queued with what they tell of, sent by the worker, tried again, held back (外发消息)."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.copying import array
from nongma.lib.fields import blind_index, blind_indexes
from nongma.lib.locks import alone
from nongma.lib.masking import mask_email, mask_phone
from nongma.lib.phones import is_mobile, tidy
from nongma.lib.proxies import network_of
from nongma.lib.refused import Misfilled, Refused
from nongma.notices.models import Channel, Outgoing
from nongma.notices.ways import hand_over, via_of
from nongma.notices.ways.failing import NotDelivered

AT_ONCE = 500
LONGEST_WAIT = 3600
WAIT_FACTOR = 4
SEND_LOCK = 0x7365_6E64
LIMIT_LOCK = 0x6C69_6D74
LIMITED = {Channel.SMS, Channel.MAIL}
OUT = "这个人的账号已停用或注销"

State = Outgoing.State
logger = logging.getLogger("nongma.notices")


@dataclass(frozen=True)
class Message:
    """One message to one recipient: a mobile number, a mail address or, for the webhook, a username."""

    channel: Channel
    recipient: str
    body: str
    purpose: Outgoing.Purpose
    subject: str = ""
    user: User | None = None
    from_address: str | None = None
    index: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        recipient = _checked(self.channel, self.recipient)
        object.__setattr__(self, "recipient", recipient)
        object.__setattr__(self, "from_address", network_of(self.from_address))
        object.__setattr__(self, "index", blind_index(f"{self.channel}:{recipient.lower()}"))


def send(message: Message) -> Outgoing:
    """Queue one message, in the transaction of what it tells of; see `send_many`.

    Who waits for it (a code by text message) looks at the state: `held` means too many to that recipient or from that
    network address.
    """
    return send_many([message])[0]


@transaction.atomic
def send_many(messages: Sequence[Message]) -> list[Outgoing]:
    """Queue messages for the worker; those over a limit are kept as `held` and not sent.

    Refuses `channel_closed` (settings name no way for the channel).
    """
    queued: list[Outgoing] = []
    for start in range(0, len(messages), AT_ONCE):
        queued += _queue(messages[start : start + AT_ONCE])
    return queued


@transaction.atomic
def send_again(*, outgoing: Outgoing, actor: User) -> Outgoing:
    """Queue a message that failed for good once more, under its old id.

    Refuses `not_failed`, `message_forgotten` (too old: what it said is not kept), `recipient_out` (the account is
    closed or suspended by now) and `limit_reached` (too many others went to that recipient, or were asked for from that
    network address).
    """
    everything = Outgoing.objects.select_related("user__agency")
    held = everything.select_for_update(of=("self",)).get(pk=outgoing.pk)
    if held.state != State.FAILED:
        raise Refused("not_failed", f"这条消息现在是“{held.get_state_display()}”，只有发送失败的才能重发")
    if held.is_forgotten:
        raise Refused("message_forgotten", "这条消息过了保存期限，内容和号码已删除，不能重发")
    if _is_out(held):
        raise Refused("recipient_out", f"{OUT}，不能重发")
    message = _message(held)
    if _Limits([message], besides=held).reached_by(message):
        raise Refused("limit_reached", "短时间内发给它或从同一地址要求发的太多，请过一会儿再发")
    held.state, held.attempts, held.via = State.QUEUED, 0, _via(held.channel)
    held.save(update_fields=["state", "attempts", "via"])
    record("outgoing.resent", actor=actor, target=held, region_code=held.place, channel=held.channel)
    _defer([held.uid])
    return held


def note_answered(uid: UUID) -> None:
    """Note that the code of a message came back right: it was wanted, and its network may cause another."""
    Outgoing.objects.filter(uid=uid).update(is_answered=True)


def deliver(uid: UUID | str) -> None:
    """Try to deliver a queued message once; what may pass is queued again, later each time, six times by default.

    Whose account was closed or suspended meanwhile is sent nothing: the message fails and says so.
    The try is counted before the message leaves. A worker that is killed in between is followed by one that sends the
    same id again, which the gateway drops if it had it already. Raises `RunsElsewhere`.
    """
    outgoing = Outgoing.objects.filter(uid=uid, state=State.QUEUED).select_related("user__agency").first()
    if outgoing is None:
        return
    with alone(SEND_LOCK, outgoing.pk):
        if not Outgoing.objects.filter(pk=outgoing.pk, state=State.QUEUED).update(attempts=F("attempts") + 1):
            return
        outgoing.refresh_from_db(fields=["attempts"])
        if outgoing.attempts > settings.SEND_TRIES:
            _fail(outgoing, outgoing.last_error or "发送时多次中断", is_final=True)
            return
        if _is_out(outgoing):
            _fail(outgoing, f"{OUT}，没有发送", is_final=True)
            return
        try:
            hand_over(outgoing)
        except NotDelivered as failure:
            said = failure.message.replace(outgoing.recipient, outgoing.masked)
            _fail(outgoing, said, is_final=failure.is_final or outgoing.attempts >= settings.SEND_TRIES)
        else:
            Outgoing.objects.filter(pk=outgoing.pk).update(state=State.SENT, sent_at=timezone.now(), last_error="")


def wait_before(attempt: int) -> int:
    """Seconds between a try and the next: 5, 20, 80, 320 … an hour at most."""
    return int(min(settings.SEND_WAIT_SECONDS * WAIT_FACTOR ** (attempt - 1), LONGEST_WAIT))


@transaction.atomic
def _fail(outgoing: Outgoing, said: str, *, is_final: bool) -> None:
    """Note what went wrong, and try later unless that is of no use."""
    from nongma.notices.tasks import deliver_outgoing

    state = State.FAILED if is_final else State.QUEUED
    Outgoing.objects.filter(pk=outgoing.pk).update(state=state, last_error=said[:300])
    if is_final:
        logger.warning("%s %s was not sent: %s", outgoing.channel, outgoing.uid, said)
    else:
        later = deliver_outgoing.configure(schedule_in={"seconds": wait_before(outgoing.attempts)})
        later.defer(uid=str(outgoing.uid))


def _queue(messages: Sequence[Message]) -> list[Outgoing]:
    limits = _Limits(messages)
    rows = [_row(message, State.HELD if limits.reached_by(message) else State.QUEUED) for message in messages]
    Outgoing.objects.bulk_create(rows)
    _defer([row.uid for row in rows if row.state == State.QUEUED])
    return rows


def _defer(uids: Iterable[UUID]) -> None:
    from nongma.notices.tasks import deliver_outgoing

    jobs: list[dict[str, Any]] = [{"uid": str(uid)} for uid in uids]
    if jobs:
        deliver_outgoing.batch_defer(*jobs)


def _row(message: Message, state: Outgoing.State) -> Outgoing:
    return Outgoing(
        channel=message.channel,
        via=_via(message.channel),
        purpose=message.purpose,
        recipient=message.recipient,
        recipient_index=message.index,
        masked=masked(message.channel, message.recipient),
        subject=message.subject,
        body=message.body,
        user=message.user,
        place=message.user.place if message.user else None,
        from_address=message.from_address,
        state=state,
    )


def _is_out(outgoing: Outgoing) -> bool:
    """Whether the message is for a person who may not sign in any more; the agency comes with the row."""
    return outgoing.user is not None and not outgoing.user.may_sign_in


def _message(outgoing: Outgoing) -> Message:
    """The message that a row was made of."""
    return Message(
        channel=Channel(outgoing.channel),
        recipient=outgoing.recipient,
        body=outgoing.body,
        purpose=Outgoing.Purpose(outgoing.purpose),
        subject=outgoing.subject,
        user=outgoing.user,
        from_address=outgoing.from_address,
    )


def _via(channel: str) -> Outgoing.Via:
    via = via_of(channel)
    if via is None:
        raise Refused("channel_closed", f"平台没有开通{Channel(channel).label}发送")
    return via


def address_of(user: User, channel: str) -> str:
    """Where a person is reached by a channel; empty when nothing is on file that could be reached."""
    known = {Channel.SMS: user.phone, Channel.MAIL: user.email, Channel.WEBHOOK: user.username}[Channel(channel)]
    try:
        return _checked(Channel(channel), known)
    except Misfilled:
        return ""


def masked(channel: str, recipient: str) -> str:
    """A recipient as logs and pages show it: 199****2449, w***@example.gov.cn; usernames are no secret."""
    if channel == Channel.SMS:
        return mask_phone(recipient)
    if channel == Channel.MAIL:
        return mask_email(recipient)[:120]
    return recipient


def _checked(channel: Channel, recipient: str) -> str:
    """The recipient as it is sent to. Refuses `bad_recipient`."""
    recipient = recipient.strip()
    if channel == Channel.SMS:
        recipient = tidy(recipient)
        if not is_mobile(recipient):
            raise Misfilled("bad_recipient", "不是手机号码", field="phone")
    elif channel == Channel.MAIL:
        try:
            validate_email(recipient)
        except ValidationError:
            raise Misfilled("bad_recipient", "不是邮箱地址", field="email") from None
    return recipient


class _Limits:
    """How much went to some recipients and from some network addresses in the last hour and day, by index.

    Of an address only what nobody has answered counts (`note_answered`): a day of registration behind one village
    network goes on, sending codes to numbers of others does not.

    Under a lock for each recipient and address, so that many at once can't pass one by one. `besides`: a row that does
    not count, as it is the message itself.
    """

    def __init__(self, messages: Sequence[Message], besides: Outgoing | None = None) -> None:
        now = timezone.now()
        self.hour, self.day = now - timedelta(hours=1), now - timedelta(days=1)
        indexes = {
            index: message.index
            for message in messages
            if message.channel in LIMITED
            for index in blind_indexes(f"{message.channel}:{message.recipient.lower()}")
        }
        addresses = {message.from_address for message in messages if message.from_address}
        self._lock([*(index.hex() for index in indexes), *addresses])
        sent = Outgoing.objects.counted()
        if besides:
            sent = sent.exclude(pk=besides.pk)
        self.in_hour: Counter[bytes] = Counter()
        self.in_day: Counter[bytes] = Counter()
        by_recipient = sent.filter(recipient_index__in=list(indexes), created_at__gt=self.day).order_by()
        for index, of_day, of_hour in (
            by_recipient.values_list("recipient_index").annotate(
                Count("pk"), of_hour=Count("pk", filter=Q(created_at__gt=self.hour))
            )
            if indexes
            else ()
        ):
            self.in_day[indexes[bytes(index)]] += of_day
            self.in_hour[indexes[bytes(index)]] += of_hour
        by_address = sent.filter(from_address__in=addresses, created_at__gt=self.hour, is_answered=False).order_by()
        found = by_address.values_list("from_address").annotate(Count("pk")) if addresses else ()
        self.from_address: Counter[str] = Counter(dict(found))

    def reached_by(self, message: Message) -> bool:
        """Whether a message is one too many; if not, it counts from now on."""
        is_limited = message.channel in LIMITED
        address = message.from_address
        if is_limited and (
            self.in_hour[message.index] >= settings.SEND_PER_HOUR or self.in_day[message.index] >= settings.SEND_PER_DAY
        ):
            return True
        if address and self.from_address[address] >= settings.SEND_PER_ADDRESS:
            return True
        self.in_hour[message.index] += 1
        self.in_day[message.index] += 1
        if address:
            self.from_address[address] += 1
        return False

    def _lock(self, names: list[str | None]) -> None:
        if not names:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, number) FROM"
                " (SELECT DISTINCT hashtext(name) AS number FROM unnest(%s::text[]) AS name ORDER BY number) AS each",
                [LIMIT_LOCK, array(names)],
            )
