"""Codes that prove a second factor: of the phone (动态口令), and from paper (恢复码)."""

from collections.abc import Callable

import django_otp
from django.db import transaction
from django.utils import timezone

from nongma.accounts.models import Authenticator, RecoveryCode, User
from nongma.audit.services import record
from nongma.lib.fields import digest_of as keyed_digest
from nongma.lib.refused import Refused

RECOVERY_LETTERS = 24  # of 31 each: 118 bits

# django-otp is written without types.
_verify_token: Callable[[User, str, str], Authenticator | None] = django_otp.verify_token


def prove_code(*, user: User, code: str) -> None:
    """Use up a code: the six digits of the phone, or a recovery code.

    Refuses `totp_wrong`: false, used before, or tried again too soon after a false one.
    """
    typed = "".join(letter for letter in code.lower() if letter.isalnum())
    if not (_use_recovery_code(user, typed) if len(typed) == RECOVERY_LETTERS else _use_phone_code(user, typed)):
        record("account.code_failed", actor=None, target=user, region_code=user.place)
        raise Refused("totp_wrong", "口令不对或已经用过；动态口令请等下一个再输", field="code")


def fits(authenticator: Authenticator, code: str) -> bool:
    """Whether the phone shows that code now; uses it up, and slows down who guesses."""
    return _verify_token(authenticator.user, authenticator.persistent_id, code.strip()) is not None


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def digest_of(user: User, code: str) -> bytes:
    """A keyed hash: a code has 118 bits, so nothing slower is needed."""
    return keyed_digest(f"recovery:{user.pk}:{code}")


def _use_phone_code(user: User, code: str) -> bool:
    authenticator = Authenticator.objects.filter(user=user, confirmed=True).first()
    return authenticator is not None and fits(authenticator, code)


@transaction.atomic
def _use_recovery_code(user: User, code: str) -> bool:
    unused = RecoveryCode.objects.filter(user=user, digest=digest_of(user, code), used_at=None)
    used = unused.update(used_at=timezone.now())
    if used:
        left = recovery_codes_left(user)
        record("account.recovery_used", actor=user, target=user, region_code=user.place, left=left)
    return bool(used)
