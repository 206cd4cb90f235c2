"""What runs out within a week is told once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nongma.accounts.models import Agency, Authorisation, Target, ThirdParty, User
from nongma.notices.deadlines import tell_deadlines
from nongma.notices.models import Notice
from nongma.testing import client_of, make_user

TODAY = timezone.localdate


def told(user: User) -> list[str]:
    return [notice.heading for notice in Notice.objects.visible_to(user)]


@pytest.fixture
def agency(hainan: User) -> Agency:
    agency = hainan.memberships.get().agency
    agency.administrator = hainan
    agency.save()
    return agency


@pytest.fixture
def collector(agency: Agency) -> User:
    party = ThirdParty.objects.create(agency=agency, name="采集服务公司", uscc="91460000MA5T00000X", contact="某人")
    return make_user("outsider", "外采", agency=agency, third_party=party)


def authorise(collector: User, days: int, **fields: object) -> Authorisation:
    values = {
        "from_on": TODAY() - timedelta(days=30),
        "to_on": TODAY() + timedelta(days=days),
        "agreement": "agreements/none.pdf",
        "agreement_name": "协议.pdf",
        "agreement_digest": b"1" * 32,
        "agreed_on": TODAY() - timedelta(days=31),
        "created_by": collector,
    } | fields
    return Authorisation.objects.create(third_party=collector.third_party, **values)


def test_an_authorisation_that_ends_is_told_to_both_sides(hainan: User, collector: User) -> None:
    authorisation = authorise(collector, 7)
    title = f"第三方采集授权 {authorisation.to_on} 到期"
    assert tell_deadlines() == 2
    assert told(hainan) == told(collector) == [title]
    notice = Notice.objects.get(user=hainan)
    assert (notice.kind, notice.due_on) == ("deadline", authorisation.to_on)
    assert client_of(hainan).get(notice.url).status_code == 200


def test_it_is_told_once_even_when_read(hainan: User, collector: User) -> None:
    authorise(collector, 7)
    tell_deadlines()
    Notice.objects.update(read_at=timezone.now())
    assert tell_deadlines() == tell_deadlines(TODAY() + timedelta(days=3)) == 0
    assert len(told(hainan)) == 1


def test_what_ends_later_or_was_revoked_is_not_told(hainan: User, collector: User) -> None:
    authorise(collector, 8)
    authorise(collector, 3, revoked_at=timezone.now(), revoked_for="违规")
    assert tell_deadlines() == 0
    assert told(hainan) == told(collector) == []


def test_the_dates_of_the_roll_out_are_told_to_the_administrator(hainan: User, agency: Agency) -> None:
    soon = TODAY() + timedelta(days=5)
    Target.objects.create(agency=agency, accounts_due_on=soon, training_due_on=soon + timedelta(days=30), set_by=hainan)
    assert tell_deadlines() == 1
    assert told(hainan) == [f"账号分配要在 {soon} 前完成"]
    assert client_of(hainan).get(Notice.objects.get().url).status_code == 200


def test_it_costs_the_same_for_many(hainan: User, collector: User, django_assert_max_num_queries) -> None:
    for days in range(7):
        authorise(collector, days)
    with django_assert_max_num_queries(6):
        assert tell_deadlines() == 14
