"""Nothing leaves as a list of people or operators but on record: who, how many, narrowed to what, what for."""

from typing import Any

import pytest
from django.db import transaction
from django.urls import get_resolver, resolve

from nongma.accounts.access import EXPORTS
from nongma.audit.models import Entry
from nongma.lib.sheets.writing import CSV, XLSX
from nongma.testing import client_of
from tests.access_world import World, addresses, request_of
from tests.test_access_table import rows

EMPTY = {"origins:import-template", "accounts:handout-template", "registry:intake-template"}
"""Sheets without a row: forms to fill in."""
OWN = {"desk:holdings"}
"""What is held about an operator, for its owner: the purpose is always the same."""
PAPERS = {"accounts:agreement"}
"""A paper as it was filed."""
ASKED = {
    "accounts:export-agencies": "county",
    "accounts:export-contacts": "county",
    "accounts:export-people": "county",
    "accounts:export-rollout": "county",
    "accounts:handout-faults": "county",
    "audit:export": "hainan",
    "origins:dues-export": "zhao",
    "origins:export": "zhao",
    "origins:import-errors": "wang",
    "origins:missed-export": "zhao",
    "origins:paper": "zhao",
    "origins:punctuality-export": "zhao",
    "registry:corrections-export": "zhao",
    "registry:directory-export": "zhao",
    "registry:directory-visits": "zhao",
    "registry:export": "zhao",
    "registry:intake-errors": "zhao",
}
"""The exports, each with somebody who may."""


def name_of(world: World, address: str) -> str:
    return resolve(address.format(**world.marks).partition("?")[0]).view_name


def is_list(answer: Any) -> bool:
    """Whether an answer is a file of rows."""
    is_file = answer.headers.get("Content-Disposition", "").startswith("attachment")
    return is_file and answer.headers["Content-Type"] in {XLSX, CSV}


def test_every_file_of_rows_is_an_export(world: World) -> None:
    """Whatever page answers with a sheet is one of `ASKED`, asked as people of every kind who may."""
    found = set()
    for method, address, expected in rows():
        if address.startswith("/api/"):
            continue
        for person in [person for person, status in expected.items() if status in {"200", "ok"}][:4]:
            ask = request_of(world, person, method, address)
            with transaction.atomic():
                if is_list(ask()):
                    found.add(name_of(world, address))
                transaction.set_rollback(True)
    assert found <= set(ASKED) | EMPTY | OWN
    assert {"accounts:export-agencies", "audit:export", "origins:export", "registry:export"} <= found


def test_what_declares_an_export_is_one() -> None:
    declared = {
        name for _, name, view in addresses(get_resolver().url_patterns) if getattr(view, "requires", None) in EXPORTS
    }
    assert declared <= set(ASKED) | PAPERS


@pytest.mark.parametrize("name", ASKED)
def test_it_is_a_form_that_says_what_for(world: World, name: str) -> None:
    user = world.people[ASKED[name]]
    assert user
    client = client_of(user)
    where = next(
        address.format(**world.marks)
        for _, address, _ in rows()
        if not address.startswith("/api/") and name_of(world, address) == name
    )
    assert client.get(where).status_code == 405
    before = Entry.objects.count()
    for reason in ({}, {"reason": " "}, {"reason": "长" * 201}):
        answer = client.post(where, reason, follow=True)
        assert not is_list(answer)
        assert "请写明导出用途" in answer.text or "最多 200 个字" in answer.text
    assert Entry.objects.count() == before
