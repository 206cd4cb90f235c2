from typing import Any

from django.contrib.auth.backends import ModelBackend

from nongma.accounts.models import User

PASSWORD = f"{__name__}.PasswordBackend"  # what a session remembers


class PasswordBackend(ModelBackend):
    """Who may sign in by password, and whose sessions go on."""

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, User) and user.may_sign_in
