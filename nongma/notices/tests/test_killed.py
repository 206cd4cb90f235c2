"""A gateway that is down and comes up, a worker that is killed in the middle: sent once, nothing lost."""

import socket
import time
from typing import Any

import pytest

from nongma.lib.tests.workers import PATIENCE, own_environment, wait_for, worker
from nongma.notices.models import Channel, Outgoing
from nongma.notices.sending import Message, send
from nongma.notices.tests.conftest import KEY
from nongma.notices.tests.servers import gateway


def environment(url: str) -> dict[str, str]:
    """What a worker needs to send by this gateway."""
    return own_environment() | {
        "NONGMA_SMS_URL": url,
        "NONGMA_SMS_KEY": KEY,
        "NONGMA_SEND_WAIT_SECONDS": "1",
        "NONGMA_SEND_TIMEOUT_SECONDS": "60",
    }


def queue() -> Outgoing:
    return send(Message(channel=Channel.SMS, recipient="19900005935", body="正文", purpose=Outgoing.Purpose.CODE))


def state(outgoing: Outgoing) -> str:
    outgoing.refresh_from_db()
    return outgoing.state


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_gateway_that_comes_up_gets_it_once(transactional_db: None, settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    settings.SMS_URL, settings.SMS_KEY = url, KEY
    outgoing = queue()
    with worker(environment(url)):
        wait_for(lambda: state(outgoing) == "queued" and outgoing.last_error)
        assert "ConnectionRefusedError" in outgoing.last_error
        with gateway(port) as up:
            wait_for(lambda: state(outgoing) == "sent")
            time.sleep(2)
            assert len(up.requests) == 1
    assert outgoing.attempts >= 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_worker_loses_nothing_and_keeps_the_id(transactional_db: None, settings: Any) -> None:
    with gateway() as up:
        settings.SMS_URL, settings.SMS_KEY = up.url, KEY
        up.may_answer.clear()
        outgoing = queue()
        with worker(environment(up.url)) as first:
            assert up.got.wait(PATIENCE)
            first.kill()
            first.wait()
        assert (state(outgoing), outgoing.attempts) == ("queued", 1)
        # No time is skipped here: the platform itself gives a killed worker's tasks to the next after 30 seconds.
        up.may_answer.set()
        with worker(environment(up.url)):
            wait_for(lambda: state(outgoing) == "sent")
        assert outgoing.attempts == 2
        assert [request["id"] for request in up.requests] == [str(outgoing.uid)] * 2
        assert len(up.taken) == 1
