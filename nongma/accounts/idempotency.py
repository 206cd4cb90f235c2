"""The same request twice is one request: `Idempotency-Key`."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from ninja.decorators import decorate_view
from ninja.operation import Operation as NinjaOperation
from ninja.utils import contribute_operation_callback

from nongma.accounts.models import IdempotencyKey, User
from nongma.lib.fields import decrypt, encrypt
from nongma.lib.problems import problem

HEADER = "Idempotency-Key"
LONGEST_KEY = 100
KEPT_HEADERS = ("Content-Type", "Location")

Operation = TypeVar("Operation", bound=Callable[..., Any])
Run = Callable[..., HttpResponseBase]


def idempotent(operation: Operation) -> Operation:
    """Let the caller repeat the operation safely: the same key and body again gets the first answer again.

    The answer is kept in the transaction of the work, so that a crash leaves neither; encrypted, as it may tell a first
    password. Answers of 500 and above are not kept. Refuses the key with another body (422 `idempotency_key_reused`)
    and while the first request still runs
    (409 `idempotency_key_in_use`). Goes under `requires_api`.
    """
    contribute_operation_callback(operation, _describe)
    return decorate_view(_once)(operation)


def _describe(operation: NinjaOperation) -> None:
    """Name the header in the OpenAPI document."""
    parameter = {
        "in": "header",
        "name": HEADER,
        "required": False,
        "description": "同一个键和同样的内容再次提交，得到第一次的回答（24 小时内）",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    }
    operation.openapi_extra = {**(operation.openapi_extra or {}), "parameters": [parameter]}


def _once(run: Run) -> Run:
    def run_once(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        key = request.headers.get(HEADER)
        if key is None or not isinstance(request.user, User):
            return run(request, **arguments)
        if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
            return problem(400, "idempotency_key_invalid", f"{HEADER} 要用 1 到 {LONGEST_KEY} 个英文字符")
        try:
            digest = _digest(request)
        except RequestDataTooBig:
            return problem(413)
        except (MultiPartParserError, SuspiciousOperation):
            return problem(400, "malformed_body", "上传的内容不完整或格式不对")
        with transaction.atomic():
            if not _lock(request.user, key):
                return problem(
                    409, "idempotency_key_in_use", "同一请求还在处理，请稍后再查", headers={"Retry-After": "1"}
                )
            known = IdempotencyKey.objects.filter(user=request.user, key=key).first()
            if known:
                return _again(known, digest)
            response = run(request, **arguments)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            elif isinstance(response, HttpResponse):
                _keep(request.user, key, digest, response)
            return response

    return run_once


def _lock(user: User, key: str) -> bool:
    """Hold the key until the transaction ends; False when another request holds it."""
    name = hashlib.sha256(f"idempotency {user.pk} {key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(name[:8], "big", signed=True)])
        return bool(cursor.fetchone()[0])


def _again(known: IdempotencyKey, digest: bytes) -> HttpResponse:
    if bytes(known.digest) != digest:
        return problem(422, "idempotency_key_reused", f"这个 {HEADER} 已经用在另一个请求上")
    response = HttpResponse(decrypt(bytes(known.body).decode()), status=known.status, headers=known.headers)
    response["Idempotent-Replayed"] = "true"
    return response


def _keep(user: User, key: str, digest: bytes, response: HttpResponse) -> None:
    IdempotencyKey.objects.create(
        user=user,
        key=key,
        digest=digest,
        status=response.status_code,
        headers={name: response[name] for name in KEPT_HEADERS if response.has_header(name)},
        body=encrypt(response.content.decode()).encode(),
    )


def _digest(request: HttpRequest) -> bytes:
    """What makes two requests the same: method, address and body; of an upload its parts, whatever the boundary."""
    digest = hashlib.sha256()
    for part in _parts(request):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _parts(request: HttpRequest) -> Iterator[bytes]:
    yield f"{request.method} {request.get_full_path()}".encode()
    if not (request.content_type or "").startswith("multipart/"):
        yield request.body
        return
    for name, values in sorted(request.POST.lists()):
        yield from (f"{name}={value}".encode(errors="surrogatepass") for value in values)
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            content = hashlib.sha256()
            for chunk in file.chunks():
                content.update(chunk)
            file.seek(0)
            yield f"{name}={file.name}".encode(errors="surrogatepass") + content.digest()
