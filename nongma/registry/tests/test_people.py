"""An operator's people: staff by their own phone, the 负责人 handed on, the last one kept, nobody deleted."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from nongma.accounts.models import User
from nongma.accounts.services import change_person
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index
from nongma.lib.refused import Refused
from nongma.notices.models import Notice, Outgoing
from nongma.registry.models import Base, Invitation, Operator, OperatorMember
from nongma.registry.services import change_operator, end_membership, hand_ownership_on, invite_person
from nongma.testing import at_once, client_of, make_base, make_operator, make_user

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


def test_an_owner_adds_staff_who_sign_in_by_their_own_phone(li, li_operator):
    client = client_of(li)
    where = f"{li_operator.get_absolute_url()}people"
    assert client.post(where, {"name": "李小山", "phone": PHONE}).url == where
    staff = User.objects.get(phone_index=blind_index(PHONE))
    assert (staff.phone_proved_at, staff.has_usable_password(), staff.place) == (None, False, li_operator.region_id)
    assert "等本人登录" in client.get(where).text
    browser, told = come()
    assert told == "/"
    staff.refresh_from_db()
    assert staff.phone_proved_at
    assert Invitation.objects.get().used_at
    assert browser.get(li_operator.get_absolute_url()).status_code == 200
    assert browser.get(where).status_code == 404
    assert browser.get(f"{li_operator.get_absolute_url()}change").status_code == 404
    assert [entry.action for entry in Entry.objects.of(li_operator).order_by("id")] == [
        "operator.member_added", "operator.member_invited",
    ]  # fmt: skip
    assert Notice.objects.visible_to(staff).count() == 1


def test_an_invitation_ends_and_is_given_anew(li, li_operator):
    invite_person(operator=li_operator, name="李小山", phone=PHONE, actor=li)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    invite_person(operator=li_operator, name="李小山", phone=PHONE, actor=li)
    assert (li_operator.members.count(), Invitation.objects.count()) == (2, 2)
    assert come()[1] == "/"


def test_an_invitation_that_lapsed_keeps_nobody_out(li, li_operator):
    invited = invite_person(operator=li_operator, name="李小山", phone=PHONE, actor=li)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    browser, told = come()
    assert told == "/join/register"
    assert User.objects.get(phone_index=blind_index(PHONE)).phone_proved_at
    invited.refresh_from_db()
    assert invited.to_at
    assert browser.get("/join/register").status_code == 200
    assert browser.get(li_operator.get_absolute_url()).status_code == 404
    invite_person(operator=li_operator, name="李小山", phone=PHONE, actor=li)
    assert browser.get(li_operator.get_absolute_url()).status_code == 200


def test_an_invitation_is_for_the_number_that_was_named(li, li_operator, zhao):
    member = invite_person(operator=li_operator, name="李小山", phone=PHONE, actor=li)
    change_person(user=member.user, name="李小山", phone="19900009988", email="", actor=member.user)
    assert "没有证实" in come("19900009988")[1]
    assert not User.objects.exclude(phone_proved_at=None).exists()


def test_who_has_an_account_by_that_phone_is_added_and_told(li, li_operator, chen, chen_operator):
    User.objects.filter(pk=chen.pk).update(phone=PHONE, phone_index=blind_index(PHONE), phone_proved_at=timezone.now())
    with pytest.raises(Refused) as refusal:
        invite_person(operator=li_operator, name="错名字", phone=PHONE, actor=li)
    assert refusal.value.code == "name_differs"
    assert invite_person(operator=li_operator, name=chen.name, phone=PHONE, actor=li).user == chen
    assert not Invitation.objects.exists()
    assert Notice.objects.visible_to(chen).count() == 1
    with pytest.raises(Refused) as refusal:
        invite_person(operator=li_operator, name=chen.name, phone=PHONE, actor=li)
    assert refusal.value.code == "member_already"


def test_it_refuses(li, li_operator, chen, zhao, sun):
    User.objects.filter(pk=zhao.pk).update(phone="19900005566", phone_index=blind_index("19900005566"))
    User.objects.filter(pk=chen.pk).update(phone="19900005577", phone_index=blind_index("19900005577"))
    staff = staff_of(li_operator).user
    people = User.objects.count()
    for actor, changes, code in (
        (li, {"name": ""}, "text_missing"),
        (li, {"phone": ""}, "phone_missing"),
        (li, {"phone": "123"}, "phone_invalid"),
        (li, {"role": Role.OWNER}, "not_owner"),
        (li, {"phone": "19900005566"}, "official"),
        (li, {"phone": "19900005577"}, "not_proved"),
        (staff, {}, "not_own_operator"),
        (chen, {}, "not_own_operator"),
        (sun, {}, "outside_area"),
    ):
        with pytest.raises(Refused) as refusal:
            invite_person(operator=li_operator, actor=actor, **{"name": "李小山", "phone": PHONE} | changes)
        assert refusal.value.code == code
    assert (User.objects.count(), li_operator.members.count(), Invitation.objects.count()) == (people, 2, 0)


def test_an_agency_adds_an_owner_for_who_has_none(zhao):
    operator = make_operator()
    answer = client_of(zhao).post(
        f"{operator.get_absolute_url()}people", {"name": "李大山", "phone": PHONE, "role": "owner"}
    )
    assert answer.status_code == 302
    assert operator.members.owners().get().user.name == "李大山"


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
    member = invite_person(operator=li_operator, name="李小山", phone=PHONE, actor=li)
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
def test_added_twice_at_once_there_is_one(li):
    operator = make_operator(li)
    at_once(
        *[lambda: invite_person(operator=operator, name="李小山", phone=PHONE, actor=User.objects.get(pk=li.pk))] * 3
    )
    assert operator.members.open().count() == 2
    assert User.objects.filter(phone_index=blind_index(PHONE)).count() == 1
