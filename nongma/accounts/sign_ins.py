"""The sign-in log of a person (登录记录), and the browsers in which a person is signed in now (登录设备)."""

import hashlib
from dataclasses import dataclass

from django.contrib.auth import HASH_SESSION_KEY
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from nongma.accounts.models import Session, User
from nongma.audit.models import Entry, EntryQuerySet
from nongma.audit.services import record

SUCCESS = "account.signed_in"
FAILURES = ("account.failed", "account.code_failed", "account.text_code_failed", "account.locked", "account.refused")
OWN_SECURITY = (
    "account.signed_out_everywhere",
    "account.recovery_used",
    "account.recovery_renewed",
    "account.totp_enrolled",
    "account.totp_removed",
    "account.password_changed",
    "account.password_reset",
)
MOST_COUNTED = 100

SYSTEMS = (
    ("HarmonyOS", "鸿蒙手机"),
    ("OpenHarmony", "鸿蒙手机"),
    ("iPhone", "苹果手机"),
    ("iPad", "苹果平板"),
    ("Android", "安卓手机"),
    ("Windows", "Windows 电脑"),
    ("Macintosh", "苹果电脑"),
    ("CrOS", "Chrome 电脑"),
    ("Linux", "Linux 电脑"),
)
BROWSERS = (
    ("MicroMessenger", "微信"),
    ("QQBrowser", "QQ 浏览器"),
    ("UCBrowser", "UC 浏览器"),
    ("HuaweiBrowser", "华为浏览器"),
    ("MiuiBrowser", "小米浏览器"),
    ("Edg", "Edge"),
    ("Firefox", "火狐浏览器"),
    ("FxiOS", "火狐浏览器"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
"""Marks in what a browser says of itself, the telling ones first: Edge also calls itself Chrome and Safari."""


@dataclass(frozen=True)
class Here:
    """One browser in which a person is signed in; `handle` names it on the page and opens nothing."""

    handle: str
    session: Session
    device: str
    is_this: bool


@dataclass(frozen=True)
class Before:
    """What a person should know who has just signed in: the sign-in before, and failed tries since."""

    entry: Entry
    failures: int


def device_in_words(agent: str) -> str:
    """A browser by the name of its system and its own: Windows 电脑，Edge."""
    system = next((words for mark, words in SYSTEMS if mark in agent), "")
    browser = next((words for mark, words in BROWSERS if mark in agent), "")
    return "，".join(filter(None, (system, browser))) or "其他设备"


def sign_ins_of(user: User) -> EntryQuerySet:
    """The sign-in log of a person, newest first: successes, failures, locks, changes of password and phone."""
    return Entry.objects.of(user).filter(action__in=(SUCCESS, *FAILURES, *OWN_SECURITY)).order_by("-id")


def sign_in_before(user: User) -> Before | None:
    """The sign-in before the last one, and the failed tries since then (`MOST_COUNTED` at most)."""
    log = Entry.objects.of(user)
    before = log.filter(action=SUCCESS).order_by("-id")[1:2].first()
    if before is None:
        return None
    failures = log.filter(pk__gt=before.pk, action__in=FAILURES)[:MOST_COUNTED].count()
    return Before(before, failures)


def sessions_of(user: User, this: str | None) -> list[Here]:
    """Where a person is signed in now, the browser that asks first (`this` is its session's key)."""
    mark = user.get_session_auth_hash()
    rows = Session.objects.filter(user_id=user.pk, expire_date__gt=timezone.now()).order_by("-seen_at")
    going_on = [row for row in rows if constant_time_compare(row.get_decoded().get(HASH_SESSION_KEY, ""), mark)]
    found = [
        Here(handle_of(row.session_key), row, device_in_words(row.agent), row.session_key == this) for row in going_on
    ]
    return sorted(found, key=lambda here: not here.is_this)


def handle_of(key: str) -> str:
    """A name for a session that tells nothing of its key."""
    return hashlib.sha256(f"session:{key}".encode()).hexdigest()[:24]


@transaction.atomic
def end_session(*, actor: User, handle: str) -> bool:
    """Sign one of one's own browsers out; whether there was one."""
    keys = Session.objects.filter(user_id=actor.pk).values_list("session_key", flat=True)
    key = next((key for key in keys if handle_of(key) == handle), None)
    if key is None:
        return False
    Session.objects.filter(pk=key).delete()
    record("account.signed_out", actor=actor, target=actor, region_code=actor.place)
    return True


@transaction.atomic
def end_everywhere(*, user: User, actor: User) -> User:
    """End every session and token of a person."""
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.epoch += 1
    user.save(update_fields=["epoch"])
    Session.objects.filter(user_id=user.pk).delete()
    record("account.signed_out_everywhere", actor=actor, target=user, region_code=user.place)
    return user
