import tomllib
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from nongma.accounts.access import Action, may
from nongma.accounts.models import User
from nongma.accounts.queries import posts_of
from nongma.desk.help import help_url_for
from nongma.desk.navigation import ACCOUNT, ACCOUNT_PAGES, TABS, Entry, entries_for
from nongma.notices.queries import MOST_COUNTED, unread_count
from nongma.registry.models import OperatorMember


def _version() -> str:
    """The platform's version: of the installed package, or of the checkout that it runs from."""
    try:
        return version("nongma")
    except PackageNotFoundError:
        project = tomllib.loads((settings.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])


VERSION = _version()


class Shell:
    """What a page's frame shows; each part is fetched only when a template asks for it."""

    version = VERSION
    demo: bool = settings.DEMO

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def entries(self) -> list[Entry]:
        return entries_for(self.request)

    @cached_property
    def tabs(self) -> list[Entry]:
        """The sections within reach of the thumb."""
        return self.entries[:TABS]

    @cached_property
    def account(self) -> list[Entry]:
        return entries_for(self.request, ACCOUNT)

    @cached_property
    def account_pages(self) -> list[Entry]:
        """The pages of 机构和账号."""
        return entries_for(self.request, ACCOUNT_PAGES)

    @cached_property
    def place(self) -> str:
        """The agency whose post the person holds, or the operator whose person it is."""
        user = self.request.user
        if not isinstance(user, User):
            return ""
        if user.is_operator:
            own = OperatorMember.objects.open().filter(user=user).order_by("pk")
            return own.values_list("operator__name", flat=True).first() or ""
        if user.third_party:
            return user.third_party.name
        posts = list(posts_of(user))
        here = [post for post in posts if post.agency_id == posts[0].agency_id]
        return f"{here[0].agency.name} · {'、'.join(post.get_role_display() for post in here)}" if here else ""

    @cached_property
    def unread(self) -> int:
        """How many notices the person has not read; who has to change the password first has no list yet."""
        user = self.request.user
        return unread_count(user) if isinstance(user, User) and may(user, Action.SIGNED_IN) else 0

    @property
    def unread_label(self) -> str:
        """The number on the bell: 99+ for more than fit."""
        return f"{MOST_COUNTED}+" if self.unread > MOST_COUNTED else str(self.unread)

    @cached_property
    def help_url(self) -> str:
        return help_url_for(self.request)


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs."""
    return {"shell": Shell(request)}
