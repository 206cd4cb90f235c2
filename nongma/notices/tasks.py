from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from nongma.accounts.services.telling import TASK, Decision, told_of
from nongma.notices.deadlines import tell_deadlines
from nongma.notices.digests import send_digests
from nongma.notices.models import Notice
from nongma.notices.outside import tell
from nongma.notices.retention import forget_digests, forget_messages, forget_notices
from nongma.notices.sending import deliver
from nongma.notices.services import notify


@app.task(name="notices.deliver", retry=RetryStrategy(max_attempts=20, wait=5))
def deliver_outgoing(uid: str) -> None:
    """Send one message; `deliver` plans the further tries itself, here it is tried again when the database was away."""
    deliver(uid)


@app.task(name="notices.tell_outside", retry=RetryStrategy(max_attempts=20, wait=5))
def tell_outside(notices: list[int]) -> None:
    """Send notices on to those who chose to get their kind at once."""
    tell(notices)


@app.task(name=TASK, retry=RetryStrategy(max_attempts=20, wait=5))
def tell_of_account(decision: str, key: int) -> None:
    """Tell people what was decided about their accounts, from the record that it is about."""
    told = told_of(Decision(decision), key)
    notify(users=told.users, kind=Notice.Kind.DECISION, title=told.title, body=told.body, url=told.url)


# Before the digests go out at eight in Shanghai; the worker's clock is UTC.
@app.periodic(cron="52 23 * * *")
@app.task(name="notices.tell_deadlines", queueing_lock="notices:tell-deadlines")
def tell_of_deadlines(timestamp: int) -> int:
    """Tell of what runs out within a week."""
    return tell_deadlines()


# Every ten minutes of the day: a worker that was down at eight catches up, a day that is done costs one look.
@app.periodic(cron="*/10 * * * *")
@app.task(name="notices.send_digests", queueing_lock="notices:send-digests")
def send_daily_digests(timestamp: int) -> int:
    """Send each person's digest of the day, from eight in the morning."""
    return send_digests()


@app.periodic(cron="27 19 * * *")
@app.task(name="notices.forget_old", queueing_lock="notices:forget-old")
def forget_old(timestamp: int) -> int:
    """Delete notices and digests, and empty messages, that are past their time."""
    return forget_notices() + forget_messages() + forget_digests()
