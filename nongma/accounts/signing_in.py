"""Proving who one is: password, lock-out, the start of a session."""

import time
from datetime import datetime, timedelta

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessFailureLog
from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from nongma.accounts import backends
from nongma.accounts.codes import prove_code
from nongma.accounts.models import User
from nongma.accounts.queries import administrator_for
from nongma.accounts.rollout.figures import recount
from nongma.accounts.sessions import ADDRESS, AGENT, PROVED, PROVED_FULLY, STARTED
from nongma.accounts.sign_ins import device_in_words
from nongma.audit.models import Entry, first_key
from nongma.audit.services import record
from nongma.lib.fields import digest_of
from nongma.lib.proxies import address_of
from nongma.lib.refused import Refused

AGENT_LETTERS = 200
KNOWN_FOR = timedelta(days=30)
FAILURES_COUNT_FOR = timedelta(hours=1)
LOCKED = {"locked": round(settings.AXES_COOLOFF_TIME * 3600), "guessed_at": 3600, "guessed_from": 3600}
"""What is refused for a while, and for how many seconds."""


def prove_password(*, request: HttpRequest, username: str, password: str) -> User:
    """The person whom username and password prove.

    Refuses `wrong_password`; `locked` after too many failures from one address (settings.AXES_FAILURE_LIMIT);
    `guessed_at` after too many for the username from all addresses together (settings.GUESSES_AN_HOUR), `guessed_from`
    after too many from the address for all usernames together (settings.GUESSES_PER_ADDRESS), both except where the
    person signed in from of late, and both for names of nobody too; `suspended` and `password_over` (one that an
    administrator gave, settings.FIRST_PASSWORD_KEPT ago), which only the right password learns. The demo's people,
    whose password everybody knows, are refused outside the demo.
    """
    user = _authenticated(request, username, password, "用户名或密码不对")
    if user.is_suspended:
        record("account.refused", actor=None, target=user, region_code=user.place)
        raise Refused("suspended", f"账号已停用，请联系{_whom_to_ask(user)}")
    if user.must_change_password and timezone.now() - _given_at(user) > settings.FIRST_PASSWORD_KEPT:
        record("account.refused", actor=None, target=user, region_code=user.place)
        raise Refused("password_over", f"这个初始密码放得太久，已经失效，请联系{_whom_to_ask(user)}重设")
    return user


def prove_again(*, request: HttpRequest, password: str, code: str | None = None) -> None:
    """Note that the person signed in has given the password, and a code if asked for, once more.

    The session goes on under a new key. Refuses `wrong_password`, `locked`, `guessed_at`, `guessed_from` and
    `totp_wrong` as at the sign-in; failures count together.
    """
    user = _authenticated(request, request.user.get_username(), password, "密码不对")
    AxesProxyHandler.reset_attempts(username=user.username, ip_address=address_of(request))
    if code is not None:
        prove_code(user=user, code=code)
    request.session.cycle_key()
    note_proof(request, fully=code is not None)


def note_proof(request: HttpRequest, *, fully: bool) -> None:
    """Remember when the password was given in this session; `fully`: with the second factor, where there is one."""
    now = int(time.time())
    request.session.update({PROVED: now, PROVED_FULLY: now} if fully else {PROVED: now})


def note_phone(request: HttpRequest) -> None:
    """Remember that the second factor was proved to the password given before."""
    request.session[PROVED_FULLY] = request.session.get(PROVED, 0)


def start_session(*, request: HttpRequest, user: User, by: str = "session") -> None:
    """Sign the browser in, under a new session key; `by`: `session` (password) or `phone` (code by text message)."""
    agent = request.headers.get("User-Agent", "")[:AGENT_LETTERS]
    now = int(time.time())
    is_first = user.last_login is None
    with transaction.atomic():
        auth.login(request, user, backend=backends.PASSWORD)
        request.session.update({STARTED: now, ADDRESS: address_of(request), AGENT: agent})
        note_proof(request, fully=True)
        _record_sign_in(user, is_first, by=by, device=device_in_words(agent))


def start_token_use(*, request: HttpRequest, user: User) -> None:
    """Note that a program signed in; as at a sign-in page, the count of failures starts anew."""
    is_first = user.last_login is None
    with transaction.atomic():
        auth.user_logged_in.send(sender=User, request=request, user=user)
        _record_sign_in(user, is_first, by="token")


def _authenticated(request: HttpRequest, username: str, password: str, wrong: str) -> User:
    known = User.objects.filter(username=username).first()
    address = address_of(request)
    refusal = _too_many_for(username, address)
    if refusal and not (known and _is_at_home(known, address)):
        if known:
            record("account.locked", actor=None, target=known, region_code=known.place)
        raise refusal
    user = auth.authenticate(request, username=username, password=password)
    if isinstance(user, User):
        return user
    locked = bool(getattr(request, "axes_locked_out", False))
    if not locked:
        AccessFailureLog.objects.create(username=_name_in_log(username), ip_address=address)
    if known:
        record("account.locked" if locked else "account.failed", actor=None, target=known, region_code=known.place)
    if locked:
        raise Refused("locked", f"密码连续输错次数太多，账号已锁定，请 {LOCKED['locked'] // 60} 分钟后再试")
    raise Refused("wrong_password", wrong, field="password")


def _too_many_for(username: str, address: str | None) -> Refused | None:
    """What to refuse when so many wrong passwords came within the hour that only places known from before may go on.

    Names of nobody are counted alike, so that the answer tells of nobody whether there is an account; no password is
    hashed for it.
    """
    failures = AccessFailureLog.objects.filter(attempt_time__gt=timezone.now() - FAILURES_COUNT_FOR).order_by()
    if failures.filter(username=_name_in_log(username))[: settings.GUESSES_AN_HOUR].count() >= settings.GUESSES_AN_HOUR:
        return Refused(
            "guessed_at",
            "这个账号一小时内输错密码的次数太多，暂停从新的地方登录。请过一小时再试，或在以前登录过的地方登录",
        )
    limit = settings.GUESSES_PER_ADDRESS
    if address and failures.filter(ip_address=address)[:limit].count() >= limit:
        return Refused(
            "guessed_from",
            "从这个网络一小时内输错密码的次数太多，以前没有在这里登录过的账号暂停登录。请过一小时再试，或换一个网络",
        )
    return None


def _is_at_home(user: User, address: str | None) -> bool:
    """Whether the person signed in from there of late."""
    log = Entry.objects.of(user).filter(pk__gte=first_key(timezone.now() - KNOWN_FOR), action="account.signed_in")
    return log.filter(address=address).exists()


def _name_in_log(username: str) -> str:
    """A username as failures are counted by: it may be a password that was typed into the wrong field."""
    return digest_of(f"failure:{username}").hex()


def _given_at(user: User) -> datetime:
    """When an administrator gave the password that the person has yet to change."""
    reset = Entry.objects.of(user).filter(action="account.password_reset").order_by("-id").first()
    return reset.at if reset else user.created_at


def _whom_to_ask(user: User) -> str:
    post = administrator_for(user)
    return f"{post.agency}的平台管理员" if post else "本级平台管理员"


def _record_sign_in(user: User, is_first: bool, **details: str) -> None:
    record("account.signed_in", actor=user, target=user, region_code=user.place, **details)
    if is_first and user.agency_id:
        recount(user.place)
