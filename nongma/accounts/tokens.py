"""Bearer tokens for outside programs: signed, short-lived, and dead as soon as the password changes."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import jwt
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from nongma.accounts.models import User

ALGORITHM = "HS256"
AUDIENCE = "nongma-api"


@dataclass(frozen=True)
class Bearer:
    """Whom a token stands for, and when that person gave the password for it (seconds since 1970)."""

    user: User
    proved_at: int


def token_for(user: User) -> str:
    """A JWT that stands for the user for `settings.TOKEN_SECONDS`."""
    now = timezone.now()
    claims = {
        "sub": str(user.pk),
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + timedelta(seconds=settings.TOKEN_SECONDS),
        "pwd": _password_mark(user),
    }
    return jwt.encode(claims, _key(), algorithm=ALGORITHM)


def bearer_of(token: str) -> Bearer | None:
    """Whom a token stands for; None for a token that is false, over, or older than the password or `User.epoch`.

    None also when the user may no longer sign in. One query, the agency read along.
    """
    try:
        claims = jwt.decode(
            token, _key(), algorithms=[ALGORITHM], audience=AUDIENCE, options={"require": ["sub", "exp", "iat", "pwd"]}
        )
        user = User.objects.select_related("agency").get(pk=int(claims["sub"]))
    except (jwt.InvalidTokenError, ValueError, User.DoesNotExist):
        return None
    known = user.may_sign_in and constant_time_compare(claims["pwd"], _password_mark(user))
    return Bearer(user, int(claims["iat"])) if known else None


def user_of(token: str) -> User | None:
    """As `bearer_of`, the person alone."""
    bearer = bearer_of(token)
    return bearer.user if bearer else None


def _key() -> bytes:
    return salted_hmac("nongma.accounts.tokens", "signing key", algorithm="sha256").digest()


def _password_mark(user: User) -> str:
    """Changes with the password and with `User.epoch`, tells nothing of them."""
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()[:16]
