"""What an approved operator is known by changes by review; everything else at once, with history."""

import pytest
from django.db import connection

from nongma.accounts.models import Role
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.regions.models import Region
from nongma.registry.models import Operator, Revision
from nongma.registry.services import (
    Decision,
    cancel_operator,
    change_operator,
    decide_revision,
    register_operator,
    suspend_operator,
    withdraw_revision,
)
from nongma.testing import LIANDU, YAZHOU, at_once, client_of, make_official, make_operator

ID_NUMBER = "360426199101010071"
FORM = {
    "kinds": ["household"],
    "name": "李大山豇豆",
    "region": str(YAZHOU),
    "industries": ["planting"],
}


@pytest.fixture
def asked(li, li_operator) -> Revision:
    change_operator(operator=li_operator, actor=li, name="李大山豇豆", id_number=ID_NUMBER, address="中和村")
    return Revision.objects.get()


def test_a_key_field_waits_for_review_and_the_rest_holds_at_once(li, li_operator, asked):
    li_operator.refresh_from_db()
    assert (li_operator.name, li_operator.id_number, li_operator.address) == ("李大山", "", "中和村")
    assert asked.fields == ["name", "id_number"]
    assert asked.after == {"name": "李大山豇豆", "id_number": ID_NUMBER}
    with connection.cursor() as cursor:
        cursor.execute("SELECT after_json FROM registry_revision")
        assert ID_NUMBER not in cursor.fetchone()[0]
    assert not any(ID_NUMBER in str(entry.details) for entry in Entry.objects.all())


def test_a_second_wish_adds_to_the_first_which_nobody_decides_on_any_more(zhao, li, li_operator, asked):
    change_operator(operator=li_operator, actor=li, name="李大山家", kinds=["family_farm"])
    again = Revision.objects.waiting().get()
    assert again.after == {"name": "李大山家", "id_number": ID_NUMBER, "kinds": ["family_farm"]}
    assert again.before == {"name": "李大山", "id_number": "", "kinds": ["household"]}
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.APPROVE, actor=zhao)
    assert refusal.value.code == "already_decided"
    li_operator.refresh_from_db()
    assert li_operator.name == "李大山"


def test_a_change_that_waits_moves_with_its_operator(li, li_operator, asked):
    above = make_official("above", "部审核", Role.REVIEWER, 0)
    change_operator(operator=li_operator, actor=above, region=Region.objects.get(pk=LIANDU))
    asked.refresh_from_db()
    assert asked.region_id == LIANDU


def test_the_reviewer_lets_it_take_effect(zhao, li, li_operator, asked):
    decide_revision(revision=asked, decision=Decision.APPROVE, actor=zhao)
    li_operator.refresh_from_db()
    assert (li_operator.name, li_operator.id_number) == ("李大山豇豆", ID_NUMBER)
    assert bytes(li_operator.id_index)
    entry = Entry.objects.get(action="operator.changed", actor_id=zhao.pk)
    assert (entry.details["fields"], entry.details["asked_by"]) == (["id_number", "name"], str(li.uid))
    assert Notice.objects.visible_to(li).get().title == "主体变更申请已通过，现在生效"
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.RETURN, actor=zhao, reason="晚了")
    assert refusal.value.code == "already_decided"


def test_the_reviewer_refuses_it_with_a_reason(zhao, li, li_operator, asked):
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.RETURN, actor=zhao, reason=" ")
    assert refusal.value.code == "reason_missing"
    assert Revision.objects.waiting().exists()
    decide_revision(revision=asked, decision=Decision.RETURN, actor=zhao, reason="请附户口本")
    li_operator.refresh_from_db()
    assert li_operator.name == "李大山"
    assert Notice.objects.visible_to(li).get().body == "原因：请附户口本"


def test_a_reviewers_own_change_holds_at_once(zhao, li_operator):
    change_operator(operator=li_operator, actor=zhao, name="李大山豇豆")
    li_operator.refresh_from_db()
    assert li_operator.name == "李大山豇豆"
    assert not Revision.objects.exists()


def test_a_collectors_change_waits(wang):
    operator = make_operator(region=460205198204)
    change_operator(operator=operator, actor=wang, kinds=["family_farm"])
    operator.refresh_from_db()
    assert operator.kinds == ["household"]
    assert Revision.objects.get().asked_by == wang


def test_it_refuses_what_is_registered_when_asked_and_when_decided(zhao, li, li_operator, asked):
    other = make_operator(name="别人", phone="19900000055")
    change_operator(operator=other, actor=zhao, id_number=ID_NUMBER)
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.APPROVE, actor=zhao)
    assert refusal.value.code == "already_registered"
    asked.refresh_from_db()
    li_operator.refresh_from_db()
    assert (asked.state, li_operator.name) == ("waiting", "李大山")
    with pytest.raises(Refused) as refusal:
        change_operator(operator=li_operator, actor=li, id_number=ID_NUMBER, name="又一个")
    assert refusal.value.code == "already_registered"
    asked.refresh_from_db()
    assert asked.after["name"] == "李大山豇豆"


def test_it_refuses_what_has_changed_meanwhile(zhao, li_operator, asked):
    change_operator(operator=li_operator, actor=zhao, name="李大山的地")
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.APPROVE, actor=zhao)
    assert refusal.value.code == "changed_meanwhile"
    li_operator.refresh_from_db()
    assert li_operator.name == "李大山的地"


def test_a_move_out_of_the_county_is_for_the_level_above(zhao, li, li_operator):
    change_operator(operator=li_operator, actor=li, region=Region.objects.get(pk=LIANDU))
    (asked,) = Revision.objects.all()
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.APPROVE, actor=zhao)
    assert refusal.value.code == "outside_area"
    above = make_official("above", "部审核", Role.REVIEWER, 0)
    decide_revision(revision=asked, decision=Decision.APPROVE, actor=above)
    li_operator.refresh_from_db()
    assert li_operator.region_id == LIANDU


def test_nobody_else_decides_or_withdraws(sun, chen, wang, asked):
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.APPROVE, actor=sun)
    assert refusal.value.code == "outside_area"
    for actor in (chen, wang):
        with pytest.raises(Refused) as refusal:
            withdraw_revision(revision=asked, actor=actor)
        assert refusal.value.code == "not_own_operator"
    assert Revision.objects.waiting().get() == asked


def test_whoever_asked_withdraws_it(li, zhao, asked):
    withdraw_revision(revision=asked, actor=li)
    assert not Revision.objects.waiting().exists()
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.APPROVE, actor=zhao)
    assert refusal.value.code == "already_decided"


def test_a_stopped_operator_does_not_change(zhao, li, li_operator, asked):
    suspend_operator(operator=li_operator, reason="核查", actor=zhao)
    with pytest.raises(Refused) as refusal:
        decide_revision(revision=asked, decision=Decision.APPROVE, actor=zhao)
    assert refusal.value.code == "not_active"
    with pytest.raises(Refused) as refusal:
        change_operator(operator=li_operator, actor=li, contact="别人")
    assert refusal.value.code == "not_active"
    li_operator.refresh_from_db()
    assert (li_operator.name, li_operator.contact) == ("李大山", "李大山")
    cancel_operator(operator=li_operator, reason="不种了", actor=zhao)
    asked.refresh_from_db()
    assert asked.state == "returned"


def test_the_pages_ask_show_and_decide(zhao, li, li_operator, sun):
    own = client_of(li)
    page = own.post(
        f"{li_operator.get_absolute_url()}change", FORM | {"contact": "李大山", "phone": "19900002449"}, follow=True
    )
    assert "要等县级审核通过后生效" in page.text
    (asked,) = Revision.objects.all()
    reviewer = client_of(zhao)
    queue = reviewer.get("/operators/review/changes")
    assert "李大山" in queue.text
    url = f"{li_operator.get_absolute_url()}changes/{asked.uid}/"
    assert "李大山豇豆" in reviewer.get(url).text
    assert "撤回申请" in own.get(url).text
    assert client_of(sun).get(url).status_code == 404
    assert own.post(f"{url}approve").status_code == 403
    assert "请填写原因" in reviewer.post(f"{url}return", {"reason": ""}).text
    assert Revision.objects.waiting().exists()
    assert reviewer.post(f"{url}approve").url == "/operators/review/changes"
    li_operator.refresh_from_db()
    assert li_operator.name == "李大山豇豆"


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_decides(zhao, li, li_operator, asked):
    reviewers = [zhao, make_official("zhou", "周审核", Role.REVIEWER, YAZHOU)]
    told = at_once(
        lambda: decide_revision(revision=asked, decision=Decision.APPROVE, actor=reviewers[0]) and "done",
        lambda: decide_revision(revision=asked, decision=Decision.RETURN, actor=reviewers[1], reason="不行") and "done",
    )
    assert sorted(told) == ["already_decided", "done"]
    asked.refresh_from_db()
    li_operator.refresh_from_db()
    assert (asked.state == "approved") == (li_operator.name == "李大山豇豆")


def test_a_new_operator_is_due(wang, zhao, settings):
    settings.REVIEW_DAYS = 3
    operator = register_operator(
        kinds=["household"], name="新户", region=Region.objects.get(pk=460205198204), contact="新户", actor=wang
    )
    assert (operator.due_on - operator.created_at.astimezone().date()).days in (2, 3, 4)
    assert "新户" in client_of(zhao).get("/operators/review/").text
    Operator.objects.filter(pk=operator.pk).update(due_on="2020-01-01")
    assert "已超期" in client_of(zhao).get("/operators/review/").text
