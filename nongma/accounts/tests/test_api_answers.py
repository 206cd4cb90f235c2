"""Every answer of 400 and above is a problem document, and the reasons are Chinese."""

import asyncio
import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from nongma.accounts.models import User
from nongma.lib.problems import problem_documents
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
