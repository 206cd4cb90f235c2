"""Who may do what, and where: the one module that roles are enforced in (docs/manual/roles.md shows the table)."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from nongma.accounts.models import Agency, Role, Standing, User
from nongma.accounts.proof import is_proved, prove_first
from nongma.accounts.sessions import has_ended
from nongma.regions.spans import Span


class Action(models.TextChoices):
    """What a page or an endpoint lets a person do."""

    PUBLIC = "public", "不登录也能看"
    SIGNED_IN = "signed_in", "登录后都能用"
    CHANGE_PASSWORD = "change_password", "改自己的密码"
    PROVE_PASSWORD = "prove_password", "再输一次自己的密码"
    SECURE_ACCOUNT = "secure_account", "管自己的动态口令和登录设备"
    VIEW_ORIGINS = "view_origins", "看产地信息"
    COLLECT_ORIGINS = "collect_origins", "采集、导入产地信息"
    ENTER_ORIGIN = "enter_origin", "逐条采集产地信息"
    REVIEW_ORIGINS = "review_origins", "审核产地信息"
    EXPORT_ORIGINS = "export_origins", "导出产地信息"
    REVEAL_PERSONAL = "reveal_personal", "看完整的联系方式（留痕）"
    REVEAL_IDENTITY = "reveal_identity", "看完整的证件号和住址（留痕）"
    ADD_PRODUCTS = "add_products", "增设本县产品"
    VIEW_OPERATORS = "view_operators", "看主体和基地"
    REGISTER_OPERATOR = "register_operator", "登记主体和基地"
    LOAD_OPERATORS = "load_operators", "批量登记主体"
    REVIEW_OPERATORS = "review_operators", "审核主体"
    EXPORT_OPERATORS = "export_operators", "导出主体"
    VIEW_DIRECTORY = "view_directory", "看监管主体目录"
    SUPERVISE_OPERATORS = "supervise_operators", "管理监管主体目录、督促整改"
    VIEW_LOTS = "view_lots", "看批次和追溯链"
    HANDLE_LOTS = "handle_lots", "登记采收、分装、混装、交易"
    RECALL_LOTS = "recall_lots", "召回批次"
    VIEW_CERTIFICATES = "view_certificates", "看合格证"
    ISSUE_CERTIFICATE = "issue_certificate", "开具合格证"
    VIEW_AUDIT = "view_audit", "查审计记录"
    EXPORT_AUDIT = "export_audit", "导出审计记录"
    VIEW_ACCOUNTS = "view_accounts", "看机构和账号"
    MANAGE_ACCOUNTS = "manage_accounts", "办理机构和账号"
    EXPORT_ACCOUNTS = "export_accounts", "导出机构和人员名单"


class SignedInRequest(HttpRequest):
    """A request behind `requires` or `requires_api` with any action but PUBLIC: its user is a person."""

    user: User


FOR_EVERYONE = {
    Action.PUBLIC,
    Action.SIGNED_IN,
    Action.CHANGE_PASSWORD,
    Action.PROVE_PASSWORD,
    Action.SECURE_ACCOUNT,
}
"""What needs no role."""
SENSITIVE = {
    Action.SECURE_ACCOUNT,
    Action.REVEAL_PERSONAL,
    Action.REVEAL_IDENTITY,
    Action.EXPORT_ORIGINS,
    Action.EXPORT_OPERATORS,
    Action.EXPORT_AUDIT,
    Action.MANAGE_ACCOUNTS,
    Action.EXPORT_ACCOUNTS,
}
"""What needs the password again when it was given too long ago (`proof.is_proved`): granting, revealing, exporting."""
FULLY = {Action.SECURE_ACCOUNT}
"""What then also needs the second factor of who has one: changing how one signs in."""
EXPORTS = {Action.EXPORT_ORIGINS, Action.EXPORT_OPERATORS, Action.EXPORT_AUDIT, Action.EXPORT_ACCOUNTS}
"""What answers with a file: the browser stays on the page that asked for it."""
TOTP_ROLES = {Role.ADMINISTRATOR, Role.REVIEWER}
"""Who must have a second factor where `settings.TOTP_REQUIRED`."""

SEE = {Action.VIEW_ORIGINS, Action.VIEW_OPERATORS, Action.VIEW_LOTS, Action.VIEW_CERTIFICATES}

ALLOWED: dict[Role, set[Action]] = {
    Role.ADMINISTRATOR: SEE
    | {
        Action.COLLECT_ORIGINS,
        Action.ENTER_ORIGIN,
        Action.EXPORT_ORIGINS,
        Action.EXPORT_OPERATORS,
        Action.VIEW_DIRECTORY,
        Action.REGISTER_OPERATOR,
        Action.LOAD_OPERATORS,
        Action.RECALL_LOTS,
        Action.VIEW_AUDIT,
        Action.EXPORT_AUDIT,
        Action.VIEW_ACCOUNTS,
        Action.MANAGE_ACCOUNTS,
        Action.EXPORT_ACCOUNTS,
    },
    Role.REVIEWER: SEE
    | {
        Action.COLLECT_ORIGINS,
        Action.ENTER_ORIGIN,
        Action.REVIEW_ORIGINS,
        Action.ADD_PRODUCTS,
        Action.EXPORT_ORIGINS,
        Action.EXPORT_OPERATORS,
        Action.REVEAL_PERSONAL,
        Action.REVEAL_IDENTITY,
        Action.REGISTER_OPERATOR,
        Action.LOAD_OPERATORS,
        Action.REVIEW_OPERATORS,
        Action.VIEW_DIRECTORY,
        Action.SUPERVISE_OPERATORS,
        Action.RECALL_LOTS,
    },
    Role.COLLECTOR: {
        Action.VIEW_ORIGINS,
        Action.COLLECT_ORIGINS,
        Action.ENTER_ORIGIN,
        Action.REVEAL_PERSONAL,
        Action.VIEW_OPERATORS,
        Action.VIEW_DIRECTORY,
        Action.REGISTER_OPERATOR,
        Action.LOAD_OPERATORS,
    },
    Role.ANALYST: SEE | {Action.EXPORT_ORIGINS, Action.EXPORT_OPERATORS, Action.VIEW_DIRECTORY},
    Role.LABORATORY: {Action.VIEW_OPERATORS, Action.VIEW_LOTS},
    Role.OFFICER: SEE | {Action.VIEW_DIRECTORY, Action.REVEAL_PERSONAL, Action.REVEAL_IDENTITY, Action.RECALL_LOTS},
    Role.BRAND: {Action.VIEW_OPERATORS, Action.VIEW_CERTIFICATES},
    Role.OPERATOR: SEE
    | {
        Action.ENTER_ORIGIN,
        Action.HANDLE_LOTS,
        Action.RECALL_LOTS,
        Action.ISSUE_CERTIFICATE,
        Action.REGISTER_OPERATOR,
    },
}

OFFICE = {Action.VIEW_ACCOUNTS, Action.MANAGE_ACCOUNTS, Action.EXPORT_ACCOUNTS}
ADMINISTRATORS: dict[Agency.Kind, set[Action]] = {
    Agency.Kind.MONITORING: OFFICE | ALLOWED[Role.LABORATORY],
    Agency.Kind.ENFORCEMENT: OFFICE | SEE,
}
"""What 平台管理员 of 监测 and 执法 agencies may do: look after accounts, and see what their people see."""


def allowed(held: Standing) -> set[Action]:
    """What a role allows that somebody has."""
    if held.role == Role.ADMINISTRATOR and held.kind in ADMINISTRATORS:
        return ADMINISTRATORS[held.kind]
    return ALLOWED[held.role]


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
    return frozenset(held.role for held in _standing(user))


def scope_of(user: User | AnonymousUser, action: Action | None = None) -> Scope:
    """The ranges of the posts held today; with an action, of those posts whose role allows it.

    Who reviews in one county and collects in another sees both, and reviews in the first only.
    """
    spans = {held.span for held in _standing(user) if held.span and (action is None or action in allowed(held))}
    return Scope(tuple(sorted(span for span in spans if not any(o.covers(span) for o in spans - {span}))))


def may(user: User | AnonymousUser, action: Action) -> bool:
    """Whether one of the user's roles allows the action; where, `scope_of(user, action)` tells.

    Whose password an administrator gave may first of all change it, and who has to have a second factor may then
    enrol it; nothing else before that.
    """
    if action == Action.PUBLIC:
        return True
    if not isinstance(user, User) or not user.may_sign_in:
        return False
    if action in {Action.CHANGE_PASSWORD, Action.PROVE_PASSWORD}:
        return True
    if user.must_change_password:
        return False
    if action == Action.SECURE_ACCOUNT:
        return True
    if lacks_totp(user):
        return False
    return action == Action.SIGNED_IN or holds(user, action)


def holds(user: User | AnonymousUser, action: Action) -> bool:
    """Whether one of the user's roles allows the action, however the user signs in."""
    return any(action in allowed(held) for held in _standing(user))


def must_use_totp(user: User) -> bool:
    """Whether one of the user's roles wants a second factor."""
    return settings.TOTP_REQUIRED and not TOTP_ROLES.isdisjoint(roles_of(user))


def lacks_totp(user: User) -> bool:
    """Whether the user has to enrol a second factor first."""
    return not user.has_totp and must_use_totp(user)


def _standing(user: User | AnonymousUser) -> tuple[Standing, ...]:
    return user.standing if isinstance(user, User) and user.may_sign_in else ()


View = Callable[..., HttpResponseBase]
Declared = TypeVar("Declared", bound=Callable[..., Any])


def declared(view: Declared, action: Action) -> Declared:
    """The view or operation with a note of the access that it needs; decorators around it carry the note along."""
    vars(view)["requires"] = action
    return view


def requires(action: Action) -> Callable[[View], View]:
    """Declare the access that a page needs: signed out goes to sign-in, a missing role is 403.

    Whoever has to change the password or enrol a phone first is led to that page, and back; what is SENSITIVE asks
    for the password again when it was given too long ago.
    """

    def declare(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.user, action):
                if not request.user.is_authenticated:
                    return _to_sign_in(request)
                if isinstance(request.user, User) and request.user.must_change_password:
                    return _led(request, "accounts:password")
                if isinstance(request.user, User) and lacks_totp(request.user):
                    return _led(request, "accounts:code")
                raise PermissionDenied(action)
            if action in SENSITIVE and not is_proved(request, fully=action in FULLY):
                return prove_first(
                    request,
                    lambda: view(request, *args, **kwargs),
                    is_file=action in EXPORTS,
                    fully=action in FULLY,
                )
            return view(request, *args, **kwargs)

        return declared(guarded, action)

    return declare


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and from there back; it says so when an earlier sign-in has ended."""
    asked = {"next": request.get_full_path()} | ({"ended": "1"} if has_ended(request) else {})
    return redirect(f"{reverse('accounts:sign-in')}?{urlencode(asked, safe='/')}")


def _led(request: HttpRequest, page: str) -> HttpResponseBase:
    """To a page that comes first, and from there back."""
    back = {"next": request.get_full_path()} if request.method == "GET" else {}
    return redirect(f"{reverse(page)}?{urlencode(back)}")
