"""Whatever is sent to the API, it answers as its document says, and never with a crash."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from nongma.accounts.models import Role, User
from nongma.accounts.tokens import token_for
from nongma.catalogue.models import Product
from nongma.certificates.models import Basis
from nongma.certificates.services import issue_certificate
from nongma.codes.codec import encode
from nongma.testing import COUNTRY, YAZHOU_VILLAGE, make_base, make_official, make_operator, make_origin
from nongma.tracing.services import harvest_lot

EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 4}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
api = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Requests share the test's transaction, so the server's habit of closing connections rests."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def keys(li: User, wang: User, cowpea: Product) -> dict[str, str]:
    """Keys of records that are there, by the noun of their address."""
    operator = make_operator(li, region=YAZHOU_VILLAGE)
    base = make_base(operator, region=YAZHOU_VILLAGE)
    origin = make_origin(base, cowpea, collected_by=wang)
    lot = harvest_lot(
        base=base, product=cowpea, quantity=Decimal(500), unit="kg", harvested_on=timezone.localdate(), actor=li
    )
    certificate = issue_certificate(lot=lot, quantity=Decimal(100), basis=Basis.SELF_TEST, actor=li)
    return {
        "operators": encode(operator.serial),
        "origins": str(origin.uid),
        "lots": encode(lot.serial),
        "certificates": encode(certificate.serial),
        "products": cowpea.code,
        "regions": str(YAZHOU_VILLAGE),
    }


def faults_of(operation: Any, keys: Iterator[str | None], headers: dict[str, str]) -> list[str]:
    """What is wrong with the answers of one operation; every request is undone."""
    found: list[str] = []

    def send(case: Case) -> None:
        key = next(keys)
        if key:
            case.path_parameters = dict.fromkeys(case.path_parameters, key)
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        try:
            case.validate_response(response, checks=CHECKS)
        except* AssertionError as failures:
            found.append(f"{operation.label}: {failures.exceptions[0]}")

    for mode, examples in EXAMPLES.items():
        bounded = settings(
            max_examples=examples if headers else 1,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        bounded(given(operation.as_strategy(generation_mode=mode))(send))()
    return found


@pytest.mark.parametrize("who", ["reviewer", "grower", "ministry", "nobody"])
def test_it_answers_whatever_is_sent(who: str, keys: dict[str, str], li: User, zhao: User) -> None:
    people = {"reviewer": zhao, "grower": li}
    person = people.get(who) or (who == "ministry" and make_official("ministry", "部级", Role.ADMINISTRATOR, COUNTRY))
    headers = {"Authorization": f"Bearer {token_for(person)}"} if person else {}
    faults: list[str] = []
    for result in api.get_all_operations():
        operation = result.ok()
        noun = operation.path.removeprefix("/api/v1/").partition("/")[0]
        faults += faults_of(operation, cycle([keys.get(noun), None]), headers)
    assert not faults, "\n".join(dict.fromkeys(faults))
