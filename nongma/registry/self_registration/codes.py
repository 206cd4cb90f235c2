"""Codes by text message (短信验证码): sent to a phone, and used up by who holds it."""

from datetime import timedelta
from hmac import compare_digest
from math import ceil
from secrets import randbelow

from django.db import transaction
from django.utils import timezone

from nongma.lib.fields import digest_of
from nongma.lib.locks import take_turn
from nongma.lib.phones import tidy
from nongma.lib.refused import Refused
from nongma.lib.retention import delete_rows
from nongma.notices.models import Channel, Outgoing
from nongma.notices.sending import Message, note_answered, send
from nongma.registry.models import PhoneCode

TURN = 0x636F_6465
DIGITS = 6
GOOD_FOR = timedelta(minutes=10)
RESENT_AFTER = timedelta(seconds=60)
MOST_WRONG = 5
KEPT_FOR = timedelta(days=1)


def send_code(*, phone: str, address: str | None) -> None:
    """Send a new code to a phone; codes sent before are void. Known and unknown numbers are answered alike.

    `address`: the network address that asks. Refuses `bad_recipient` (422), `channel_closed`, `too_soon` (within
    `RESENT_AFTER` of the last) and `limit_reached` (settings.SEND_PER_HOUR, SEND_PER_DAY, SEND_PER_ADDRESS).
    """
    if _send(tidy(phone), address).state == Outgoing.State.HELD:
        raise Refused("limit_reached", "这个手机号或这个网络要验证码的次数太多，请过一小时再试", field="phone")


def use_code(*, phone: str, code: str) -> None:
    """Use up the newest code of a phone.

    Refuses `code_over` (none was sent, used, or older than `GOOD_FOR`), `code_worn` (wrong `MOST_WRONG` times) and
    `code_wrong`, which counts.
    """
    refusal = _refusal(phone, code)
    if refusal:
        raise refusal


def seconds_to_wait(phone: str) -> int:
    """How long until another code may be sent to a phone; 0 when it may be sent now."""
    newest = _newest(phone)
    return ceil(max(0, (newest.sent_at + RESENT_AFTER - timezone.now()).total_seconds())) if newest else 0


def forget_codes() -> int:
    """Delete codes of more than a day ago; how many."""
    return delete_rows(PhoneCode.objects.filter(sent_at__lt=timezone.now() - KEPT_FOR), by=["sent_at"])


@transaction.atomic
def _send(phone: str, address: str | None) -> Outgoing:
    index = digest_of(phone)
    take_turn(TURN, index.hex())
    if wait := seconds_to_wait(phone):
        raise Refused("too_soon", f"刚刚发过，请 {wait} 秒后再发", field="phone")
    code = f"{randbelow(10**DIGITS):0{DIGITS}}"
    body = f"验证码 {code}，{GOOD_FOR // timedelta(minutes=1)} 分钟内有效。用来登记或登录农码，不要告诉别人。"
    sent = send(Message(Channel.SMS, phone, body, Outgoing.Purpose.CODE, from_address=address))
    if sent.state != Outgoing.State.HELD:
        made = PhoneCode(phone_index=index, expires_at=timezone.now() + GOOD_FOR, outgoing_uid=sent.uid)
        made.digest = _digest(made, code)
        made.save()
    return sent


@transaction.atomic
def _refusal(phone: str, code: str) -> Refused | None:
    """What is wrong with the code; the try counts, whatever comes of it."""
    newest = _newest(phone, is_locked=True)
    if newest is None or newest.used_at or newest.expires_at <= timezone.now():
        return Refused("code_over", "验证码已过期或已经用过，请重新发送", field="code")
    if newest.wrong >= MOST_WRONG:
        return Refused("code_worn", f"已输错 {MOST_WRONG} 次，这个验证码作废，请重新发送", field="code")
    if compare_digest(bytes(newest.digest), _digest(newest, code)):
        newest.used_at = timezone.now()
        newest.save(update_fields=["used_at"])
        if newest.outgoing_uid:
            note_answered(newest.outgoing_uid)
        return None
    newest.wrong += 1
    newest.save(update_fields=["wrong"])
    left = MOST_WRONG - newest.wrong
    return Refused("code_wrong", f"验证码不对，还可以试 {left} 次" if left else "验证码不对，请重新发送", field="code")


def _newest(phone: str, *, is_locked: bool = False) -> PhoneCode | None:
    codes = PhoneCode.objects.select_for_update() if is_locked else PhoneCode.objects.all()
    return codes.filter(phone_index=digest_of(phone)).order_by("-id").first()


def _digest(made: PhoneCode, code: str) -> bytes:
    """Keyed: a million codes are tried in a second by who has the key, and never by who has the table alone."""
    return digest_of(f"phone-code:{made.uid}:{code}")
