from typing import Any

from django.contrib.auth.backends import ModelBackend

from nongma.accounts.models import User

PASSWORD = f"{__name__}.PasswordBackend"  # what a session remembers


class PasswordBackend(ModelBackend):
    """Whom a password proves, and whose sessions go on."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Who is suspended proves the password all the same: `prove_password` then says so, and to nobody else."""
        return isinstance(user, User) and user.is_open

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session, with the agency in the same query; None as soon as the person may not sign in."""
        user = User.objects.filter(pk=user_id).select_related("agency").first()
        return user if user is not None and user.may_sign_in else None
