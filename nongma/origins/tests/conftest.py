from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from nongma.accounts.models import Role, User
from nongma.testing import HAINAN, make_official


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
