from datetime import date, timedelta
from functools import partial

import pytest
from django.utils import timezone

from nongma.accounts.access import Action, roles_of, scope_of
from nongma.accounts.models import Agency, Membership, Role, User
from nongma.accounts.services import appoint, change_password, create_user, deactivate_user, dismiss, hand_over
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.testing import LIANDU, SANYA, YAZHOU, client_of, make_official, make_user

PASSWORD, OWN_PASSWORD = "seven-green-hills", "seven-blue-hills"
SUPERVISION = Agency.Kind.SUPERVISION


def fresh(user: User) -> User:
    """The person as the next request reads it."""
    return User.objects.get(pk=user.pk)


@pytest.fixture
def fang(hainan: User) -> User:
    """Fang, the administrator of 三亚市."""
    return make_official("fang", "方管理", Role.ADMINISTRATOR, SANYA)


@pytest.fixture
def sanya(fang: User) -> Agency:
    """The agency of 三亚市, which Fang administers."""
    return fang.agency


@pytest.fixture
def mei(fang: User, sanya: Agency) -> User:
    """Mei of 三亚市, who has an account and no post."""
    mei = create_user(username="mei", name="梅新人", password=PASSWORD, actor=fang, agency=sanya)
    return change_password(user=mei, old=PASSWORD, new=OWN_PASSWORD, actor=mei)


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("username_form", {"username": "梅"}),
        ("username_form", {"username": "a b"}),
        ("username_taken", {"username": "HAINAN"}),
        ("weak_password", {"password": "12345678901"}),
        ("name_missing", {"name": " "}),
        ("phone_invalid", {"phone": "123"}),
        ("email_invalid", {"email": "mei@"}),
        ("outside_area", {"agency": None, "operator_place": LIANDU}),
        ("outside_area", {"agency": None}),
    ],
)
def test_it_refuses_an_account(hainan: User, fang: User, sanya: Agency, code: str, values: dict[str, str]) -> None:
    before = User.objects.count()
    with pytest.raises(Refused) as refusal:
        create_user(**{"username": "mei", "name": "梅", "password": PASSWORD, "actor": fang, "agency": sanya} | values)
    assert refusal.value.code == code
    assert User.objects.count() == before
    assert not Entry.objects.filter(action="account.created").exists()


def test_a_post_gives_role_and_area_from_its_first_day(fang: User, sanya: Agency, mei: User) -> None:
    assert roles_of(mei) == frozenset()
    appoint(user=mei, agency=sanya, role=Role.REVIEWER, actor=fang)
    assert Role.REVIEWER in roles_of(fresh(mei))
    assert YAZHOU in scope_of(fresh(mei))
    assert LIANDU not in scope_of(fresh(mei))
    tomorrow = timezone.localdate() + timedelta(days=1)
    appoint(user=mei, agency=sanya, role=Role.ANALYST, actor=fang, from_on=tomorrow)
    assert roles_of(fresh(mei)) == {Role.REVIEWER}


def test_it_refuses_a_post(
    hainan: User, fang: User, zhao: User, sun: User, li: User, ministry: User, sanya: Agency, mei: User
) -> None:
    closed = create_user(username="closed", name="停用", password=PASSWORD, actor=fang, agency=sanya)
    User.objects.filter(pk=closed.pk).update(is_active=False)
    appoint(user=mei, agency=sanya, role=Role.ANALYST, actor=fang)
    before = Membership.objects.count()
    for code, actor, user, role in [
        ("outside_area", zhao, mei, Role.REVIEWER),
        ("outside_area", fang, sun, Role.REVIEWER),
        ("operator_role", fang, li, Role.REVIEWER),
        ("operator_role", fang, mei, Role.OPERATOR),
        ("role_not_held", fang, mei, Role.OFFICER),
        ("self", fang, fang, Role.REVIEWER),
        ("not_grantor", fang, mei, Role.ADMINISTRATOR),
        ("not_grantor", ministry, mei, Role.REVIEWER),
        ("administrator_exists", hainan, mei, Role.ADMINISTRATOR),
        ("inactive", fang, closed, Role.REVIEWER),
        ("already_appointed", fang, mei, Role.ANALYST),
    ]:
        with pytest.raises(Refused) as refusal:
            appoint(user=user, agency=sanya, role=role, actor=actor)
        assert refusal.value.code == code
    assert Membership.objects.count() == before


def test_a_post_ends_and_stays_as_history(fang: User, sanya: Agency, mei: User) -> None:
    post = appoint(user=mei, agency=sanya, role=Role.REVIEWER, actor=fang, from_on=date(2026, 1, 1))
    dismiss(membership=post, actor=fang)
    assert roles_of(fresh(mei)) == frozenset()
    post.refresh_from_db()
    assert post.to_on == timezone.localdate() - timedelta(days=1)
    with pytest.raises(Refused) as refusal:
        dismiss(membership=post, actor=fang)
    assert refusal.value.code == "already_dismissed"
    assert Entry.objects.filter(action="account.dismissed").count() == 1


def test_only_from_above_is_an_administrator_dismissed(fang: User, zhao: User, hainan: User) -> None:
    own = fang.memberships.get()
    for actor, code in ((fang, "not_grantor"), (zhao, "outside_area")):
        with pytest.raises(Refused) as refusal:
            dismiss(membership=own, actor=actor)
        assert refusal.value.code == code
    own.refresh_from_db()
    assert own.to_on is None
    dismiss(membership=own, actor=hainan)
    assert Agency.objects.get(pk=own.agency_id).administrator is None


def test_the_last_administrator_stays(ministry: User, hainan: User) -> None:
    dismiss(membership=hainan.memberships.get(), actor=ministry)
    last = ministry.memberships.get()
    with pytest.raises(Refused) as refusal:
        dismiss(membership=last, actor=ministry)
    assert refusal.value.code == "last_administrator"
    last.refresh_from_db()
    assert last.to_on is None


def test_it_closes_an_account_for_good(hainan: User, fang: User, sanya: Agency, mei: User) -> None:
    appoint(user=mei, agency=sanya, role=Role.ANALYST, actor=fang, from_on=date(2026, 1, 1))
    browser = client_of(fresh(mei))
    deactivate_user(user=mei, actor=hainan, reason="调离")
    assert browser.get("/me").status_code == 302
    assert not mei.memberships.filter(to_on=None).exists()
    assert Entry.objects.get(action="account.deactivated").details == {"reason": "调离"}


def test_it_refuses_to_close(hainan: User, zhao: User, sun: User) -> None:
    for code, actor, user, reason in [
        ("self", hainan, hainan, "试试"),
        ("outside_area", hainan, sun, "试试"),
        ("outside_area", zhao, hainan, "试试"),
        ("reason_missing", hainan, zhao, " "),
    ]:
        with pytest.raises(Refused) as refusal:
            deactivate_user(user=user, actor=actor, reason=reason)
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


def test_a_post_elsewhere_keeps_the_own_administrator_from_the_password(
    fang: User, sanya: Agency, mei: User, hainan: User
) -> None:
    """Whoever sets a password could act with all its posts: those of the province are not Fang's to use."""
    appoint(user=mei, agency=sanya, role=Role.ANALYST, actor=fang)
    appoint(user=mei, agency=hainan.agency, role=Role.ANALYST, actor=hainan)
    with pytest.raises(Refused) as refusal:
        change_password(user=mei, new=PASSWORD, actor=fang)
    assert refusal.value.code == "outside_area"
    assert fresh(mei).check_password(OWN_PASSWORD)


def test_two_posts_in_two_places_do_not_mix(sanya: Agency, sun: User, ministry: User) -> None:
    Membership.objects.create(user=sun, agency=sanya, role=Role.COLLECTOR, from_on=date(2026, 1, 1))
    sun = fresh(sun)
    assert YAZHOU in scope_of(sun)
    assert LIANDU in scope_of(sun)
    assert YAZHOU not in scope_of(sun, Action.REVIEW_ORIGINS)
    assert LIANDU in scope_of(sun, Action.REVIEW_ORIGINS)


def test_a_wider_post_swallows_a_narrower_one(sanya: Agency, zhao: User, fang: User) -> None:
    appoint(user=zhao, agency=sanya, role=Role.REVIEWER, actor=fang)
    assert [span.start for span in scope_of(fresh(zhao)).spans] == [SANYA]


def test_the_roles_that_lists_go_by_follow_the_posts(hainan: User, fang: User, sanya: Agency, mei: User) -> None:
    first = appoint(user=mei, agency=sanya, role=Role.REVIEWER, actor=fang)
    second = appoint(user=mei, agency=sanya, role=Role.ANALYST, actor=fang)
    assert fresh(mei).roles == ["analyst", "reviewer"]
    dismiss(membership=second, actor=fang)
    assert fresh(mei).roles == ["reviewer"]
    successor = create_user(username="quxin", name="曲接任", password=PASSWORD, actor=fang, agency=sanya)
    hand_over(membership=first, to=successor, actor=fang)
    assert (fresh(mei).roles, fresh(successor).roles) == ([], ["reviewer"])
    deactivate_user(user=successor, actor=hainan, reason="退休")
    assert fresh(successor).roles == []
