import time

import pytest
from django.conf import LazySettings

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.demo import COUNTRY, COUNTY, DEMO_PASSWORD, DEMO_USERS, ensure_demo_users
from nongma.accounts.models import Agency, Membership, User
from nongma.audit.models import Entry


@pytest.mark.django_db
def test_it_makes_the_people_of_the_demo_county_once() -> None:
    started = time.process_time()
    people = ensure_demo_users()
    assert time.process_time() - started < 1  # one hash for all of them
    assert set(people) == {one.username for one in DEMO_USERS} >= {"ministry", "county", "grower", "coop", "market"}
    counts = [model.objects.count() for model in (User, Agency, Membership, Entry)]
    assert ensure_demo_users() == people
    assert [model.objects.count() for model in (User, Agency, Membership, Entry)] == counts
    assert people["brand"].check_password(DEMO_PASSWORD)


@pytest.mark.django_db
def test_it_gives_each_the_place_and_role_of_the_demo(settings: LazySettings) -> None:
    settings.DEMO, settings.TOTP_REQUIRED = True, False
    people = ensure_demo_users()
    assert scope_of(people["ministry"]).spans[0].start == COUNTRY
    assert may(people["ministry"], Action.COLLECT_ORIGINS)
    assert may(people["county"], Action.REVIEW_ORIGINS)
    assert scope_of(people["county"]).spans[0].start == COUNTY
    assert not may(people["collector"], Action.REVIEW_ORIGINS)
    assert people["grower"].is_operator
    assert may(people["grower"], Action.ISSUE_CERTIFICATE)
    assert not people["grower"].memberships.exists()


@pytest.mark.django_db
def test_it_leaves_alone_what_somebody_changed() -> None:
    ensure_demo_users()
    User.objects.filter(username="town").update(name="改过的名字")
    assert ensure_demo_users()["town"].name == "改过的名字"
