"""What the API answers when it can't do what was asked: problem documents (RFC 9457) with Chinese reasons."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.errors import ValidationError as InvalidInput
from pydantic import Field

from nongma.lib.input_errors import form_message, message_of
from nongma.lib.refused import Misfilled, Refused

CONTENT_TYPE = "application/problem+json"
FOR_PROGRAMS = ("/api/", "/tiles/")

TITLES = {
    400: "请求有误",
    401: "需要登录",
    403: "没有权限",
    404: "没有找到",
    405: "不支持这种操作",
    406: "不支持这种格式",
    409: "不能这样做",
    413: "内容太大",
    415: "不支持这种内容类型",
    422: "填写有误",
    429: "操作太频繁",
    500: "系统出错",
    503: "系统暂时不可用",
}
CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
DETAILS = {
    400: "请求的内容读不懂，请检查格式",
    401: "请先登录，或在 Authorization 里带上有效的令牌",
    403: "您的角色不能做这件事",
    404: "没有这个地址或这条记录，或者它不在您的管辖范围内",
    405: "这个地址不支持这种请求方法",
    413: "提交的内容超过了大小限制",
    415: "请求的内容类型与接口要求的不一致",
    422: "有几项填写不对，请按提示修改",
    429: "操作太频繁，请稍后再试",
    500: "系统出错，已经记录，请稍后再试",
    503: "系统暂时不可用，请稍后再试",
}


# What pydantic adds to a place for each form that a value may have.
_IS_FORM = re.compile(r"^(str|int|float|decimal|bool|uuid|date|datetime|none)$|[\[(]|^[A-Z]")


class Fault(Schema):
    """What is wrong with one input."""

    field: str = Field(description="出错的字段，嵌套的用点连接；列表里是第几项，写在 message 里")
    code: str = Field(description="稳定的错误代码")
    message: str = Field(description="给人看的原因")


class Problem(Schema):
    """A problem document (RFC 9457): every answer of 400 and above has this form."""

    type: str = Field(description="`urn:nongma:problem:` 加上代码")
    title: str
    status: int
    code: str = Field(description="稳定的错误代码，供程序判断")
    detail: str = Field(description="给人看的原因")
    errors: list[Fault]


def problem(
    status: int,
    code: str = "",
    detail: str = "",
    *,
    errors: Iterable[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A problem document as a response. `errors` are mappings of field, code and message."""
    code = code or CODES.get(status, "error")
    document = {
        "type": f"urn:nongma:problem:{code}",
        "title": TITLES.get(status, "请求没有成功"),
        "status": status,
        "code": code,
        "detail": detail or DETAILS.get(status, "请求没有成功"),
        "errors": [dict(error) for error in errors],
    }
    return HttpResponse(
        json.dumps(document, ensure_ascii=False), status=status, content_type=CONTENT_TYPE, headers=headers
    )


def unauthenticated(code: str = "unauthenticated", detail: str = "") -> HttpResponse:
    """401 with the challenge that RFC 9110 asks for."""
    return problem(401, code, detail, headers={"WWW-Authenticate": 'Bearer realm="nongma"'})


def refused(refusal: Refused) -> HttpResponse:
    """409: a rule of the trade forbids it. 422 for an input that is wrong in itself."""
    errors = [{"field": refusal.field, "code": refusal.code, "message": refusal.message}] if refusal.field else []
    status = 422 if isinstance(refusal, Misfilled) else 409
    return problem(status, refusal.code, refusal.message, errors=errors)


def invalid(errors: Iterable[Mapping[str, str]], code: str = "invalid") -> HttpResponse:
    """422: inputs that are wrong in themselves; `errors` are mappings of field, code and message."""
    return problem(422, code, errors=errors)


def register(api: NinjaAPI) -> None:
    """Make the API answer every exception with a problem document."""
    answers: dict[type[Exception], Callable[[Any], HttpResponse]] = {
        Refused: refused,
        InvalidInput: lambda error: invalid(_faults(error.errors)),
        ValidationError: lambda error: invalid(form_faults(error)),
        Http404: lambda error: problem(404),
        PermissionDenied: lambda error: problem(403),
        HttpError: _http_error,
        RequestDataTooBig: lambda error: problem(413),
        SuspiciousOperation: lambda error: problem(400),
        BadRequest: lambda error: problem(400),
        MultiPartParserError: lambda error: problem(400, "malformed_body", "上传的内容不完整或格式不对"),
        RawPostDataException: lambda error: problem(415),
    }
    for kind, answer in answers.items():
        api.add_exception_handler(kind, _handler(answer))
    api.add_exception_handler(Exception, _unforeseen)


def _handler(answer: Callable[[Any], HttpResponse]) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda request, error: answer(error)


def _unforeseen(request: HttpRequest, error: Any) -> HttpResponse:
    """Leave it to Django, which logs it and answers 500; `problem_documents` turns that into a document."""
    raise error


def _http_error(error: HttpError) -> HttpResponse:
    if error.status_code == 401:
        return unauthenticated()
    if error.status_code == 400:
        return problem(400, "malformed_body", "请求体不是有效的 JSON，或者含有不允许的字符")
    if error.status_code == 403 and "CSRF" in error.message:
        return problem(403, "csrf_failed", "页面已过期，请刷新后再试")
    return problem(error.status_code)


def _faults(items: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Errors of pydantic, one a field: where a value fits none of several forms, what is wrong with the first."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for item in items:
        field, prefix = _place(item["loc"])
        fault = {"field": field, "code": str(item["type"]), "message": prefix + message_of(item)}
        found.setdefault((field, prefix), fault)
    return list(found.values())


def _place(loc: Sequence[Any]) -> tuple[str, str]:
    """The field inside the input, without its source, its forms and its places in lists; these lead the message."""
    start = 2 if loc[0] == "body" and len(loc) > 2 else 1
    names = [part for part in loc[start:] if isinstance(part, str) and not _IS_FORM.search(part)]
    places = [f"第 {part + 1} 项" for part in loc[start:] if isinstance(part, int)]
    return ".".join(names), "的".join(places) + "：" if places else ""


def form_faults(error: ValidationError) -> list[dict[str, str]]:
    """The errors of a Django form or model as fields, codes and messages."""
    if not hasattr(error, "error_dict"):
        return [_form_fault("", item) for item in error.error_list]
    return [
        _form_fault("" if field == "__all__" else field, item)
        for field, items in error.error_dict.items()
        for item in items
    ]


def _form_fault(field: str, item: ValidationError) -> dict[str, str]:
    code = item.code or "invalid"
    return {"field": field, "code": code, "message": form_message(code, item.params) or "；".join(item.messages)}


@sync_and_async_middleware
def problem_documents(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: what Django answers to programs (no such route, wrong method, a crash) as problem documents."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _documented(request, await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _documented(request, get_response(request))

    return answer


def _documented(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code < 400 or not request.path_info.startswith(FOR_PROGRAMS):
        return response
    if response.get("Content-Type", "").startswith(CONTENT_TYPE):
        return response
    kept = {name: response[name] for name in ("Allow", "Retry-After") if response.has_header(name)}
    return problem(response.status_code, headers=kept)
