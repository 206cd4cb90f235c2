"""Who may do what, and where: the one module that roles are enforced in (docs/manual/roles.md shows the table)."""

import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from nongma.accounts.models import Role, User
from nongma.regions.spans import Span, span_of


class Action(enum.StrEnum):
    """What a page or an endpoint lets a person do."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    VIEW_ORIGINS = "view_origins"
    COLLECT_ORIGINS = "collect_origins"
    REVIEW_ORIGINS = "review_origins"
    EXPORT_ORIGINS = "export_origins"
    REVEAL_PERSONAL = "reveal_personal"
    VIEW_OPERATORS = "view_operators"
    REGISTER_OPERATOR = "register_operator"
    REVIEW_OPERATORS = "review_operators"
    VIEW_LOTS = "view_lots"
    HANDLE_LOTS = "handle_lots"
    RECALL_LOTS = "recall_lots"
    VIEW_CERTIFICATES = "view_certificates"
    ISSUE_CERTIFICATE = "issue_certificate"
    VIEW_AUDIT = "view_audit"
    MANAGE_ACCOUNTS = "manage_accounts"


class SignedInRequest(HttpRequest):
    """A request behind `requires` or `requires_api` with any action but PUBLIC: its user is a person."""

    user: User


SEE = {Action.VIEW_ORIGINS, Action.VIEW_OPERATORS, Action.VIEW_LOTS, Action.VIEW_CERTIFICATES}
EVERYONE = {Action.PUBLIC, Action.SIGNED_IN}

ALLOWED: dict[Role, set[Action]] = {
    Role.ADMINISTRATOR: SEE
    | {Action.COLLECT_ORIGINS, Action.EXPORT_ORIGINS, Action.REGISTER_OPERATOR, Action.RECALL_LOTS, Action.VIEW_AUDIT}
    | {Action.MANAGE_ACCOUNTS},
    Role.REVIEWER: SEE
    | {
        Action.COLLECT_ORIGINS,
        Action.REVIEW_ORIGINS,
        Action.EXPORT_ORIGINS,
        Action.REVEAL_PERSONAL,
        Action.REGISTER_OPERATOR,
        Action.REVIEW_OPERATORS,
        Action.RECALL_LOTS,
    },
    Role.COLLECTOR: {Action.VIEW_ORIGINS, Action.COLLECT_ORIGINS, Action.VIEW_OPERATORS, Action.REGISTER_OPERATOR},
    Role.ANALYST: SEE | {Action.EXPORT_ORIGINS},
    Role.LABORATORY: {Action.VIEW_OPERATORS, Action.VIEW_LOTS},
    Role.OFFICER: SEE | {Action.REVEAL_PERSONAL, Action.RECALL_LOTS},
    Role.BRAND: {Action.VIEW_OPERATORS, Action.VIEW_CERTIFICATES},
    Role.OPERATOR: SEE | {Action.HANDLE_LOTS, Action.RECALL_LOTS, Action.ISSUE_CERTIFICATE, Action.REGISTER_OPERATOR},
}


@dataclass(frozen=True)
class Scope:
    """Where a person may look: the division ranges of the posts held today."""

    spans: tuple[Span, ...] = ()

    def query(self, field: str) -> Q:
        """A filter on a division-code field; nothing at all when the scope is empty."""
        result = Q(pk__in=())
        for index, span in enumerate(self.spans):
            part = Q(**{f"{field}__gte": span.start, f"{field}__lte": span.stop})
            result = part if index == 0 else result | part
        return result

    def __contains__(self, code: object) -> bool:
        return any(code in span for span in self.spans)


def roles_of(user: User | AnonymousUser) -> frozenset[Role]:
    """The roles of the posts held today; an operator's person has the role OPERATOR."""
    return _standing(user)[0]


def scope_of(user: User | AnonymousUser) -> Scope:
    """The ranges of the posts held today."""
    return _standing(user)[1]


def may(user: User | AnonymousUser, action: Action) -> bool:
    """Whether one of the user's roles allows the action."""
    if action is Action.PUBLIC:
        return True
    if not isinstance(user, User) or not user.is_active:
        return False
    if action is Action.SIGNED_IN:
        return True
    return any(action in ALLOWED[role] for role in roles_of(user))


def _standing(user: User | AnonymousUser) -> tuple[frozenset[Role], Scope]:
    """Roles and scope, read once for a user object (so once a request)."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset(), Scope()
    known: tuple[frozenset[Role], Scope] | None = getattr(user, "_known_standing", None)
    if known is None:
        posts = list(user.memberships.active(timezone.localdate()).values_list("role", "agency__region_id"))
        roles = {Role(role) for role, _ in posts}
        if user.is_operator:
            roles.add(Role.OPERATOR)
        known = frozenset(roles), Scope(tuple(sorted({span_of(code) for _, code in posts})))
        user._known_standing = known  # type: ignore[attr-defined]
    return known


View = Callable[..., HttpResponseBase]


def requires(action: Action) -> Callable[[View], View]:
    """Declare the access that a page needs: signed out goes to sign-in, a missing role is 403."""

    def declare(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.user, action):
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path())
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.requires = action  # type: ignore[attr-defined]
        return guarded

    return declare
