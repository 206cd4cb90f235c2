"""Messages that leave the platform: signed, tried again, bounded."""

import hmac
import json
import socket
import threading
import time
from datetime import timedelta
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from nongma.accounts.models import Agency, User
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index
from nongma.lib.refused import Misfilled, Refused
from nongma.notices import sending
from nongma.notices.models import Channel, Outgoing
from nongma.notices.sending import Message, deliver, send, send_again, send_many, wait_before
from nongma.notices.tests.conftest import KEY
from nongma.notices.tests.servers import Gateway, MailServer
from nongma.testing import at_once

PHONE = "19900005935"
Purpose = Outgoing.Purpose


def text_message(recipient: str = PHONE, **fields: Any) -> Message:
    return Message(channel=Channel.SMS, recipient=recipient, body="您有 3 条未读提醒", purpose=Purpose.DIGEST, **fields)


def jobs() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="notices.deliver", status="todo").order_by("id"))


def sent_now(message: Message) -> Outgoing:
    outgoing = send(message)
    deliver(outgoing.uid)
    outgoing.refresh_from_db()
    return outgoing


def test_it_sends_a_text_message_through_the_gateway(db: None, sms: Gateway) -> None:
    outgoing = sent_now(text_message("199 0000 5935"))
    assert (outgoing.state, outgoing.attempts, outgoing.via, outgoing.masked) == ("sent", 1, "gateway", "199****5935")
    assert outgoing.sent_at
    assert sms.requests == [{"id": str(outgoing.uid), "phone": PHONE, "text": "您有 3 条未读提醒"}]
    assert sms.headers[0]["Idempotency-Key"] == str(outgoing.uid)


def test_it_signs_what_it_sends(db: None, sms: Gateway) -> None:
    sent_now(text_message())
    at, given = (part.split("=")[1] for part in sms.headers[0]["X-Nongma-Signature"].split(","))
    assert given == hmac.new(KEY.encode(), f"{at}.".encode() + sms.raw[0], "sha256").hexdigest()
    assert abs(time.time() - int(at)) < 60


def test_it_speaks_the_form_of_the_gateway(db: None, sms: Gateway, settings: Any) -> None:
    settings.SMS_TEMPLATE = {
        "id": "{id}",
        "to": ["+86{phone}"],
        "by": "农码",
        "all": {"text": "{text}"},
        "n": 1,
    }
    outgoing = sent_now(text_message())
    content = {"text": "您有 3 条未读提醒"}
    assert sms.requests == [{"id": str(outgoing.uid), "to": [f"+86{PHONE}"], "by": "农码", "all": content, "n": 1}]


def test_it_tries_again_when_the_gateway_was_down(db: None, sms: Gateway) -> None:
    sms.answers = [503, 200]
    outgoing = sent_now(text_message())
    assert (outgoing.state, outgoing.attempts) == ("queued", 1)
    assert outgoing.last_error.startswith("对方回答 503")
    later = jobs()[-1]
    assert later.args == {"uid": str(outgoing.uid)}
    assert timedelta(seconds=3) < later.scheduled_at - timezone.now() <= timedelta(seconds=5)
    deliver(outgoing.uid)
    deliver(outgoing.uid)
    outgoing.refresh_from_db()
    assert (outgoing.state, outgoing.attempts, outgoing.last_error) == ("sent", 2, "")
    assert [request["id"] for request in sms.requests] == [str(outgoing.uid)] * 2


def test_it_waits_longer_each_time_and_gives_up(db: None, sms: Gateway, settings: Any) -> None:
    assert [wait_before(number) for number in range(1, 8)] == [5, 20, 80, 320, 1280, 3600, 3600]
    settings.SEND_TRIES = 3
    sms.answers = [500]
    outgoing = send(text_message())
    for _ in range(5):
        deliver(outgoing.uid)
    outgoing.refresh_from_db()
    assert (outgoing.state, outgoing.attempts, len(sms.requests)) == ("failed", 3, 3)


def test_it_does_not_try_again_what_is_wrong_for_good(db: None, sms: Gateway) -> None:
    sms.answers = [400]
    sms.body = f"bad number {PHONE}".encode()
    outgoing = sent_now(text_message())
    assert (outgoing.state, outgoing.attempts) == ("failed", 1)
    assert outgoing.last_error == "对方回答 400：bad number 199****5935"


def test_it_follows_nobody_elsewhere(db: None, sms: Gateway) -> None:
    sms.answers = [307]
    outgoing = sent_now(text_message())
    assert (outgoing.state, len(sms.requests)) == ("failed", 1)
    assert "没有跟过去" in outgoing.last_error


def test_it_tries_again_when_nobody_answers_at_the_address(db: None, settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings.SMS_URL, settings.SMS_KEY = f"http://127.0.0.1:{port}/", KEY
    outgoing = sent_now(text_message())
    assert (outgoing.state, outgoing.attempts) == ("queued", 1)
    assert outgoing.last_error == "连不上或没有回答：ConnectionRefusedError"


@pytest.mark.parametrize(
    ("head", "drop"),
    [(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"), (b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n", b".")],
    ids=["head", "body"],
)
def test_it_cuts_off_who_answers_too_slowly(db: None, settings: Any, head: bytes, drop: bytes) -> None:
    """A line that drips never runs into the timeout of one read."""
    settings.SEND_TIMEOUT_SECONDS = 1
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        line, _ = server.accept()
        with line:
            line.sendall(head)
            try:
                for _ in range(100):
                    line.sendall(drop)
                    time.sleep(0.2)
            except OSError:
                pass

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    settings.SMS_URL, settings.SMS_KEY = f"http://127.0.0.1:{server.getsockname()[1]}/", KEY
    began = time.monotonic()
    outgoing = sent_now(text_message())
    assert time.monotonic() - began < 3
    assert outgoing.state == "queued"
    server.close()
    dripping.join()


def test_it_reads_no_endless_answer(db: None, sms: Gateway) -> None:
    sms.body = b"x" * 5_000_000
    sms.answers = [500]
    outgoing = sent_now(text_message())
    assert len(outgoing.last_error) < 200


def test_it_sends_mail(db: None, mail: MailServer) -> None:
    message = Message(
        channel=Channel.MAIL, recipient="wang@example.gov.cn", subject="农码：3 条", body="正文", purpose=Purpose.DIGEST
    )
    outgoing = sent_now(message)
    assert (outgoing.state, outgoing.masked) == ("sent", "w***@example.gov.cn")
    got = message_from_string(mail.mails[0])
    assert got["Message-ID"] == f"<{outgoing.uid}@example.gov.cn>"
    assert got["To"] == "wang@example.gov.cn"


@pytest.mark.parametrize(("refusal", "state"), [("550 unknown", "failed"), ("451 later", "queued")])
def test_it_tells_mail_that_never_arrives_from_mail_that_may(
    db: None, mail: MailServer, refusal: str, state: str
) -> None:
    mail.refusal = refusal
    outgoing = sent_now(
        Message(channel=Channel.MAIL, recipient="a@b.example", subject="s", body="b", purpose=Purpose.NOTICE)
    )
    assert outgoing.state == state
    assert refusal[:3] in outgoing.last_error


def test_it_posts_to_the_office_application(db: None, webhook: Gateway, zhao: User) -> None:
    message = Message(
        channel=Channel.WEBHOOK, recipient="zhao", subject="农码", body="正文", purpose=Purpose.NOTICE, user=zhao
    )
    outgoing = sent_now(message)
    got = webhook.requests[0]
    assert (got["id"], got["username"], got["text"]) == (str(outgoing.uid), "zhao", "正文")
    assert outgoing.place == zhao.place


def test_it_writes_to_a_file_of_the_owner_alone(db: None, settings: Any, tmp_path: Path) -> None:
    settings.OUTBOX, settings.DATA = "file", tmp_path
    # The field key lies in the data folder.
    outgoing = sent_now(text_message())
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(file.read_text())["to"] == PHONE
    assert outgoing.via == "file"


def test_it_prints_masked_to_the_console(db: None, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.OUTBOX = "console"
    sent_now(text_message())
    out = capsys.readouterr().out
    assert "199****5935" in out
    assert PHONE not in out


def test_it_keeps_number_and_text_encrypted(db: None, sms: Gateway) -> None:
    from django.db import connection

    outgoing = send(text_message())
    with connection.cursor() as cursor:
        cursor.execute("SELECT notices_outgoing::text FROM notices_outgoing")
        row = cursor.fetchone()[0]
    assert PHONE not in row
    assert "未读" not in row
    assert bytes(Outgoing.objects.get().recipient_index) == blind_index(f"sms:{PHONE}")
    assert outgoing.recipient == PHONE


def test_it_refuses_a_closed_channel_and_false_recipients(db: None, sms: Gateway) -> None:
    with pytest.raises(Refused, match="没有开通邮件"):
        send(Message(channel=Channel.MAIL, recipient="a@b.example", body="b", purpose=Purpose.NOTICE))
    for channel, recipient in ((Channel.SMS, "12345"), (Channel.SMS, ""), (Channel.MAIL, "a\r\nBcc: b@c.example")):
        with pytest.raises(Misfilled):
            Message(channel=channel, recipient=recipient, body="b", purpose=Purpose.NOTICE)
    assert not Outgoing.objects.exists()
    assert not jobs()


def test_it_holds_back_too_many_to_one_number(db: None, sms: Gateway, settings: Any) -> None:
    settings.SEND_PER_HOUR = 3
    states = [send(text_message()).state for _ in range(5)]
    assert states == ["queued"] * 3 + ["held"] * 2
    assert send(text_message("19900006507")).state == "queued"
    assert len(jobs()) == 4
    Outgoing.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert send(text_message()).state == "queued"
    settings.SEND_PER_DAY = 4
    assert send(text_message()).state == "held"


def test_it_holds_back_within_one_batch(db: None, sms: Gateway, settings: Any) -> None:
    settings.SEND_PER_HOUR = 2
    assert [each.state for each in send_many([text_message()] * 4)] == ["queued", "queued", "held", "held"]


def test_it_holds_back_too_many_from_one_network_address(db: None, sms: Gateway, settings: Any) -> None:
    settings.SEND_PER_ADDRESS = 2
    numbers = [f"1990000{number:04}" for number in range(4)]
    assert [send(text_message(each, from_address="10.1.2.3")).state for each in numbers] == [
        "queued",
        "queued",
        "held",
        "held",
    ]
    assert send(text_message(numbers[3], from_address="10.1.2.4")).state == "queued"
    assert send(text_message(numbers[3])).state == "queued"


def test_it_counts_what_is_held_back_against_nobody(db: None, sms: Gateway, settings: Any) -> None:
    settings.SEND_PER_HOUR = 1
    send(text_message())
    for _ in range(3):
        assert send(text_message()).state == "held"
    settings.SEND_PER_HOUR = 2
    assert send(text_message()).state == "queued"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_pass_the_limit(sms: Gateway, settings: Any) -> None:
    settings.SEND_PER_HOUR = 5
    at_once(*[lambda: send(text_message())] * 12)
    assert Outgoing.objects.filter(state="queued").count() == 5
    assert Outgoing.objects.filter(state="held").count() == 7


def test_it_sends_a_failed_message_again_under_its_old_id(db: None, sms: Gateway, ministry: User) -> None:
    sms.answers = [400, 200]
    outgoing = sent_now(text_message())
    send_again(outgoing=outgoing, actor=ministry)
    deliver(outgoing.uid)
    outgoing.refresh_from_db()
    assert outgoing.state == "sent"
    assert {request["id"] for request in sms.requests} == {str(outgoing.uid)}


def test_it_sends_again_only_what_failed(db: None, sms: Gateway, ministry: User) -> None:
    outgoing = sent_now(text_message())
    before = len(jobs())
    with pytest.raises(Refused, match="已发送"):
        send_again(outgoing=outgoing, actor=ministry)
    outgoing.refresh_from_db()
    assert (outgoing.state, len(jobs())) == ("sent", before)


def test_sending_again_keeps_to_the_limits(db: None, sms: Gateway, ministry: User, settings: Any) -> None:
    settings.SEND_PER_HOUR = 2
    sms.answers = [400, 200]
    failed = sent_now(text_message())
    sent_now(text_message())
    send_again(outgoing=failed, actor=ministry)
    Outgoing.objects.filter(pk=failed.pk).update(state="failed", created_at=timezone.now() - timedelta(hours=2))
    sent_now(text_message())
    before = len(jobs())
    with pytest.raises(Refused, match="太多"):
        send_again(outgoing=failed, actor=ministry)
    failed.refresh_from_db()
    assert (failed.state, len(jobs())) == ("failed", before)
    assert Entry.objects.filter(action="outgoing.resent").count() == 1


@pytest.mark.parametrize("cut_off", ["person", "agency", "closed"])
def test_whose_account_is_out_is_sent_nothing(sms: Gateway, wang: User, ministry: User, cut_off: str) -> None:
    outgoing = send(text_message(user=wang))
    if cut_off == "agency":
        Agency.objects.filter(pk=wang.agency_id).update(suspended_at=timezone.now())
    else:
        change = {"suspended_at": timezone.now()} if cut_off == "person" else {"is_active": False}
        User.objects.filter(pk=wang.pk).update(**change)
    deliver(outgoing.uid)
    outgoing.refresh_from_db()
    assert (outgoing.state, outgoing.last_error) == ("failed", "这个人的账号已停用或注销，没有发送")
    before = len(jobs())
    with pytest.raises(Refused, match="不能重发"):
        send_again(outgoing=outgoing, actor=ministry)
    outgoing.refresh_from_db()
    assert (outgoing.state, len(jobs()), sms.requests) == ("failed", before, [])
    assert not Entry.objects.filter(action="outgoing.resent").exists()


def test_it_is_undone_with_what_it_tells_of(db: None, sms: Gateway) -> None:
    from django.db import transaction

    with transaction.atomic():
        send(text_message())
        transaction.set_rollback(True)
    assert not Outgoing.objects.exists()
    assert not jobs()


def test_it_gives_up_on_what_kills_every_worker(db: None, sms: Gateway, settings: Any) -> None:
    outgoing = send(text_message())
    Outgoing.objects.update(attempts=settings.SEND_TRIES)
    deliver(outgoing.uid)
    outgoing.refresh_from_db()
    assert (outgoing.state, sms.requests) == ("failed", [])


def test_its_masks_hide_enough() -> None:
    assert sending.masked("mail", "li@example.cn") == "l***@example.cn"
    assert sending.masked("sms", PHONE) == "199****5935"
