"""How long notices, messages and digests are kept (提醒和外发消息的保存期限)."""

from typing import Any

from django.conf import settings
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from nongma.lib.retention import days_ago, delete_rows, in_batches
from nongma.notices.models import Digest, DigestRun, Notice, Outgoing

State = Outgoing.State
TOO_OLD = "过了保存期限，没有发送"
EMPTIED: dict[str, Any] = {
    "recipient": "",
    "recipient_index": b"",
    "subject": "",
    "body": "",
    "from_address": None,
    "last_error": Case(When(state=State.QUEUED, then=Value(TOO_OLD)), default=F("last_error")),
    "state": Case(When(state=State.QUEUED, then=Value(State.FAILED.value)), default=F("state")),
}


def forget_notices() -> int:
    """Delete notices of `settings.KEEP_NOTICES_DAYS` ago, read or not, but for what is still to come; how many."""
    old = Notice.objects.filter(created_at__lt=days_ago(settings.KEEP_NOTICES_DAYS))
    return delete_rows(old.filter(Q(due_on=None) | Q(due_on__lt=timezone.localdate())), by=["created_at"])


def forget_messages() -> int:
    """Empty messages of `settings.KEEP_MESSAGES_DAYS` ago of what they told and to whom; how many.

    That one left, when, by what way and to whom in part stays. What still waits by then is not sent any more.
    """
    old = Outgoing.objects.exclude(body="").filter(created_at__lt=days_ago(settings.KEEP_MESSAGES_DAYS))
    return in_batches(old, by=["created_at"], do=lambda keys: Outgoing.objects.filter(pk__in=keys).update(**EMPTIED))


def forget_digests() -> int:
    """Delete the note of who got a digest when, and how far the days were, as long as messages are kept; how many."""
    before = timezone.localdate(days_ago(settings.KEEP_MESSAGES_DAYS))
    return sum(delete_rows(model._default_manager.filter(day__lt=before), by=["day"]) for model in (Digest, DigestRun))
