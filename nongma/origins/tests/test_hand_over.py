"""What a collector's or reviewer's predecessor began goes on with the post (交接)."""

from datetime import date

import pytest
from django.urls import reverse

from nongma.accounts.models import Membership, Role, User
from nongma.accounts.services import hand_over
from nongma.origins.models import ImportJob
from nongma.testing import LIANDU, YAZHOU_TOWN, api_of, client_of, make_official, make_user


@pytest.fixture
def job(wang: User) -> ImportJob:
    """An import that Wang has uploaded."""
    return ImportJob.objects.create(user=wang, file="", filename="王采集.xlsx", size_bytes=1, digest=b"1" * 32)


@pytest.fixture
def town_administrator(wang: User) -> User:
    """Who hands out the accounts of Wang's station."""
    return make_official("town", "镇管理", Role.ADMINISTRATOR, YAZHOU_TOWN)


def successor_of(wang: User, actor: User) -> User:
    new = make_user("new", "新采集", agency=wang.agency, place=YAZHOU_TOWN)
    hand_over(membership=wang.memberships.get(agency=wang.agency), to=new, actor=actor)
    return User.objects.get(pk=new.pk)


def test_the_successor_sees_the_imports_of_before(wang: User, job: ImportJob, town_administrator: User) -> None:
    Membership.objects.filter(user=wang).update(from_on=date(2026, 1, 1))
    ImportJob.objects.filter(pk=job.pk).update(created_at="2026-03-01T08:00Z")
    new = successor_of(wang, town_administrator)
    assert client_of(new).get(job.get_absolute_url()).status_code == 200
    assert "王采集.xlsx" in client_of(new).get(reverse("origins:imports")).text
    assert api_of(new).get("/api/v1/origins/imports").json()["total"] == 1
    assert client_of(wang).get(job.get_absolute_url()).status_code in {200, 403}


def test_what_was_done_after_or_elsewhere_stays_where_it_is(
    wang: User, job: ImportJob, town_administrator: User, sun: User
) -> None:
    Membership.objects.filter(user=wang).update(from_on=date(2026, 1, 1))
    new = successor_of(wang, town_administrator)
    ImportJob.objects.filter(pk=job.pk).update(created_at="2099-03-01T08:00Z")
    assert client_of(new).get(job.get_absolute_url()).status_code == 404
    ImportJob.objects.filter(pk=job.pk).update(created_at="2026-03-01T08:00Z")
    Membership.objects.create(user=wang, agency=sun.agency, role=Role.COLLECTOR, from_on=date(2026, 2, 1))
    assert sun.agency.region_id == LIANDU
    assert client_of(new).get(job.get_absolute_url()).status_code == 404


def test_who_moves_leaves_the_imports_behind(wang: User, job: ImportJob, sun: User) -> None:
    Membership.objects.filter(user=wang).update(from_on=date(2026, 1, 1), to_on=date(2026, 6, 30))
    ImportJob.objects.filter(pk=job.pk).update(created_at="2026-03-01T08:00Z")
    Membership.objects.create(user=wang, agency=sun.agency, role=Role.COLLECTOR, from_on=date(2026, 7, 1))
    moved = client_of(User.objects.get(pk=wang.pk))
    assert moved.get(job.get_absolute_url()).status_code == 404
    ImportJob.objects.filter(pk=job.pk).update(created_at="2026-08-01T08:00Z")
    assert moved.get(job.get_absolute_url()).status_code == 200
