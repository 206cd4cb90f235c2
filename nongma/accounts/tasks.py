from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from nongma.accounts.models import IdempotencyKey, Session
from nongma.accounts.signing_in import FAILURES_COUNT_FOR
from nongma.lib.retention import delete_rows

KEYS_KEPT = timedelta(hours=24)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="accounts.forget_keys", lock="accounts.forget_keys")
def forget_idempotency_keys(timestamp: int) -> None:
    """Forget the first answers to requests of more than a day ago."""
    delete_rows(IdempotencyKey.objects.filter(at__lt=timezone.now() - KEYS_KEPT), by=["at"])


@app.periodic(cron="41 * * * *")
@app.task(queueing_lock="accounts.forget_sessions", lock="accounts.forget_sessions")
def forget_ended_sessions(timestamp: int) -> None:
    """Forget sessions that have ended by themselves; they open nothing any more."""
    delete_rows(Session.objects.filter(expire_date__lt=timezone.now()), by=["expire_date"])


@app.periodic(cron="51 * * * *")
@app.task(queueing_lock="accounts.forget_failures", lock="accounts.forget_failures")
def forget_failures(timestamp: int) -> None:
    """Forget tries to sign in that no longer count against a username or an address; the audit log keeps its own."""
    for model in (AccessFailureLog, AccessAttempt, AccessLog):
        delete_rows(model.objects.filter(attempt_time__lt=timezone.now() - FAILURES_COUNT_FOR), by=["pk"])


@app.task(name="accounts.hand_out", retry=RetryStrategy(max_attempts=20, wait=5))
def hand_out_by_sheet(uid: str) -> None:
    """Hand out the accounts of an uploaded sheet; tried again when the database or the reader was away."""
    from nongma.accounts.handouts.services import run_handout

    run_handout(uid)


@app.periodic(cron="33 3 * * *")
@app.task(name="accounts.tidy_handouts", queueing_lock="accounts:tidy-handouts")
def tidy_handouts(timestamp: int) -> None:
    """Forget first passwords that nobody fetched; delete uploaded sheets and their rows that are past their time."""
    from nongma.accounts.handouts.retention import forget_rows, remove_old_sheets
    from nongma.accounts.handouts.slips import clear_old_slips

    clear_old_slips()
    remove_old_sheets()
    forget_rows()
