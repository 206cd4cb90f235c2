"""Proving who one is: password, lock-out, one-time code."""

from collections.abc import Callable

import django_otp
from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from nongma.accounts import backends
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.audit.services import record
from nongma.lib.refused import Refused

DEVICE_NAME = "手机动态口令"

# django-otp is written without types.
_verify_token: Callable[[User, str, str], TOTPDevice | None] = django_otp.verify_token
_remember_device: Callable[[HttpRequest, TOTPDevice], None] = django_otp.login


def prove_password(*, request: HttpRequest, username: str, password: str) -> User:
    """The person whom username and password prove.

    Refuses `wrong_password`, and `locked` after too many failures from one address (settings.AXES_FAILURE_LIMIT).
    The demo's people, whose password everybody knows, are refused outside the demo.
    """
    user = auth.authenticate(request, username=username, password=password)
    if isinstance(user, User):
        return user
    locked = bool(getattr(request, "axes_locked_out", False))
    known = User.objects.filter(username=username).first()
    if known:
        record("account.locked" if locked else "account.failed", actor=None, target=known, region_code=place_of(known))
    if locked:
        minutes = round(settings.AXES_COOLOFF_TIME * 60)
        raise Refused("locked", f"密码连续输错次数太多，账号已锁定，请 {minutes} 分钟后再试")
    raise Refused("wrong_password", "用户名或密码不对", field="password")


def device_of(user: User) -> TOTPDevice | None:
    """The person's one-time-password device, when one is in use."""
    device: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return device


def prove_code(*, user: User, device: TOTPDevice, code: str) -> None:
    """Use a one-time code up. Refuses `totp_wrong`: false, used before, or tried again too soon after a false one."""
    if _verify_token(user, device.persistent_id, code.strip()) is None:
        raise Refused("totp_wrong", "动态口令不对或已经用过，请等下一个再输", field="code")


def start_session(*, request: HttpRequest, user: User, device: TOTPDevice | None) -> None:
    """Sign the browser in, under a new session key."""
    with transaction.atomic():
        auth.login(request, user, backend=backends.PASSWORD)
        if device:
            _remember_device(request, device)
        record("account.signed_in", actor=user, target=user, region_code=place_of(user), by="session")


def start_token_use(*, request: HttpRequest, user: User) -> None:
    """Note that a program signed in; as at a sign-in page, the count of failures starts anew."""
    with transaction.atomic():
        auth.user_logged_in.send(sender=User, request=request, user=user)
        record("account.signed_in", actor=user, target=user, region_code=place_of(user), by="token")


def pending_device_of(user: User) -> TOTPDevice | None:
    """The device that the person is enrolling."""
    device: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device


def new_device(user: User) -> TOTPDevice:
    """The device that the person is about to enrol; not in use until `confirm_device`."""
    device: TOTPDevice
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": DEVICE_NAME})
    return device


def confirm_device(*, actor: User, code: str) -> None:
    """Put the enrolled device in use. Refuses `totp_not_started`, `totp_enrolled` and `totp_wrong`."""
    if device_of(actor):
        raise Refused("totp_enrolled", "动态口令已经启用")
    device = pending_device_of(actor)
    if device is None:
        raise Refused("totp_not_started", "请先用手机扫描二维码")
    prove_code(user=actor, device=device, code=code)
    with transaction.atomic():
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        record("account.totp_enrolled", actor=actor, target=actor, region_code=place_of(actor))


@transaction.atomic
def remove_device(*, user: User, actor: User, password: str) -> None:
    """Stop asking a person for one-time codes. Refuses `wrong_password` (the actor's own)."""
    if not actor.check_password(password):
        raise Refused("wrong_password", "密码不对", field="password")
    TOTPDevice.objects.filter(user=user).delete()
    record("account.totp_removed", actor=actor, target=user, region_code=place_of(user))
