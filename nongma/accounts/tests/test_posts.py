from datetime import date, timedelta
from functools import partial

import pytest
from django.utils import timezone

from nongma.accounts.access import Action, may, roles_of, scope_of
from nongma.accounts.models import Agency, Membership, Role, User
from nongma.accounts.services import appoint, change_password, create_agency, create_user, deactivate_user, dismiss
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.models import Operator
from nongma.testing import HAINAN, LIANDU, SANYA, YAZHOU, client_of, make_user

PASSWORD, OWN_PASSWORD = "seven-green-hills", "seven-blue-hills"
SUPERVISION = Agency.Kind.SUPERVISION


def region(code: int) -> Region:
    return Region.objects.get(pk=code)


def fresh(user: User) -> User:
    """The person as the next request reads it."""
    return User.objects.get(pk=user.pk)


@pytest.fixture
def sanya(hainan: User) -> Agency:
    """The agency of 三亚市, entered by the province."""
    return create_agency(name="三亚市监管机构", region=region(SANYA), kind=SUPERVISION, actor=hainan)


@pytest.fixture
def mei(hainan: User) -> User:
    """Mei, who has an account and no post."""
    mei = create_user(username="mei", name="梅新人", password=PASSWORD, actor=hainan, region_code=SANYA)
    return change_password(user=mei, old=PASSWORD, new=OWN_PASSWORD, actor=mei)


def test_it_enters_an_agency_below_another(hainan: User, sanya: Agency) -> None:
    below = create_agency(name="崖州站", region=region(YAZHOU), kind=SUPERVISION, actor=hainan, parent=sanya)
    assert (below.level, below.parent) == (Region.Level.COUNTY, sanya)
    assert Entry.objects.filter(action="agency.created", region_code=YAZHOU).exists()


def test_it_refuses_an_agency(hainan: User, zhao: User, sanya: Agency) -> None:
    before = Agency.objects.count()
    for code, actor, name, where, parent in [
        ("outside_area", hainan, "莲都站", LIANDU, None),
        ("outside_area", zhao, "崖州站", YAZHOU, None),
        ("agency_exists", hainan, "三亚市监管机构", SANYA, None),
        ("parent_outside", hainan, "海南站", HAINAN, sanya),
    ]:
        with pytest.raises(Refused) as refusal:
            create_agency(name=name, region=region(where), kind=SUPERVISION, actor=actor, parent=parent)
        assert refusal.value.code == code
    assert Agency.objects.count() == before


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("username_form", {"username": "梅"}),
        ("username_form", {"username": "a b"}),
        ("username_taken", {"username": "HAINAN"}),
        ("weak_password", {"password": "12345678901"}),
        ("outside_area", {"region_code": LIANDU}),
        ("outside_area", {"region_code": None}),
    ],
)
def test_it_refuses_an_account(hainan: User, code: str, values: dict[str, str]) -> None:
    before = User.objects.count()
    with pytest.raises(Refused) as refusal:
        create_user(
            **{"username": "mei", "name": "梅", "password": PASSWORD, "actor": hainan, "region_code": SANYA} | values
        )
    assert refusal.value.code == code
    assert User.objects.count() == before
    assert not Entry.objects.filter(action="account.created").exists()


def test_a_post_gives_role_and_area_from_its_first_day(hainan: User, sanya: Agency, mei: User) -> None:
    assert roles_of(mei) == frozenset()
    appoint(user=mei, agency=sanya, role=Role.REVIEWER, actor=hainan)
    assert may(fresh(mei), Action.REVIEW_ORIGINS)
    assert YAZHOU in scope_of(fresh(mei))
    assert LIANDU not in scope_of(fresh(mei))
    tomorrow = timezone.localdate() + timedelta(days=1)
    appoint(user=mei, agency=sanya, role=Role.OFFICER, actor=hainan, from_on=tomorrow)
    assert roles_of(fresh(mei)) == {Role.REVIEWER}


def test_it_refuses_a_post(hainan: User, zhao: User, li: User, sanya: Agency, mei: User) -> None:
    closed = create_user(username="closed", name="停用", password=PASSWORD, actor=hainan, region_code=SANYA)
    User.objects.filter(pk=closed.pk).update(is_active=False)
    appoint(user=mei, agency=sanya, role=Role.ANALYST, actor=hainan)
    before = Membership.objects.count()
    for code, actor, user, role in [
        ("outside_area", zhao, mei, Role.REVIEWER),
        ("operator_role", hainan, li, Role.REVIEWER),
        ("operator_role", hainan, mei, Role.OPERATOR),
        ("inactive", hainan, closed, Role.REVIEWER),
        ("already_appointed", hainan, mei, Role.ANALYST),
    ]:
        with pytest.raises(Refused) as refusal:
            appoint(user=user, agency=sanya, role=role, actor=actor)
        assert refusal.value.code == code
    assert Membership.objects.count() == before


def test_a_post_ends_and_stays_as_history(hainan: User, sanya: Agency, mei: User) -> None:
    post = appoint(user=mei, agency=sanya, role=Role.REVIEWER, actor=hainan, from_on=date(2026, 1, 1))
    dismiss(membership=post, actor=hainan)
    assert roles_of(fresh(mei)) == frozenset()
    post.refresh_from_db()
    assert post.to_on == timezone.localdate() - timedelta(days=1)
    with pytest.raises(Refused) as refusal:
        dismiss(membership=post, actor=hainan)
    assert refusal.value.code == "already_dismissed"
    assert Entry.objects.filter(action="account.dismissed").count() == 1


def test_the_last_administrator_stays(hainan: User, ministry: User, sanya: Agency, mei: User) -> None:
    own = hainan.memberships.get()
    dismiss(membership=own, actor=ministry)
    last = ministry.memberships.get()
    with pytest.raises(Refused) as refusal:
        dismiss(membership=last, actor=ministry)
    assert refusal.value.code == "last_administrator"
    last.refresh_from_db()
    assert last.to_on is None


def test_it_closes_an_account_for_good(hainan: User, sanya: Agency, mei: User) -> None:
    appoint(user=mei, agency=sanya, role=Role.REVIEWER, actor=hainan, from_on=date(2026, 1, 1))
    browser = client_of(fresh(mei))
    deactivate_user(user=mei, actor=hainan, reason="调离")
    assert browser.get("/me").status_code == 302
    assert not mei.memberships.filter(to_on=None).exists()
    assert Entry.objects.get(action="account.deactivated").details == {"reason": "调离"}


def test_it_refuses_to_close(hainan: User, zhao: User, sun: User) -> None:
    for code, actor, user in [("self", hainan, hainan), ("outside_area", hainan, sun), ("outside_area", zhao, hainan)]:
        with pytest.raises(Refused) as refusal:
            deactivate_user(user=user, actor=actor, reason="试试")
        assert refusal.value.code == code
        assert fresh(user).is_active
    assert not Entry.objects.filter(action="account.deactivated").exists()


def test_an_operators_person_is_managed_where_the_operator_is(
    hainan: User, ministry: User, li: User, li_operator: Operator, chen: User, chen_operator: Operator
) -> None:
    for user in (chen, make_user("nowhere", "无职务")):
        for attempt in (
            partial(change_password, user=user, new=PASSWORD, actor=hainan),
            partial(deactivate_user, user=user, actor=hainan, reason="试试"),
        ):
            with pytest.raises(Refused) as refusal:
                attempt()
            assert refusal.value.code == "outside_area"
        assert fresh(user).is_active
        assert not fresh(user).has_usable_password()
    change_password(user=li, new=PASSWORD, actor=hainan)
    assert fresh(li).check_password(PASSWORD)
    assert Entry.objects.get(action="account.password_reset").region_code == YAZHOU
    deactivate_user(user=li, actor=hainan, reason="歇业")
    assert not fresh(li).is_active
    change_password(user=chen, new=PASSWORD, actor=ministry)
    assert fresh(chen).check_password(PASSWORD)


def test_two_posts_in_two_places_do_not_mix(sanya: Agency, sun: User, ministry: User) -> None:
    appoint(user=sun, agency=sanya, role=Role.COLLECTOR, actor=ministry)
    sun = fresh(sun)
    assert YAZHOU in scope_of(sun)
    assert LIANDU in scope_of(sun)
    assert YAZHOU not in scope_of(sun, Action.REVIEW_ORIGINS)
    assert LIANDU in scope_of(sun, Action.REVIEW_ORIGINS)


def test_a_wider_post_swallows_a_narrower_one(sanya: Agency, zhao: User, hainan: User) -> None:
    appoint(user=zhao, agency=sanya, role=Role.REVIEWER, actor=hainan)
    assert [span.start for span in scope_of(fresh(zhao)).spans] == [SANYA]
