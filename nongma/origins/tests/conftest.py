from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from nongma.accounts.models import Role, User
from nongma.catalogue.models import Product
from nongma.testing import HAINAN, api_of, make_official


@pytest.fixture
def told(db: None) -> Iterator[Callable[[], set[str]]]:
    """The subjects that web processes were told of since the test began, as their uids."""
    subjects: set[str] = set()

    def watch(execute: Callable[..., Any], sql: str, parameters: Any, *rest: Any) -> Any:
        if "pg_notify" in sql:
            subjects.update(parameters[1])
        return execute(sql, parameters, *rest)

    with connection.execute_wrapper(watch):
        yield lambda: subjects


@pytest.fixture
def hainan_reviewer(db: None) -> User:
    return make_official("wu", "吴省审", Role.REVIEWER, HAINAN)


@pytest.fixture
def api_post() -> Callable[..., Any]:
    """Sends a body to the API as somebody: by POST, or by the method that is named; `key` makes it idempotent."""

    def send(who: User, path: str, body: Any, *, method: str = "post", key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return getattr(api_of(who), method)(path, body, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def pigs(db: None) -> Product:
    return Product.objects.get(name="生猪")
