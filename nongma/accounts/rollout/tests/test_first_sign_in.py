import json

import pytest
from django.test import Client
from django.urls import reverse

from nongma.accounts.models import Figures, Role, User
from nongma.testing import YAZHOU, make_official

pytestmark = pytest.mark.django_db
PASSWORD = "chengnan-hetao-4471"


@pytest.fixture
def collector() -> User:
    user = make_official("firsttime", "王采集", Role.COLLECTOR, YAZHOU)
    user.set_password(PASSWORD)
    user.save()
    return user


def in_use() -> int:
    return Figures.objects.get(pk=YAZHOU).people_in_use


def test_the_first_sign_in_counts_and_the_next_costs_nothing(collector: User) -> None:
    Client().post(reverse("accounts:sign-in"), {"username": "firsttime", "password": PASSWORD})
    assert in_use() == 1
    counted = Figures.objects.get(pk=YAZHOU).counted_at
    Client().post(reverse("accounts:sign-in"), {"username": "firsttime", "password": PASSWORD})
    assert Figures.objects.get(pk=YAZHOU).counted_at == counted


def test_a_program_counts_too(collector: User) -> None:
    body = json.dumps({"username": "firsttime", "password": PASSWORD})
    assert Client().post("/api/v1/token", body, content_type="application/json").status_code == 200
    assert in_use() == 1
