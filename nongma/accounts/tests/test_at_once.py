"""Two administrators who do the same at the same moment: it is done once, and the other is told."""

import pytest

from nongma.accounts.models import Agency, Membership, Role, User
from nongma.accounts.services import (
    Leaver,
    appoint,
    create_agency,
    deactivate_user,
    hand_out,
    hand_over,
    suspend_agency,
    suspend_user,
)
from nongma.regions.models import Region
from nongma.testing import SANYA, YAZHOU, at_once, make_official, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(user: User) -> User:
    """The person as another request reads it."""
    return User.objects.get(pk=user.pk)


def test_a_username_is_given_once(hainan: User) -> None:
    fang = make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)
    results = at_once(
        *(
            lambda name=name: hand_out(
                agency=fang.agency, name="梅", username=name, roles=[Role.ANALYST], actor=fresh(fang)
            )
            for name in ("mei", "MEI", "mei", "Mei")
        )
    )
    assert results.count("username_taken") == 3
    assert User.objects.filter(name="梅").count() == 1
    assert Membership.objects.filter(user__name="梅").count() == 1


def test_an_agency_has_one_administrator(hainan: User) -> None:
    agency = Agency.objects.create(
        name="三亚站", region=Region.objects.get(pk=SANYA), level=2, kind="supervision", parent=hainan.agency
    )
    people = [make_user(f"p{number}", f"人{number}", agency=agency, place=SANYA) for number in range(4)]
    results = at_once(
        *(
            lambda user=user: appoint(user=user, agency=agency, role=Role.ADMINISTRATOR, actor=fresh(hainan))
            for user in people
        )
    )
    assert results.count("administrator_exists") == 3
    post = Membership.objects.get(agency=agency, role=Role.ADMINISTRATOR)
    assert Agency.objects.get(pk=agency.pk).administrator == post.user


def test_an_agency_is_entered_once(hainan: User) -> None:
    place = Region.objects.get(pk=YAZHOU)
    results = at_once(
        *[lambda: create_agency(name="崖州站", region=place, kind=Agency.Kind.SUPERVISION, actor=fresh(hainan))] * 4
    )
    assert results.count("agency_exists") == 3
    assert Agency.objects.filter(name="崖州站").count() == 1


def test_a_post_is_handed_over_once(hainan: User) -> None:
    fang = make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)
    people = [make_user(f"p{number}", f"人{number}", agency=fang.agency, place=SANYA) for number in range(3)]
    post = fang.memberships.get()
    results = at_once(*(lambda user=user: hand_over(membership=post, to=user, actor=fresh(hainan)) for user in people))
    assert results.count("already_dismissed") == 2
    assert Membership.objects.filter(follows=post).count() == 1


def test_who_is_suspended_meanwhile_is_not_appointed_after(hainan: User) -> None:
    """Whichever comes first: a suspended person never gets a post by a request that comes later."""
    fang = make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)
    mei = make_user("mei", "梅", agency=fang.agency, place=SANYA)
    results = at_once(
        lambda: suspend_user(user=mei, reason="外借", actor=fresh(hainan)),
        lambda: appoint(user=mei, agency=fang.agency, role=Role.ANALYST, actor=fresh(fang)),
    )
    assert fresh(mei).suspended_at
    assert isinstance(results[1], Membership) or results[1] == "inactive"


def test_changes_that_cross_wait_for_each_other(hainan: User) -> None:
    """Whatever order each takes its rows in: nobody is told of a deadlock."""
    fang = make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)
    people = [make_user(f"p{number}", f"人{number}", agency=fang.agency, place=SANYA) for number in range(4)]
    held = [appoint(user=user, agency=fang.agency, role=Role.ANALYST, actor=fresh(fang)) for user in people[:2]]
    results = at_once(
        lambda: hand_over(membership=held[0], to=people[2], actor=fresh(fang), leaver=Leaver.CLOSE),
        lambda: hand_over(membership=held[1], to=people[3], actor=fresh(fang), leaver=Leaver.SUSPEND),
        lambda: hand_out(agency=fang.agency, name="新", username="new", roles=[Role.REVIEWER], actor=fresh(fang)),
        lambda: deactivate_user(user=people[0], reason="调离", actor=fresh(hainan)),
        lambda: appoint(user=people[3], agency=fang.agency, role=Role.REVIEWER, actor=fresh(fang)),
        lambda: suspend_agency(agency=fang.agency, reason="整顿", actor=fresh(hainan)),
    )
    assert None not in results
    assert Agency.objects.get(pk=fang.agency.pk).suspended_at
