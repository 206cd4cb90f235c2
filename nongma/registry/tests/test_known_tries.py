"""Who registers learns a few times a day that somebody is on file, and no more: numbers are not tried one by one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.models import Draft, KnownTry, Operator, OperatorMember
from nongma.registry.self_registration.services import send_in
from nongma.registry.services import change_operator, register_operator
from nongma.registry.tasks import forget_unsent
from nongma.testing import LI_PHONE, YAZHOU_VILLAGE, at_once, client_of, make_operator, make_user

ID_NUMBER = "11010519491231002X"
NEWCOMER_PHONE = "19900007788"


@pytest.fixture
def newcomer(db) -> User:
    return make_user("new", "新户", is_operator=True)


@pytest.fixture
def known(db) -> Operator:
    return make_operator(id_number=ID_NUMBER, id_index=blind_index(ID_NUMBER), name="早登记的")


def inputs(**changes):
    return {
        "kinds": ["household"],
        "name": "李大山",
        "region": Region.objects.get(pk=YAZHOU_VILLAGE),
        "id_number": ID_NUMBER,
        "phone": NEWCOMER_PHONE,
        "contact": "李大山",
    } | changes


def probe(actor, **changes) -> str:
    with pytest.raises(Refused) as refused:
        send_in(actor=actor, **inputs(**changes))
    return refused.value.code


def test_after_five_a_day_even_what_is_new_is_refused(newcomer, known):
    assert [probe(newcomer) for _ in range(5)] == ["already_registered"] * 5
    assert probe(newcomer) == probe(newcomer, id_number="") == "limit_reached"
    assert (Operator.objects.count(), OperatorMember.objects.count(), KnownTry.objects.count()) == (1, 0, 5)
    log = Entry.objects.of(newcomer).order_by("id").values_list("action", "details")
    assert [action for action, _ in log] == ["account.met_known"] * 5 + ["account.tries_over"] * 2
    assert log[0][1] == {"input": "id_number"}
    assert ID_NUMBER not in str(list(log))


def test_a_new_draft_or_session_does_not_start_the_count_anew(newcomer, known):
    for _ in range(5):
        probe(newcomer)
    Draft.objects.all().delete()
    typed = inputs(region=str(YAZHOU_VILLAGE)) | {"consent": "on"}
    page = client_of(newcomer).post("/join/register", typed)
    assert "请联系县级管理部门" in page.text
    assert not OperatorMember.objects.exists()


def test_the_programs_way_and_the_change_count_with_it(newcomer, known, li, li_operator):
    for _ in range(4):
        probe(newcomer)
    with pytest.raises(Refused, match="已经登记过"):
        register_operator(actor=newcomer, **inputs())
    assert probe(newcomer) == "limit_reached"
    for expected in ["already_registered"] * 5 + ["limit_reached"]:
        with pytest.raises(Refused) as refused:
            change_operator(operator=li_operator, actor=li, id_number=ID_NUMBER)
        assert refused.value.code == expected
    li_operator.refresh_from_db()
    assert li_operator.id_number == ""


def test_what_tells_nothing_of_others_does_not_count(newcomer, known):
    for _ in range(6):
        assert probe(newcomer, name="") == "text_missing"
    assert not KnownTry.objects.exists()
    assert send_in(actor=newcomer, **inputs(id_number="")).name == "李大山"
    assert not KnownTry.objects.exists()


def test_a_network_has_its_bound_over_all_accounts(newcomer, known, settings):
    settings.KNOWN_PER_ADDRESS = 3
    typed = inputs(region=str(YAZHOU_VILLAGE)) | {"consent": "on"}
    others = [newcomer, *(make_user(f"new{number}", "新户", is_operator=True) for number in range(3))]
    homes = [f"2001:db8:1:2::{number}" for number in range(4)]
    pages = [
        client_of(user).post("/join/register", typed, REMOTE_ADDR=home).text
        for user, home in zip(others, homes, strict=True)
    ]
    assert ["不能再试了" in page for page in pages] == [False, False, False, True]
    assert "不能再试了" not in client_of(others[3]).post("/join/register", typed, REMOTE_ADDR="2001:db8:9::1").text


def test_the_next_day_it_goes_on_and_old_tries_are_forgotten(newcomer, known):
    for _ in range(5):
        probe(newcomer)
    KnownTry.objects.update(at=timezone.now() - timedelta(days=1, seconds=1))
    assert probe(newcomer) == "already_registered"
    assert forget_unsent(0) == 5
    assert KnownTry.objects.count() == 1


def test_officials_see_who_is_on_file_anyway(zhao, known):
    for _ in range(7):
        with pytest.raises(Refused, match="已经登记过"):
            register_operator(actor=zhao, **inputs())
    assert not KnownTry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_learn_no_more_than_five(newcomer, known):
    results = at_once(*[lambda: send_in(actor=User.objects.get(pk=newcomer.pk), **inputs())] * 8)
    assert sorted(results) == ["already_registered"] * 5 + ["limit_reached"] * 3
    assert KnownTry.objects.count() == 5
    assert LI_PHONE not in str(list(Entry.objects.values_list("details", flat=True)))
