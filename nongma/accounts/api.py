"""Signing in to the API, and the declarations that every operation of the API carries."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router, Schema
from ninja.decorators import decorate_view
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer
from pydantic import Field

from nongma.accounts.access import SENSITIVE, Action, SignedInRequest, declared, lacks_totp, may, roles_of
from nongma.accounts.codes import prove_code
from nongma.accounts.idempotency import idempotent
from nongma.accounts.models import Membership, Role, User
from nongma.accounts.proof import is_proved
from nongma.accounts.queries import posts_of
from nongma.accounts.signing_in import LOCKED, prove_password, start_token_use
from nongma.accounts.tokens import bearer_of, token_for
from nongma.lib.problems import Problem, problem, unauthenticated
from nongma.lib.refused import Refused
from nongma.regions.models import Region

__all__ = ["authenticated", "idempotent", "requires_api", "router"]

Operation = TypeVar("Operation", bound=Callable[..., Any])
Run = Callable[..., HttpResponseBase]


class ProvedRequest(HttpRequest):
    """A request whose person `requires_api` has found, so that Ninja's own check asks nobody twice."""

    proved_user: User
    proved_at: int


class Bearer(HttpBearer):
    """A token of `POST /api/v1/token`."""

    def __call__(self, request: HttpRequest) -> Any:
        return _proved(request) or super().__call__(request)

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """Whom the token stands for; when the password was given for it stays with the request."""
        found = bearer_of(token)
        if found is None:
            return None
        cast(ProvedRequest, request).proved_at = found.proved_at
        return found.user


class Session(APIKeyCookie):
    """The session of a signed-in browser; changes need the `X-CSRFToken` header."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=True)

    def __call__(self, request: HttpRequest) -> Any:
        return _proved(request) or super().__call__(request)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        return request.user if isinstance(request.user, User) else None


bearer, session = Bearer(), Session()
authenticated: list[Callable[[HttpRequest], Any]] = [bearer, session]


def requires_api(action: Action) -> Callable[[Operation], Operation]:
    """Declare the access that an operation needs, checked before its input is read: 401, then 403.

    Goes right under the route decorator. With `Action.PUBLIC` the route needs `auth=None`.
    """

    def declare(operation: Operation) -> Operation:
        return decorate_view(_guard(action))(declared(operation, action))

    return declare


def _guard(action: Action) -> Callable[[Run], Run]:
    def around(run: Run) -> Run:
        def guarded(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if action is not Action.PUBLIC:
                try:
                    user = _prove(request)
                except HttpError:
                    return problem(403, "csrf_failed", "页面已过期，请刷新后再试")
                if user is None:
                    return unauthenticated()
                if not may(user, action):
                    return forbidden(user)
                if action in SENSITIVE and not is_proved(request):
                    return problem(403, "password_needed", "这项操作要刚输过密码：请重新取令牌，或在网页上再输一次密码")
            if _has_null(request, arguments):
                return problem(400, "bad_characters", "地址里含有不允许的字符")
            return run(request, **arguments)

        return guarded

    return around


def _prove(request: HttpRequest) -> User | None:
    """Who asks: by token when there is an Authorization header, else by session (raises HttpError on a false CSRF)."""
    user: User | None = None
    if "Authorization" in request.headers:
        user = bearer(request)
    elif request.user.is_authenticated:
        user = session(request)
    if user:
        request.user = user
        cast(ProvedRequest, request).proved_user = user
    return user


def _proved(request: HttpRequest) -> User | None:
    return getattr(request, "proved_user", None)


def forbidden(user: User) -> HttpResponse:
    """403 for who may not: first of all for the password or the phone, else for the role."""
    if user.must_change_password:
        return password_change_required()
    return totp_enrolment_required() if lacks_totp(user) else problem(403)


def password_change_required() -> HttpResponse:
    """403: an administrator gave the password, which its person changes on a page before anything else."""
    return problem(403, "password_change_required", "密码是管理员给的，请先在网页上登录，换成自己的密码")


def totp_enrolment_required() -> HttpResponse:
    """403: the person's role wants a second factor, which is enrolled on a page before anything else."""
    return problem(403, "totp_enrolment_required", "平台管理员和审核员须用动态口令，请先在网页上登录并启用")


def _has_null(request: HttpRequest, arguments: dict[str, Any]) -> bool:
    """Whether the address holds a NUL, which PostgreSQL refuses in text."""
    values = [*arguments.values(), *(value for values in request.GET.lists() for value in values[1])]
    return any("\x00" in value for value in values if isinstance(value, str))


router = Router(tags=["账号"])


class TokenIn(Schema):
    """What a program signs in with."""

    username: str = Field(max_length=60)
    password: str = Field(max_length=200)
    code: str | None = Field(None, max_length=60, description="手机动态口令或一个恢复码，启用了动态口令才需要")


class TokenOut(Schema):
    """A bearer token (RFC 6750)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="有效时间（秒）")


class PlaceOut(Schema):
    """A division by code and full name."""

    code: str = Field(description="12 位区划代码")
    name: str

    @staticmethod
    def resolve_code(region: Region) -> str:
        return f"{region.code:012}"

    @staticmethod
    def resolve_name(region: Region) -> str:
        return str(region)


class PostOut(Schema):
    """A post held today."""

    agency: str
    role: Role
    role_name: str
    region: PlaceOut

    @staticmethod
    def resolve_agency(post: Membership) -> str:
        return post.agency.name

    @staticmethod
    def resolve_role_name(post: Membership) -> str:
        return Role(post.role).label

    @staticmethod
    def resolve_region(post: Membership) -> Region:
        return post.agency.region


class MeOut(Schema):
    """The person signed in, the posts held today and what they allow."""

    username: str
    name: str
    is_operator: bool
    roles: list[Role]
    actions: list[Action]
    posts: list[PostOut]


@router.post(
    "/token",
    auth=None,
    response={200: TokenOut, 401: Problem, 403: Problem, 429: Problem},
    summary="换取令牌",
    operation_id="token",
)
@requires_api(Action.PUBLIC)
def token(request: HttpRequest, credentials: TokenIn) -> Any:
    """用户名和密码换一个令牌，此后每个请求带上 `Authorization: Bearer <令牌>`。

    改密码、停用账号、全部设备退出后令牌立即失效。
    """
    try:
        user = prove_password(request=request, username=credentials.username, password=credentials.password)
        if user.has_totp:
            if credentials.code is None:
                raise Refused("totp_required", "这个账号启用了动态口令，请带上 code", field="code")
            prove_code(user=user, code=credentials.code)
    except Refused as refusal:
        if refusal.code in LOCKED:
            wait = str(LOCKED[refusal.code])
            return problem(429, refusal.code, refusal.message, headers={"Retry-After": wait})
        return unauthenticated(refusal.code, refusal.message)
    if user.must_change_password or lacks_totp(user):
        return forbidden(user)
    start_token_use(request=request, user=user)
    return {"access_token": token_for(user), "token_type": "Bearer", "expires_in": settings.TOKEN_SECONDS}


@router.get("/me", auth=authenticated, response=MeOut, summary="我是谁", operation_id="me")
@requires_api(Action.SIGNED_IN)
def me(request: SignedInRequest) -> Any:
    """当前登录的人、在任的职务和能做的事。"""
    user = request.user
    return {
        "username": user.username,
        "name": user.name,
        "is_operator": user.is_operator,
        "roles": sorted(roles_of(user)),
        "actions": [action for action in Action if may(user, action)],
        "posts": list(posts_of(user)),
    }
