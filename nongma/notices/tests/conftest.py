from collections.abc import Iterator
from typing import Any

import pytest

from nongma.notices.tests.servers import Gateway, MailServer, gateway, mail_server

KEY = "the gateway's key"


@pytest.fixture
def sms(settings: Any) -> Iterator[Gateway]:
    """An SMS gateway that the platform sends through."""
    with gateway() as kept:
        settings.SMS_URL, settings.SMS_KEY = f"{kept.url}send", KEY
        yield kept


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    """A mail server that the platform sends through."""
    with mail_server() as kept:
        settings.MAIL_SERVER = {"host": "127.0.0.1", "port": kept.port}
        settings.MAIL_FROM = "nongma@example.gov.cn"
        yield kept


@pytest.fixture
def webhook(settings: Any) -> Iterator[Gateway]:
    """The authority's office application."""
    with gateway() as kept:
        settings.WEBHOOK_URL, settings.WEBHOOK_KEY = f"{kept.url}hook", KEY
        yield kept
