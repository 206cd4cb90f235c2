"""Every answer of 400 and above is a problem document, and the reasons are Chinese."""

import asyncio
import json
import re
from typing import Any, get_args

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from ninja import NinjaAPI
from ninja.errors import ValidationError as InvalidInput
from pydantic_core.core_schema import ErrorType

from nongma.accounts.models import User
from nongma.lib.input_errors import message_of
from nongma.lib.problems import problem_documents, refused, register
from nongma.lib.refused import Misfilled, Refused
from nongma.testing import api_of, client_of

TOKEN, ME = "/api/v1/token", "/api/v1/me"
pytestmark = pytest.mark.django_db


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The document, checked for its form."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document.keys() == {"type", "title", "status", "code", "detail", "errors"}
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"urn:nongma:problem:{code}"
    assert re.search(r"[一-龥]", document["title"])
    assert re.search(r"[一-龥]", document["detail"])
    return document


def post(client: Client, body: Any, content_type: str = "application/json") -> Any:
    return client.post(TOKEN, body, content_type=content_type)


def test_signed_out(client: Client) -> None:
    response = client.get(ME)
    problem_of(response, 401, "unauthenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_no_such_address(client: Client) -> None:
    problem_of(client.get("/api/v1/nothing"), 404, "not_found")
    problem_of(client.get("/api/v1/"), 404, "not_found")
    problem_of(client.post("/api/v9/token"), 404, "not_found")


def test_another_method(client: Client) -> None:
    response = client.get(TOKEN)
    problem_of(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        "nonsense",
        '{"username": NaN, "password": "x"}',
        '{"username": "a\\u0000", "password": "x"}',
        "[" * 9999,
    ],
)
def test_a_body_that_is_not_json(client: Client, body: str) -> None:
    response = post(client, body)
    if body:
        problem_of(response, 400, "malformed_body")
    else:
        problem_of(response, 422, "invalid")


def test_bytes_that_are_no_text(client: Client) -> None:
    problem_of(post(client, b'{"username": "\xff\xfe"}'), 400, "malformed_body")


def test_lone_surrogates(client: Client) -> None:
    document = problem_of(post(client, '{"username": "\\ud800", "password": "x"}'), 422, "invalid")
    assert document["errors"] == [{"field": "username", "code": "string_unicode", "message": "含有不允许的字符"}]


def test_wrong_inputs_stand_beside_their_fields(client: Client) -> None:
    document = problem_of(post(client, {"username": "x" * 61, "password": 5}), 422, "invalid")
    assert document["errors"] == [
        {"field": "username", "code": "string_too_long", "message": "最多 60 个字"},
        {"field": "password", "code": "string_type", "message": "要填文字"},
    ]
    document = problem_of(post(client, {}), 422, "invalid")
    assert {(error["field"], error["message"]) for error in document["errors"]} == {
        ("username", "必填"),
        ("password", "必填"),
    }
    problem_of(post(client, []), 422, "invalid")


def test_a_body_too_large(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    problem_of(post(client, {"username": "a", "password": "x" * 200}), 413, "too_large")


def test_a_multipart_body_where_json_is_due(client: Client) -> None:
    response = client.post(TOKEN, {"username": "a", "password": "b"})
    assert response.status_code in {400, 415}
    assert response["Content-Type"] == "application/problem+json"


def test_a_crash_tells_nothing_of_the_inside(zhao: User, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def crash(user: User) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("nongma.accounts.api.posts_of", crash)
    response = api_of(zhao, raise_request_exception=False).get(ME)
    problem_of(response, 500, "internal_error")
    assert "secret" not in response.content.decode()
    assert "the secret inside" in caplog.text


@pytest.mark.parametrize(("path", "documented"), [("/api/v1/nothing", True), ("/nothing", False)])
def test_an_async_server_answers_the_same(rf: RequestFactory, path: str, documented: bool) -> None:
    async def missing(request: HttpRequest) -> HttpResponse:
        return HttpResponse("no", status=404, headers={"Allow": "GET"})

    response = asyncio.run(problem_documents(missing)(rf.get(path)))
    assert (response["Content-Type"] == "application/problem+json") is documented
    assert (response.status_code, response["Allow"]) == (404, "GET")


def test_a_session_needs_the_csrf_token(zhao: User) -> None:
    from nongma.accounts.tests import repeatable_urls

    client = client_of(zhao, enforce_csrf_checks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.ROOT_URLCONF", repeatable_urls.__name__)
        response = client.post("/api/test/names", {"name": "甲"}, content_type="application/json")
    problem_of(response, 403, "csrf_failed")


def test_the_document_describes_problems_and_signing_in(client: Client) -> None:
    document = client.get(reverse("api-1:openapi-json")).json()
    assert document["components"]["securitySchemes"]["Bearer"] == {"type": "http", "scheme": "bearer"}
    assert "Problem" in document["components"]["schemas"]
    for methods in document["paths"].values():
        for entry in methods.values():
            assert entry["summary"], entry["operationId"]
            assert "422" in entry["responses"]
            for status, response in entry["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/problem+json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}


def test_the_page_of_the_document_asks_nobody_else(client: Client) -> None:
    page = client.get(reverse("api-1:openapi-view"))
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert addresses
    assert all(address.startswith("/static/") for address in addresses)
    for address in addresses:
        assert client.get(address).status_code == 200, address


def sentences(errors: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(error["field"], error["message"]) for error in json.loads(answer_to(errors).content)["errors"]]


def answer_to(errors: list[dict[str, Any]]) -> HttpResponse:
    api = NinjaAPI()
    register(api)
    return api.on_exception(RequestFactory().get("/api/"), InvalidInput(errors))


def test_choices_and_places_in_lists_are_said_in_chinese() -> None:
    expected = {"type": "literal_error", "msg": "", "ctx": {"expected": "'back', 'forward' or 'both'"}}
    assert sentences([{**expected, "loc": ("query", "direction")}]) == [("direction", "只能是 back、forward、both")]
    kind = {"type": "enum", "msg": "", "ctx": {"expected": "'a' or 'b'"}, "loc": ("body", "body", "kinds", 1)}
    assert sentences([kind]) == [("kinds", "第 2 项：只能是 a、b")]
    forms = [
        {"type": "string_type", "msg": "", "loc": ("body", "place", "longitude", "str")},
        {"type": "float_type", "msg": "", "loc": ("body", "place", "longitude", "float")},
        {"type": "missing", "msg": "", "loc": ("body", "mix", "lots", 0, "MixPart", "lot")},
        {"type": "string_type", "msg": "", "loc": ("body", "mix", "lots", 0, "constrained-str")},
    ]
    assert sentences(forms)[:2] == [("longitude", "要填文字"), ("lots.lot", "第 1 项：必填")]
    assert sentences([{"type": "value_error", "msg": "", "ctx": {"error": "bad"}, "loc": ("body", "a", "b")}]) == [
        ("b", "填写有误")
    ]


def test_every_error_of_pydantic_has_a_chinese_sentence() -> None:
    context = dict.fromkeys(
        ["expected", "max_digits", "decimal_places", "whole_digits", "gt", "ge", "lt", "le", "multiple_of"], 1
    ) | {"min_length": 1, "max_length": 2, "error": "x"}
    for kind in (*get_args(ErrorType), "something new"):
        assert re.search(r"[一-龥]", message_of({"type": kind, "ctx": context})), kind


def test_a_field_of_a_form_is_told_in_the_same_words(zhao: User) -> None:
    wrong = {"scale_min": "1" * 20, "q": "x" * 41, "scale_max": "0.001"}
    errors = problem_of(api_of(zhao).get("/api/v1/origins", wrong), 422, "invalid")["errors"]
    assert {(error["field"], error["code"], error["message"]) for error in errors} == {
        ("scale_min", "max_digits", "最多 14 位数字"),
        ("scale_max", "max_decimal_places", "最多 2 位小数"),
        ("q", "max_length", "最多 40 个字"),
    }


def test_an_input_wrong_in_itself_is_422_and_a_rule_of_the_trade_409() -> None:
    for refusal, status in ((Misfilled("empty", "请填写", field="name"), 422), (Refused("full", "满了"), 409)):
        answer = refused(refusal)
        assert (answer.status_code, json.loads(answer.content)["code"]) == (status, refusal.code)
