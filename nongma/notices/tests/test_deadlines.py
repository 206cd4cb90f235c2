"""What runs out within a week is told once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nongma.accounts.models import Agency, Authorisation, AuthorisedTown, Target, ThirdParty, User
from nongma.notices.deadlines import tell_deadlines
from nongma.notices.models import Notice
from nongma.regions.models import Region
from nongma.testing import LIANDU, YAZHOU_TOWN, YAZHOU_VILLAGE, client_of, make_user

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


def authorise(collector: User, days: int, towns: tuple[int, ...] = (YAZHOU_TOWN,), **fields: object) -> Authorisation:
    values = {
        "from_on": TODAY() - timedelta(days=30),
        "to_on": TODAY() + timedelta(days=days),
        "agreement": "agreements/none.pdf",
        "agreement_name": "协议.pdf",
        "agreement_digest": b"1" * 32,
        "agreed_on": TODAY() - timedelta(days=31),
        "created_by": collector,
    } | fields
    made = Authorisation.objects.create(third_party=collector.third_party, **values)
    for town in towns:
        AuthorisedTown.objects.create(authorisation=made, region_id=town)
    return made


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


@pytest.mark.parametrize(
    ("start", "towns", "is_told"),
    [
        (6, (YAZHOU_TOWN, YAZHOU_VILLAGE), False),
        (-5, (YAZHOU_TOWN, YAZHOU_VILLAGE, LIANDU), False),
        (7, (YAZHOU_TOWN, YAZHOU_VILLAGE), True),
        (6, (YAZHOU_TOWN,), True),
    ],
    ids=["the day after", "long before", "a day too late", "one place left out"],
)
def test_what_is_renewed_already_is_not_told(
    hainan: User, collector: User, start: int, towns: tuple[int, ...], is_told: bool
) -> None:
    ending = authorise(collector, 5, (YAZHOU_TOWN, YAZHOU_VILLAGE))
    authorise(collector, 90, towns, from_on=TODAY() + timedelta(days=start))
    assert tell_deadlines() == 2 * is_told
    assert told(hainan) == told(collector) == [f"第三方采集授权 {ending.to_on} 到期"] * is_told


def test_two_renewals_may_share_the_places_between_them(hainan: User, collector: User) -> None:
    authorise(collector, 5, (YAZHOU_TOWN, YAZHOU_VILLAGE))
    authorise(collector, 90, (YAZHOU_TOWN,))
    second = authorise(collector, 90, (YAZHOU_VILLAGE,))
    assert tell_deadlines() == 0
    Authorisation.objects.filter(pk=second.pk).update(revoked_at=timezone.now())
    assert tell_deadlines() == 2


def test_what_another_firm_may_do_renews_nothing(hainan: User, collector: User, agency: Agency) -> None:
    authorise(collector, 5)
    party = ThirdParty.objects.create(agency=agency, name="别的公司", uscc="91350100M000100Y43", contact="某人")
    authorise(make_user("other", "另一人", agency=agency, third_party=party), 90)
    assert tell_deadlines() == 2
    assert told(collector) == told(hainan) != []


def test_the_dates_of_the_roll_out_are_told_to_the_administrator(hainan: User, agency: Agency) -> None:
    soon = TODAY() + timedelta(days=5)
    Target.objects.create(agency=agency, accounts_due_on=soon, training_due_on=soon + timedelta(days=30), set_by=hainan)
    assert tell_deadlines() == 1
    assert told(hainan) == [f"账号分配要在 {soon} 前完成"]
    assert client_of(hainan).get(Notice.objects.get().url).status_code == 200


def test_it_costs_the_same_for_many(hainan: User, collector: User, django_assert_max_num_queries) -> None:
    towns = Region.objects.filter(level=Region.Level.TOWN).values_list("pk", flat=True)[:7]
    for days, town in enumerate(towns):
        authorise(collector, days, (town,))
    with django_assert_max_num_queries(6):
        assert tell_deadlines() == 14
