"""Enrolling the second factor: a phone (动态口令), and recovery codes on paper for when it is lost (恢复码)."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import must_use_totp
from nongma.accounts.codes import RECOVERY_LETTERS, digest_of, fits
from nongma.accounts.models import Authenticator, RecoveryCode, User
from nongma.audit.services import record
from nongma.lib.fields import encrypt_bytes
from nongma.lib.letters import DASH, random_letters
from nongma.lib.refused import Refused

NAME = "手机动态口令"
SECRET_BYTES = 20
ENROLLING = timedelta(minutes=15)
CODES = 10


def pending_of(user: User) -> Authenticator | None:
    """The phone that the person is enrolling; none when that was begun too long ago."""
    since = timezone.now() - ENROLLING
    pending: Authenticator | None = Authenticator.objects.filter(
        user=user, confirmed=False, created_at__gt=since
    ).first()
    return pending


@transaction.atomic
def start_enrolling(*, actor: User) -> Authenticator:
    """Make a secret for a person's phone, in the place of one begun before; not in use until `confirm_phone`."""
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    Authenticator.objects.filter(user=actor, confirmed=False).delete()
    key = encrypt_bytes(secrets.token_bytes(SECRET_BYTES))
    pending: Authenticator = Authenticator.objects.create(user=actor, name=NAME, key=key, confirmed=False)
    return pending


def confirm_phone(*, actor: User, code: str) -> list[str]:
    """Put the enrolled phone in use, in the place of an earlier one; the new recovery codes, to be shown once.

    Every session and token of the person ends. Refuses `totp_not_started` and `totp_wrong`.
    """
    pending = pending_of(actor)
    if pending is None:
        raise Refused("totp_not_started", "请先用手机扫描二维码")
    if not fits(pending, code):
        raise Refused("totp_wrong", "动态口令不对，请等下一个再输", field="code")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        Authenticator.objects.filter(user=user).exclude(pk=pending.pk).delete()
        if not Authenticator.objects.filter(pk=pending.pk).update(confirmed=True):
            raise Refused("totp_not_started", "请先用手机扫描二维码")
        user.has_totp = True
        user.epoch += 1
        user.save(update_fields=["has_totp", "epoch"])
        record("account.totp_enrolled", actor=actor, target=user, region_code=user.place)
        return _new_recovery_codes(user)


@transaction.atomic
def renew_recovery_codes(*, actor: User) -> list[str]:
    """Ten new recovery codes, to be shown once; the earlier ones are void. Refuses `totp_not_enrolled`."""
    user = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if not user.has_totp:
        raise Refused("totp_not_enrolled", "请先启用动态口令")
    record("account.recovery_renewed", actor=actor, target=user, region_code=user.place)
    return _new_recovery_codes(user)


@transaction.atomic
def stop_codes(*, actor: User) -> None:
    """Stop asking a person for codes: from now on the password alone signs in. Every session and token ends.

    Refuses `totp_required` (an administrator or reviewer) and `totp_not_enrolled`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if must_use_totp(user):
        raise Refused("totp_required", "平台管理员和审核员须使用动态口令，不能停用；换手机请点“换一部手机”")
    if not forget_phone(user):
        raise Refused("totp_not_enrolled", "动态口令没有启用")
    record("account.totp_removed", actor=actor, target=user, region_code=user.place)


def forget_phone(user: User) -> bool:
    """Take phone and recovery codes off an account that the caller has locked; whether a phone was in use.

    Every session and token of the person ends.
    """
    Authenticator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    had = user.has_totp
    user.has_totp = False
    user.epoch += 1
    user.save(update_fields=["has_totp", "epoch"])
    return had


def _new_recovery_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [random_letters(RECOVERY_LETTERS) for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=digest_of(user, code.replace(DASH, ""))) for code in codes
    )
    return codes
