from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from nongma.accounts.models import Agency, IdempotencyKey, Role, User
from nongma.accounts.tasks import forget_idempotency_keys
from nongma.accounts.tests import repeatable_urls
from nongma.testing import HAINAN, api_of, at_once, make_official

pytestmark = pytest.mark.urls(repeatable_urls.__name__)
NAMES, FILES = "/api/test/names", "/api/test/files"


def add(client: Client, name: str, key: str | None = "k1", path: str = NAMES) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, {"name": name}, content_type="application/json", headers=headers)


def upload(client: Client, content: bytes, key: str = "k1") -> Any:
    file = SimpleUploadedFile("表.csv", content)
    return client.post(FILES, {"file": file}, headers={"Idempotency-Key": key})


def names() -> list[str]:
    return sorted(Agency.objects.exclude(name__contains="监管机构").values_list("name", flat=True))


def test_it_gives_the_first_answer_again(hainan: User) -> None:
    client = api_of(hainan)
    first, again = add(client, "甲"), add(client, "甲")
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotent-Replayed"] == "true"
    assert names() == ["甲"]


def test_it_does_the_work_again_without_a_key(hainan: User) -> None:
    client = api_of(hainan)
    assert [add(client, name, key=None).status_code for name in ("甲", "乙")] == [201, 201]
    assert not IdempotencyKey.objects.exists()


def test_it_refuses_the_key_with_another_request(hainan: User) -> None:
    client = api_of(hainan)
    add(client, "甲")
    for other in (add(client, "乙"), add(client, "甲", path=NAMES + "?x=1"), upload(client, "乙".encode())):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert names() == ["甲"]


def test_it_keeps_the_keys_of_two_people_apart(hainan: User, ministry: User) -> None:
    assert add(api_of(hainan), "甲").status_code == 201
    assert add(api_of(ministry), "乙").status_code == 201
    assert names() == ["乙", "甲"]


def test_it_repeats_a_refusal_too(hainan: User) -> None:
    client = api_of(hainan)
    first, again = add(client, "refuse"), add(client, "refuse")
    assert first.status_code == again.status_code == 409
    assert first.content == again.content
    assert names() == []


def test_a_crash_leaves_neither_work_nor_key(hainan: User) -> None:
    client = api_of(hainan, raise_request_exception=False)
    assert add(client, "crash").status_code == 500
    assert names() == []
    assert not IdempotencyKey.objects.exists()
    assert add(client, "甲").status_code == 201


def test_it_knows_an_upload_by_its_content(hainan: User) -> None:
    client = api_of(hainan)
    first, again = upload(client, "甲".encode()), upload(client, "甲".encode())
    assert (first.status_code, first.content) == (201, again.content)
    assert upload(client, "乙".encode()).json()["code"] == "idempotency_key_reused"
    assert names() == ["甲"]


def test_it_reads_an_upload_to_its_end(hainan: User) -> None:
    """Beyond memory the file lies on disk; two that differ in the last byte are two."""
    client, content = api_of(hainan), "甲".encode() + b" " * 3_000_000
    assert upload(client, content + b"1").status_code == 201
    assert upload(client, content + b"1").status_code == 201
    assert upload(client, content + b"2").json()["code"] == "idempotency_key_reused"
    assert names() == ["甲"]


@pytest.mark.parametrize("key", ["", "x" * 101, "空 格"])
def test_it_refuses_a_key_that_is_none(hainan: User, key: str) -> None:
    answer = add(api_of(hainan), "甲", key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert names() == []


def test_it_is_asked_after_access(zhao: User) -> None:
    assert add(Client(), "甲").status_code == 401
    assert add(api_of(zhao), "甲").status_code == 403
    assert not IdempotencyKey.objects.exists()


def test_it_forgets_a_key_after_a_day(hainan: User) -> None:
    client = api_of(hainan)
    add(client, "甲")
    forget_idempotency_keys(0)
    assert IdempotencyKey.objects.count() == 1
    IdempotencyKey.objects.update(at=timezone.now() - timedelta(hours=25))
    forget_idempotency_keys(0)
    assert not IdempotencyKey.objects.exists()
    assert add(client, "甲乙").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_six_at_once_do_the_work_once() -> None:
    hainan = make_official("hainan", "海南管理员", Role.ADMINISTRATOR, HAINAN)
    answers = at_once(*[partial(add, api_of(hainan), "甲") for _ in range(6)])
    assert names() == ["甲"]
    kinds = {answer.status_code for answer in answers}
    assert 201 in kinds <= {201, 409}
    assert all(answer.json()["code"] == "idempotency_key_in_use" for answer in answers if answer.status_code == 409)
