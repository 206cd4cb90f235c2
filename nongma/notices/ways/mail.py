"""Mail through an SMTP server (邮件)."""

import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from nongma.notices.models import Outgoing
from nongma.notices.ways.failing import NotDelivered

FOR_GOOD = 500


def deliver(outgoing: Outgoing) -> None:
    """Send one mail; its `Message-ID` is the same at every try. Raises `NotDelivered`."""
    domain = settings.MAIL_FROM.rpartition("@")[2].strip("> ") or "localhost"
    message = EmailMessage(
        outgoing.subject,
        outgoing.body,
        settings.MAIL_FROM,
        [outgoing.recipient],
        headers={"Message-ID": f"<{outgoing.uid}@{domain}>"},
        connection=EmailBackend(**_options()),
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=0)
        raise NotDelivered(f"邮件服务器不收这个地址（{code}）", is_final=code >= FOR_GOOD) from error
    except smtplib.SMTPResponseException as error:
        # A wrong password is put right by the operator, so it is worth another try.
        is_final = error.smtp_code >= FOR_GOOD and not isinstance(error, smtplib.SMTPAuthenticationError)
        raise NotDelivered(f"邮件服务器回答 {error.smtp_code}", is_final=is_final) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(f"连不上邮件服务器：{type(error).__name__}") from error


def _options() -> dict[str, Any]:
    return {**settings.MAIL_SERVER, "timeout": settings.SEND_TIMEOUT_SECONDS}
