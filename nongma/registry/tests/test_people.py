"""An operator's people: asked first, by their own phone, the 负责人 handed on, the last one kept, nobody deleted."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from nongma.accounts.models import Role as UserRole
from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index
from nongma.lib.refused import Refused
from nongma.notices.models import Notice, Outgoing
from nongma.registry.models import Base, Invitation, Operator, OperatorMember
from nongma.registry.people import services as people_services
from nongma.registry.people.services import (
    accept_invitation,
    decline_invitation,
    invite_person,
    withdraw_invitation,
)
from nongma.registry.services import change_operator, end_membership, hand_ownership_on, merge_operators
from nongma.testing import YAZHOU, at_once, client_of, make_base, make_official, make_operator, make_user

PHONE = "19900004455"
Role = OperatorMember.Role


@pytest.fixture(autouse=True)
def _sms(db, settings):
    settings.OUTBOX = "file"


def come(phone: str = PHONE) -> tuple[Client, str]:
    """A browser that signs in by phone, and what it is told."""
    browser = Client()
    browser.post("/join/", {"phone": phone})
    found = re.search(r"\d{6}", Outgoing.objects.order_by("-id")[0].body)
    assert found
    answer = browser.post("/join/code", {"code": found[0]})
    return browser, answer.url if answer.status_code == 302 else "".join(answer.context["form"].errors["code"])


def staff_of(operator: Operator, username: str = "staff", role: str = Role.STAFF) -> OperatorMember:
    user = make_user(username, "李小山", is_operator=True, last_login=timezone.now(), place=operator.region_id)
    return OperatorMember.objects.create(operator=operator, user=user, role=role)


def with_phone(user: User, phone: str = PHONE) -> User:
    User.objects.filter(pk=user.pk).update(phone=phone, phone_index=blind_index(phone), phone_proved_at=timezone.now())
    user.refresh_from_db()
    return user


def asked(operator: Operator, actor: User, **changes) -> Invitation:
    return invite_person(operator=operator, actor=actor, **{"name": "李小山", "phone": PHONE} | changes)


def test_who_has_no_account_signs_in_by_phone_sees_what_is_asked_and_agrees(li, li_operator):
    client = client_of(li)
    where = f"{li_operator.get_absolute_url()}people"
    people = User.objects.count()
    assert client.post(where, {"name": "李小山", "phone": PHONE}).url == where
    assert (User.objects.count(), li_operator.members.count()) == (people, 1)
    page = client.get(where).text
    assert "待本人同意" in page
    assert PHONE not in page
    browser, told = come()
    assert told == "/join/invitations"
    shown = browser.get(told).text
    assert "李**" in shown
    assert li_operator.region.full_name in shown
    assert browser.get(li_operator.get_absolute_url()).status_code == 404
    invitation = Invitation.objects.get()
    answer = browser.post(f"/join/invitations/{invitation.uid}/accept")
    assert answer.url == li_operator.get_absolute_url()
    staff = User.objects.get(phone_index=blind_index(PHONE))
    invitation.refresh_from_db()
    assert (staff.name, staff.place, invitation.state, invitation.user) == (
        "李小山", li_operator.region_id, "accepted", staff,
    )  # fmt: skip
    assert browser.get(li_operator.get_absolute_url()).status_code == 200
    assert browser.get(where).status_code == 404
    assert browser.get(f"{li_operator.get_absolute_url()}change").status_code == 404
    assert [entry.action for entry in Entry.objects.of(li_operator).order_by("id")] == [
        "operator.member_invited", "operator.member_added",
    ]  # fmt: skip
    assert "李小山" not in str(list(Entry.objects.of(li_operator).values_list("details", flat=True)))
    assert Notice.objects.visible_to(li).get().title == "李小山同意了您的邀请"
    assert "没有等您答复的邀请" in browser.get("/join/invitations").text


def test_who_has_an_account_is_told_and_nothing_happens_before_the_answer(li, li_operator, chen, chen_operator):
    with_phone(chen)
    invitation = asked(li_operator, li, name=chen.name)
    assert not li_operator.members.filter(user=chen).exists()
    assert Notice.objects.visible_to(chen).unread().get().url == "/join/invitations"
    client = client_of(chen)
    for page in ("/", chen_operator.get_absolute_url()):
        assert "同意或不同意" in client.get(page).text
    assert client.get(li_operator.get_absolute_url()).status_code == 404
    assert client.post(f"/join/invitations/{invitation.uid}/decline").url == "/"
    invitation.refresh_from_db()
    assert invitation.state == "declined"
    assert not li_operator.members.filter(user=chen).exists()
    assert not Notice.objects.visible_to(chen).unread().exists()
    assert Notice.objects.visible_to(li).get().title == "一个邀请没有得到同意"
    for answer in ("accept", "decline"):
        told = client.post(f"/join/invitations/{invitation.uid}/{answer}", follow=True).text
        assert "这个邀请现在是“没有同意”" in told
    assert not li_operator.members.filter(user=chen).exists()
    again = asked(li_operator, li, name=chen.name)
    assert accept_invitation(invitation=again, actor=chen).user == chen


def test_the_answer_tells_nothing_of_whether_a_phone_is_on_file(li, li_operator, chen, zhao, sun):
    """Known by another name, an official's, written on an account but not proved, unknown: all the same."""
    with_phone(chen, "19900005571")
    for user, phone in ((zhao, "19900005572"), (sun, "19900005573")):
        User.objects.filter(pk=user.pk).update(phone=phone, phone_index=blind_index(phone))
    client = client_of(li)
    where = f"{li_operator.get_absolute_url()}people"
    told = set()
    for number in range(1, 5):
        client.post(where, {"name": "李小山", "phone": f"1990000557{number}"})
        page = client.get(where)
        told.add(str([str(one) for one in page.context["messages"]]))
    assert len(told) == 1
    assert page.text.count("1990000557") == 0
    assert {one.masked_phone[:3] for one in page.context["people"].invitations} == {"199"}
    assert li_operator.members.count() == 1


def test_somebody_of_another_name_was_meant(li, li_operator, chen):
    with_phone(chen)
    invitation = asked(li_operator, li)
    with pytest.raises(Refused) as refusal:
        accept_invitation(invitation=invitation, actor=chen)
    assert refusal.value.code == "name_differs"
    invitation.refresh_from_db()
    assert (invitation.state, li_operator.members.count()) == ("waiting", 1)


def test_nobody_else_answers(li, li_operator, chen, zhao):
    invitation = asked(li_operator, li)
    with_phone(chen, "19900005577")
    for act in (accept_invitation, decline_invitation):
        with pytest.raises(Refused) as refusal:
            act(invitation=invitation, actor=chen)
        assert refusal.value.code == "not_invited"
    User.objects.filter(pk=chen.pk).update(phone=PHONE, phone_index=blind_index(PHONE), phone_proved_at=None)
    chen.refresh_from_db()
    assert client_of(chen).post(f"/join/invitations/{invitation.uid}/accept").status_code == 404
    with pytest.raises(Refused):
        accept_invitation(invitation=invitation, actor=chen)
    invitation.refresh_from_db()
    assert (invitation.state, li_operator.members.count()) == ("waiting", 1)


def test_it_lapses_and_is_given_anew(li, li_operator, chen):
    with_phone(chen)
    first = asked(li_operator, li, name=chen.name)
    with pytest.raises(Refused) as refusal:
        asked(li_operator, li, name=chen.name)
    assert refusal.value.code == "invited_already"
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Refused) as refusal:
        accept_invitation(invitation=first, actor=chen)
    assert refusal.value.code == "not_waiting"
    assert "同意或不同意" not in client_of(chen).get("/").text
    second = asked(li_operator, li, name=chen.name)
    first.refresh_from_db()
    assert first.state == "lapsed"
    assert accept_invitation(invitation=second, actor=chen).role == Role.STAFF


def test_it_is_withdrawn(li, li_operator, chen, wang):
    with_phone(chen)
    invitation = asked(li_operator, li, name=chen.name)
    where = f"{li_operator.get_absolute_url()}people/invitations/{invitation.uid}/withdraw"
    assert client_of(chen).post(where).status_code == 404
    assert client_of(li).post(where).status_code == 302
    invitation.refresh_from_db()
    assert invitation.state == "withdrawn"
    assert not Notice.objects.visible_to(chen).unread().exists()
    with pytest.raises(Refused) as refusal:
        accept_invitation(invitation=invitation, actor=chen)
    assert refusal.value.code == "not_waiting"
    assert li_operator.members.count() == 1
    assert Entry.objects.of(li_operator).order_by("-id")[0].action == "operator.invitation_withdrawn"


def test_what_who_leaves_has_asked_goes_with_them(li, li_operator, zhao):
    second = staff_of(li_operator, role=Role.OWNER)
    theirs, other = asked(li_operator, second.user), asked(li_operator, li, phone="19900005577")
    end_membership(membership=second, actor=zhao)
    for one, state in ((theirs, "withdrawn"), (other, "waiting")):
        one.refresh_from_db()
        assert one.state == state


def test_an_account_made_by_inviting_before_people_were_asked_is_its_phones_own(li, li_operator):
    guest = make_user("guest", "李小山", is_operator=True, phone=PHONE, phone_index=blind_index(PHONE))
    OperatorMember.objects.create(operator=li_operator, user=guest, role=Role.STAFF)
    invitation = asked(li_operator, li)
    Invitation.objects.update(user=guest)
    assert come()[1] == "/join/invitations"
    guest.refresh_from_db()
    assert guest.phone_proved_at
    assert not li_operator.members.open().filter(user=guest).exists()
    assert accept_invitation(invitation=invitation, actor=guest).user == guest


def test_it_refuses(li, li_operator, chen, wang, sun, settings):
    staff = with_phone(staff_of(li_operator).user, "19900005577")
    people = User.objects.count()
    for actor, changes, code in (
        (li, {"name": ""}, "text_missing"),
        (li, {"phone": ""}, "phone_missing"),
        (li, {"phone": "123"}, "phone_invalid"),
        (li, {"role": Role.OWNER}, "not_owner"),
        (li, {"phone": "19900005577"}, "member_already"),
        (wang, {"role": Role.OWNER}, "outside_area"),
        (staff, {}, "not_own_operator"),
        (chen, {}, "not_own_operator"),
        (sun, {}, "outside_area"),
    ):
        with pytest.raises(Refused) as refusal:
            asked(li_operator, actor, **changes)
        assert refusal.value.code == code
    assert (User.objects.count(), li_operator.members.count(), Invitation.objects.count()) == (people, 2, 0)


def test_so_many_a_day_and_no_more(li, li_operator, zhao, monkeypatch):
    monkeypatch.setattr(people_services, "MOST_A_DAY", 2)
    for number in range(2):
        invitation = asked(li_operator, li, phone=f"1990000440{number}")
        withdraw_invitation(invitation=invitation, actor=li)
    with pytest.raises(Refused) as refusal:
        asked(li_operator, li)
    assert refusal.value.code == "limit_reached"
    assert Invitation.objects.count() == 2
    assert asked(li_operator, zhao).state == "waiting"


def test_an_agency_asks_an_owner_for_who_has_none(zhao):
    operator = make_operator()
    answer = client_of(zhao).post(
        f"{operator.get_absolute_url()}people", {"name": "李大山", "phone": PHONE, "role": "owner"}
    )
    assert answer.status_code == 302
    assert not operator.members.exists()
    browser, _ = come()
    page = browser.get("/join/invitations").text
    assert zhao.agency.name in page
    assert zhao.name not in page
    browser.post(f"/join/invitations/{Invitation.objects.get().uid}/accept")
    assert operator.members.owners().get().user.name == "李大山"


def test_who_only_collects_names_the_first_owner_and_no_second(zhao):
    collector = make_official("xu", "徐采集", UserRole.COLLECTOR, YAZHOU)
    operator = make_operator(region=YAZHOU)
    first = asked(operator, collector, role=Role.OWNER)
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            asked(operator, collector, role=Role.OWNER, phone="19900005577")
        assert refusal.value.code == "second_owner"
        if first.state == "waiting":
            browser, _told = come()
            browser.post(f"/join/invitations/{first.uid}/accept")
            first.refresh_from_db()
    assert Invitation.objects.count() == operator.members.count() == 1
    with pytest.raises(Refused) as refusal:
        end_membership(membership=operator.members.get(), actor=collector)
    assert refusal.value.code == "owner_by_reviewer"
    assert operator.members.owners().exists()
    assert asked(operator, zhao, role=Role.OWNER, phone="19900005577").role == Role.OWNER


def test_what_a_merged_registration_asked_goes_with_its_people(li, zhao, chen):
    known = make_operator(status="imported", reviewed_at=None, phone="19900003456")
    fresh = make_operator(li, status="submitted", reviewed_at=None)
    invitation = asked(fresh, li, name=chen.name)
    merge_operators(operator=fresh, into=known, reason="同一户", actor=zhao)
    with_phone(chen)
    invitation.refresh_from_db()
    assert (invitation.operator, invitation.state) == (known, "waiting")
    assert accept_invitation(invitation=invitation, actor=chen).operator == known


def test_who_is_ended_acts_no_more_and_the_history_stays(li, li_operator):
    member = staff_of(li_operator)
    make_base(li_operator)
    client = client_of(member.user)
    assert client.get(li_operator.get_absolute_url()).status_code == 200
    answer = client_of(li).post(f"{li_operator.get_absolute_url()}people/{member.uid}/end")
    assert answer.status_code == 302
    assert client.get(li_operator.get_absolute_url()).status_code == 404
    assert not Base.objects.visible_to(member.user).exists()
    member.refresh_from_db()
    assert member.ended_by == li
    assert member.to_at
    assert "李小山" in client_of(li).get(f"{li_operator.get_absolute_url()}people").text
    again = OperatorMember.objects.create(operator=li_operator, user=member.user, role=Role.STAFF)
    assert again.pk != member.pk


def test_the_only_owner_stays_until_it_is_handed_on(li, li_operator, zhao):
    own = li_operator.members.get()
    with pytest.raises(Refused) as refusal:
        end_membership(membership=own, actor=li)
    assert refusal.value.code == "last_owner"
    own.refresh_from_db()
    assert own.to_at is None
    end_membership(membership=own, actor=zhao)
    assert not li_operator.members.open().exists()
    li_operator.refresh_from_db()
    assert li_operator.status == "approved"


def test_staff_end_nobody_but_themselves(li, li_operator, chen):
    member, other = staff_of(li_operator), staff_of(li_operator, "other")
    for actor in (other.user, chen):
        with pytest.raises(Refused) as refusal:
            end_membership(membership=member, actor=actor)
        assert refusal.value.code == "not_own_operator"
    assert li_operator.members.open().count() == 3
    end_membership(membership=member, actor=member.user)
    assert li_operator.members.open().count() == 2


def test_ownership_is_handed_on_with_the_password_or_code_again(li, li_operator):
    member = staff_of(li_operator)
    client = client_of(li)
    where = f"{li_operator.get_absolute_url()}people/{member.uid}/hand-on"
    session = client.session
    session.update({"proved_at": 0, "proved_fully_at": 0})
    session.save()
    assert "再输一次密码" in client.post(where).text
    assert li_operator.members.owners().get().user == li
    assert client_of(li).post(where).url == li_operator.get_absolute_url()
    assert li_operator.members.owners().get().user == member.user
    assert li_operator.members.open().get(user=li).role == Role.STAFF
    assert li_operator.members.exclude(to_at=None).count() == 2
    change_operator(operator=li_operator, actor=member.user, address="新地址")
    with pytest.raises(Refused):
        change_operator(operator=li_operator, actor=li, address="旧人")


def test_it_is_handed_to_nobody_who_has_never_come(li, li_operator):
    member = staff_of(li_operator)
    User.objects.filter(pk=member.user_id).update(last_login=None)
    for actor, code in ((li, "not_proved"), (member.user, "not_own_operator")):
        with pytest.raises(Refused) as refusal:
            hand_ownership_on(membership=member, actor=actor)
        assert refusal.value.code == code
    assert li_operator.members.owners().get().user == li


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_end_each_other_leave_one(li):
    operator = make_operator(li)
    second = staff_of(operator, role=Role.OWNER)
    first = operator.members.get(user=li)
    results = at_once(
        lambda: str(end_membership(membership=first, actor=User.objects.get(pk=second.user_id)).pk),
        lambda: str(end_membership(membership=second, actor=User.objects.get(pk=li.pk)).pk),
    )
    assert operator.members.owners().count() == 1
    assert len(set(results) & {"last_owner", "not_own_operator"}) == 1


@pytest.mark.django_db(transaction=True)
def test_asked_twice_at_once_there_is_one(li):
    operator = make_operator(li)
    results = at_once(*[lambda: asked(operator, User.objects.get(pk=li.pk)).state] * 3)
    assert sorted(results) == ["invited_already", "invited_already", "waiting"]
    assert Invitation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_agreed_to_and_withdrawn_at_once_one_holds(li, chen):
    operator = make_operator(li)
    with_phone(chen)
    for _ in range(4):
        invitation = asked(operator, li, name=chen.name)
        results = at_once(
            lambda one=invitation: accept_invitation(invitation=one, actor=User.objects.get(pk=chen.pk)).role,
            lambda one=invitation: withdraw_invitation(invitation=one, actor=User.objects.get(pk=li.pk)).state,
        )
        invitation.refresh_from_db()
        joined = operator.members.open().filter(user=chen)
        assert results in (["staff", "not_waiting"], ["not_waiting", "withdrawn"])
        assert joined.exists() is (invitation.state == "accepted")
        joined.update(to_at=timezone.now())
