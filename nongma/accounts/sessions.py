"""Sessions that know whose they are, since when and from where (`SESSION_ENGINE`)."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from nongma.accounts.models import Session


class SessionStore(DatabaseStore):
    """Django's sessions in the database, in our table."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session
