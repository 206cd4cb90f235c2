"""Sessions that know whose they are, since when and from where, and that end by themselves (`SESSION_ENGINE`)."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from nongma.accounts.models import Session

STARTED, ADDRESS, AGENT = "started_at", "address", "agent"
PROVED, PROVED_FULLY = "proved_at", "proved_fully_at"
"""What `accounts.signing_in` keeps in a session: moments in seconds since 1970, where from, which browser."""
TOUCHED_EVERY = timedelta(minutes=5)


class SessionStore(DatabaseStore):
    """Django's sessions in the database, in our table.

    A session ends when it was not used for `SESSION_IDLE_SECONDS` (up to `TOUCHED_EVERY` sooner, so that not every
    request writes), and `SESSION_COOKIE_AGE` after the sign-in however it is used.
    """

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        now = timezone.now()
        if SESSION_KEY in data:
            data.setdefault(STARTED, int(now.timestamp()))
        started_at = datetime.fromtimestamp(data[STARTED], timezone.get_current_timezone()) if STARTED in data else None
        session = cast(Session, super().create_model_instance(data))
        session.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        session.started_at = started_at
        session.seen_at = now
        session.expire_date = _end(started_at, now)
        session.address = data.get(ADDRESS)
        session.agent = data.get(AGENT, "")
        return session

    def _get_session_from_db(self) -> Session | None:
        """The session, if it has not ended; noted as in use when that was not noted lately."""
        store: Any = super()  # the stubs leave the method out
        session: Session | None = store._get_session_from_db()
        now = timezone.now()
        if session is not None and (session.seen_at is None or now - session.seen_at >= TOUCHED_EVERY):
            end = _end(session.started_at, now)
            Session.objects.filter(pk=session.pk).update(seen_at=now, expire_date=end)
        return session


def has_ended(request: HttpRequest) -> bool:
    """Whether the browser still carries the session of a sign-in that is no longer good.

    Not that of a visitor who has yet to sign in.
    """
    if not request.COOKIES.get(settings.SESSION_COOKIE_NAME) or request.user.is_authenticated:
        return False
    return SESSION_KEY in request.session or request.session.session_key is None


def _end(started_at: datetime | None, now: datetime) -> datetime:
    """When a session ends that is not used any more."""
    idle = now + timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    return min(idle, (started_at or now) + timedelta(seconds=settings.SESSION_COOKIE_AGE))
