"""Operators are suspended, restored, cancelled and merged by the reviewer of the place; never deleted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nongma.accounts.models import Role
from nongma.audit.models import Entry
from nongma.lib.fields import blind_index
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.registry.bases.services import add_base
from nongma.registry.directory.corrections.services import send_correction, withdraw_correction
from nongma.registry.duplicates import alike, core_of, likely_duplicates
from nongma.registry.models import Claim, Correction, Invitation, Operator, OperatorMember
from nongma.registry.people.services import invite_person
from nongma.registry.services import (
    Decision,
    add_member,
    cancel_operator,
    change_operator,
    merge_operators,
    restore_operator,
    review_operator,
    suspend_operator,
)
from nongma.registry.services.standing import RECORDS
from nongma.testing import (
    LIANDU,
    YAZHOU,
    YAZHOU_VILLAGE,
    at_once,
    client_of,
    make_base,
    make_official,
    make_operator,
    make_user,
)

USCC = "91110000600037341L"


def test_it_is_suspended_and_restored_with_reasons(zhao, li, li_operator):
    suspend_operator(operator=li_operator, reason="抽检不合格，整改中", actor=zhao)
    li_operator.refresh_from_db()
    assert (li_operator.status, li_operator.stopped_for) == ("suspended", "抽检不合格，整改中")
    assert "抽检不合格，整改中" in client_of(li).get(li_operator.get_absolute_url()).text
    restore_operator(operator=li_operator, reason="整改合格", actor=zhao)
    li_operator.refresh_from_db()
    assert (li_operator.status, li_operator.stopped_for) == ("approved", "")
    assert [entry.details["reason"] for entry in Entry.objects.order_by("id")] == ["抽检不合格，整改中", "整改合格"]
    assert [one.title for one in Notice.objects.visible_to(li).order_by("id")] == [
        "您的主体现在是：已停用",
        "您的主体现在是：已通过",
    ]


@pytest.mark.parametrize(
    ("before", "fields"),
    [
        ("approved", {}),
        ("imported", {"reviewed_at": None}),
        ("returned", {"review_note": "名称不全"}),
    ],
)
def test_a_cancelled_one_comes_back_as_what_it_was(zhao, li, before, fields):
    operator = make_operator(li, status=before, **fields)
    cancel_operator(operator=operator, reason="不再经营", actor=zhao)
    restore_operator(operator=operator, reason="又经营了", actor=zhao)
    operator.refresh_from_db()
    assert operator.status == before


@pytest.mark.parametrize(
    ("deed", "status", "reason", "code"),
    [
        (suspend_operator, "submitted", "核查", "not_active"),
        (suspend_operator, "approved", "", "reason_missing"),
        (suspend_operator, "approved", "长" * 201, "text_too_long"),
        (cancel_operator, "submitted", "不种了", "not_decided"),
        (cancel_operator, "cancelled", "不种了", "already_cancelled"),
        (restore_operator, "approved", "恢复", "not_stopped"),
    ],
)
def test_it_refuses_what_makes_no_sense(zhao, li, deed, status, reason, code):
    operator = make_operator(li, status=status)
    with pytest.raises(Refused) as refusal:
        deed(operator=operator, reason=reason, actor=zhao)
    assert refusal.value.code == code
    operator.refresh_from_db()
    assert (operator.status, operator.stopped_for) == (status, "")
    assert not Entry.objects.exists()


def test_nobody_else_stops_it(sun, wang, chen, li_operator):
    for actor in (sun, wang, chen):
        with pytest.raises(Refused) as refusal:
            suspend_operator(operator=li_operator, reason="核查", actor=actor)
        assert refusal.value.code == "outside_area"
    url = f"{li_operator.get_absolute_url()}suspend"
    assert [client_of(actor).post(url, {"reason": "核查"}).status_code for actor in (sun, wang, chen)] == [
        404,
        403,
        403,
    ]
    li_operator.refresh_from_db()
    assert li_operator.status == "approved"


def test_the_page_wants_a_reason(zhao, li_operator):
    client = client_of(zhao)
    url = f"{li_operator.get_absolute_url()}suspend"
    assert "请填写原因" in client.post(url, {"reason": ""}).text
    li_operator.refresh_from_db()
    assert li_operator.status == "approved"
    assert "已停用" in client.post(url, {"reason": "核查"}, follow=True).text


def test_reasons_stand_beside_what_they_are_about(zhao, li):
    operator = make_operator(li, status="submitted")
    client = client_of(zhao)
    client.post(f"{operator.get_absolute_url()}return", {"reason": "", "fault_name": "写全称", "fault_phone": ""})
    operator.refresh_from_db()
    assert (operator.status, operator.review_faults) == ("returned", {"name": "写全称"})
    own = client_of(li)
    assert "写全称" in own.get(operator.get_absolute_url()).text
    assert "审核员：写全称" in own.get(f"{operator.get_absolute_url()}change").text
    assert Notice.objects.visible_to(li).get().body == "退回原因：名称：写全称"


@pytest.mark.parametrize(
    ("faults", "code"), [({"nonsense": "不对"}, "input_unknown"), ({"name": "长" * 201}, "text_too_long")]
)
def test_it_refuses_faults_of_nothing(zhao, li, faults, code):
    operator = make_operator(li, status="submitted")
    with pytest.raises(Refused) as refusal:
        review_operator(operator=operator, decision=Decision.RETURN, actor=zhao, faults=faults)
    assert refusal.value.code == code
    operator.refresh_from_db()
    assert operator.status == "submitted"


def test_from_the_queue_a_decision_leads_back_to_it(zhao, li):
    operator = make_operator(li, status="submitted")
    client = client_of(zhao)
    assert f"{operator.get_absolute_url()}?then=queue" in client.get("/operators/review/").text
    answer = client.post(f"{operator.get_absolute_url()}approve", {"then": "queue"})
    assert answer.url == "/operators/review/"
    assert "都审完了" in client.get(answer.url).text


def test_the_core_of_a_name_tells_neighbours_apart():
    places = ["海南省", "三亚市", "崖州区", "南滨居委会"]
    assert core_of("三亚市崖州区春晖豇豆农民专业合作社", places) == "春晖豇豆"
    assert core_of("崖州春晖豇豆种植有限公司", places) == "春晖豇豆"
    assert core_of("合作社", places) == "合作社"
    assert alike("春晖豇豆", "春晖豇豆") == 1
    assert alike("春晖豇豆", "春晖瓜菜") == pytest.approx(1 / 5)


def test_it_finds_who_may_be_the_same_and_says_why(zhao, li):
    new = make_operator(
        li, name="崖州区春晖豇豆专业合作社", status="submitted", phone="19900000077", region=YAZHOU_VILLAGE
    )
    phone = make_operator(name="孙军华", phone="19900000077")
    named = make_operator(name="三亚春晖豇豆有限公司", phone="19900000078")
    near = make_operator(name="春晖豇豆地合作社", phone="19900000079", region=YAZHOU_VILLAGE)
    make_operator(name="春晖豇豆合作社", phone="19900000080", region=LIANDU)
    make_operator(name="李家", phone="19900000081", region=YAZHOU_VILLAGE)
    beside = make_operator(name="晖豇豆场", phone="19900000082", region=YAZHOU_VILLAGE)
    found = {one.operator: one.reasons for one in likely_duplicates(new, zhao)}
    assert found == {
        phone: ("手机号相同",),
        named: ("名称里都有“春晖豇豆”",),
        near: ("名称里都有“春晖豇豆”",),
        beside: ("同一个地方，名称相近",),
    }
    page = client_of(zhao).get(new.get_absolute_url())
    assert "可能和已有的 4 个主体重复" in page.text
    compared = client_of(zhao).get(f"{new.get_absolute_url()}compare")
    assert "三亚春晖豇豆有限公司" in compared.text
    assert "19900000077" not in compared.text


def test_an_imported_operator_is_claimed_by_merging(zhao, li):
    new = make_operator(li, name="春晖合作社", status="submitted", uscc=USCC, phone="19900000077")
    known = make_operator(name="春晖豇豆合作社", status="imported", reviewed_at=None)
    make_base(known)
    answer = client_of(zhao).post(f"{new.get_absolute_url()}merge", {"into": known.code, "reason": "电话核实过"})
    assert answer.url == known.get_absolute_url()
    new.refresh_from_db()
    known.refresh_from_db()
    assert (new.status, new.merged_into, new.uscc) == ("cancelled", known, None)
    assert (known.status, known.reviewed_by, known.uscc) == ("approved", zhao, USCC)
    assert known.members.get().user == li
    assert {entry.action for entry in Entry.objects.all()} == {"operator.merged", "operator.absorbed"}
    with pytest.raises(Refused) as refusal:
        restore_operator(operator=new, reason="弄错了", actor=zhao)
    assert refusal.value.code == "merged"


def test_what_a_merge_does_with_each_kind_of_record_is_decided():
    links = {link.get_accessor_name() for link in Operator._meta.related_objects}
    settled = {"members", "licences", "produce", "revisions", "merged", "claims", "invitations", "corrections"}
    derived = {"intakes", "directory_entry", "expected_as"}
    assert links == {*RECORDS, *settled, *derived}


def test_only_an_open_notice_holds_up_a_merge(zhao):
    new = make_operator(name="春晖合作社", status="imported", reviewed_at=None)
    known = make_operator(name="春晖豇豆合作社")
    sent = send_correction(
        operator=new,
        matter=Correction.Matter.WRONG,
        fields=["address"],
        finding="门牌号不符",
        demand="改正",
        due_on=timezone.localdate() + timedelta(days=9),
        actor=zhao,
    )
    with pytest.raises(Refused) as refusal:
        merge_operators(operator=new, into=known, reason="同一个", actor=zhao)
    assert refusal.value.code == "has_records"
    new.refresh_from_db()
    assert (new.status, new.merged_into) == ("imported", None)
    withdraw_correction(correction=sent, reason="登记重了", actor=zhao)
    merge_operators(operator=new, into=known, reason="同一个", actor=zhao)
    sent.refresh_from_db()
    assert (sent.operator, sent.state) == (new, "withdrawn")
    assert "已并入" in client_of(zhao).get(new.get_absolute_url()).text


def test_a_merged_record_stands_in_nobodys_way(zhao, li):
    new = make_operator(li, name="王小明", status="submitted", phone="19900000077")
    known = make_operator(name="王小明", status="imported", phone="", reviewed_at=None)
    merge_operators(operator=new, into=known, reason="同一户", actor=zhao)
    known.refresh_from_db()
    new.refresh_from_db()
    assert (known.phone, new.phone, new.phone_index) == ("19900000077", "", None)
    change_operator(operator=known, actor=li, phone="19900000078")
    change_operator(operator=known, actor=li, phone="19900000077")


def test_a_change_that_waits_ends_with_the_record(zhao, li):
    new = make_operator(li, status="imported", phone="19900000077", reviewed_at=None)
    change_operator(operator=new, actor=li, name="李家")
    merge_operators(operator=new, into=make_operator(phone="19900000078"), reason="同一户", actor=zhao)
    assert new.revisions.get().state == "returned"
    assert Notice.objects.visible_to(li).filter(title="主体变更申请没有通过").exists()


@pytest.mark.parametrize("status", ["suspended", "cancelled"])
def test_a_stopped_operator_takes_no_people_and_no_bases(li, li_operator, status):
    Operator.objects.filter(pk=li_operator.pk).update(status=status)
    helper = make_user("helper", "李小山")
    for deed in (
        lambda: add_member(operator=li_operator, user=helper, actor=None),
        lambda: add_base(operator=li_operator, name="地", region=li_operator.region, actor=li),
    ):
        with pytest.raises(Refused) as refusal:
            deed()
        assert refusal.value.code == "not_active"
    assert li_operator.members.count() == 1
    assert not li_operator.bases.exists()


def test_a_decision_is_on_what_was_read(zhao, li):
    operator = make_operator(li, status="submitted")
    client = client_of(zhao)
    seen = client.get(operator.get_absolute_url()).context["version"]
    change_operator(operator=operator, actor=li, name="换了名字")
    page = client.post(f"{operator.get_absolute_url()}approve", {"seen": seen}, follow=True)
    assert "主体的信息改过了" in page.text
    operator.refresh_from_db()
    assert operator.status == "submitted"
    client.post(f"{operator.get_absolute_url()}approve", {"seen": page.context["version"]})
    operator.refresh_from_db()
    assert operator.status == "approved"


def test_who_registered_it_for_somebody_is_told_and_sends_it_in_again(zhao, wang):
    operator = make_operator(status="submitted", region=460205198204, created_by=wang)
    review_operator(operator=operator, decision=Decision.RETURN, actor=zhao, reason="名称不全")
    assert Notice.objects.visible_to(wang).get().body == "退回原因：名称不全"
    change_operator(operator=operator, actor=wang, name="崖州区张三家庭农场")
    operator.refresh_from_db()
    assert (operator.status, operator.review_faults) == ("submitted", {})
    assert operator.due_on


def test_a_person_of_both_stays_once(zhao, li):
    new = make_operator(li, status="submitted", phone="19900000077")
    known = make_operator(li)
    merge_operators(operator=new, into=known, reason="同一户", actor=zhao)
    assert OperatorMember.objects.open().get().operator == known


def test_it_refuses_to_merge_what_it_should_not(zhao, sun, li):
    new = make_operator(li, status="submitted", phone="19900000077")
    known = make_operator(name="已有", phone="19900000078")
    abroad = make_operator(name="外县", region=LIANDU, phone="19900000079")
    stopped = make_operator(name="停了", status="suspended", phone="19900000080")
    based = make_operator(name="有地", status="submitted", phone="19900000081")
    make_base(based)
    for operator, into, actor, reason, code in (
        (new, new, zhao, "同一户", "same_operator"),
        (new, abroad, zhao, "同一户", "outside_area"),
        (new, known, sun, "同一户", "outside_area"),
        (new, stopped, zhao, "同一户", "not_mergeable"),
        (known, new, zhao, "同一户", "not_mergeable"),
        (based, known, zhao, "同一户", "has_records"),
        (new, known, zhao, " ", "reason_missing"),
    ):
        with pytest.raises(Refused) as refusal:
            merge_operators(operator=operator, into=into, reason=reason, actor=actor)
        assert refusal.value.code == code
    assert not Operator.objects.filter(status="cancelled").exists()
    assert OperatorMember.objects.get().operator == new
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_merged_and_approved_at_once_one_wins(zhao, li):
    new = make_operator(li, status="submitted", phone="19900000077", reviewed_at=None)
    known = make_operator(name="已有", phone="19900000078")
    zhou = make_official("zhou", "周审核", Role.REVIEWER, YAZHOU)
    told = at_once(
        lambda: merge_operators(operator=new, into=known, reason="同一户", actor=zhao) and "done",
        lambda: review_operator(operator=new, decision=Decision.APPROVE, actor=zhou) and "done",
    )
    new.refresh_from_db()
    assert told in (["done", "already_decided"], ["not_mergeable", "done"])
    assert (new.status == "cancelled") == (new.merged_into is not None)


def test_a_phone_is_compared_by_its_index(zhao, li):
    new = make_operator(li, name="甲", status="submitted", phone="19900000077")
    helper = make_user("helper", "乙")
    other = make_operator(helper, name="乙", phone="19900000077")
    assert bytes(Operator.objects.get(pk=other.pk).phone_index) == blind_index("19900000077")
    assert [one.operator for one in likely_duplicates(new, zhao)] == [other]


def open_of(operator: Operator, li, zhao, asker) -> tuple[Invitation, Claim, Correction]:
    """One of each that waits for somebody."""
    invitation = invite_person(operator=operator, name="李小山", phone="19900004455", actor=li)
    fresh = make_operator(asker, status="submitted", reviewed_at=None, name="新登记的", phone="19900004466")
    claim = Claim.objects.create(
        operator=operator, fresh=fresh, user=asker, region_id=operator.region_id, met_by="name", state="waiting"
    )
    correction = send_correction(
        operator=operator,
        matter=Correction.Matter.STALE,
        finding="很久没有更新",
        demand="请核对",
        due_on=timezone.localdate() + timedelta(days=9),
        actor=zhao,
    )
    return invitation, claim, correction


@pytest.mark.parametrize(("stop", "state"), [(suspend_operator, "sent"), (cancel_operator, "withdrawn")])
def test_what_is_open_of_one_that_stops_is_closed_and_who_waits_is_told(li, li_operator, zhao, chen, stop, state):
    invitation, claim, correction = open_of(li_operator, li, zhao, chen)
    stop(operator=li_operator, reason="不再经营", actor=zhao)
    for one in (invitation, claim, correction):
        one.refresh_from_db()
    assert (invitation.state, claim.state, correction.state) == ("withdrawn", "returned", state)
    assert claim.note.endswith("：不再经营")
    told = Notice.objects.visible_to(chen).get()
    assert (told.title, told.url) == ("您申请认领的主体已停用或注销，按新登记审核", claim.fresh.get_absolute_url())
    done = set(Entry.objects.of(li_operator).values_list("action", flat=True))
    assert {"operator.invitation_withdrawn", "operator.claim_closed"} <= done
    assert ("correction.withdrawn" in done) is (state == "withdrawn")
    claim.fresh.refresh_from_db()
    assert claim.fresh.status == "submitted"


def test_a_refused_stop_closes_nothing(li, li_operator, zhao, chen, sun):
    opened = open_of(li_operator, li, zhao, chen)
    for actor, reason in ((zhao, ""), (sun, "不再经营")):
        with pytest.raises(Refused):
            cancel_operator(operator=li_operator, reason=reason, actor=actor)
    for one, state in zip(opened, ("waiting", "waiting", "sent"), strict=True):
        one.refresh_from_db()
        assert one.state == state


def test_a_cancelled_registration_claims_nothing_any_more(li_operator, zhao, chen):
    fresh = make_operator(chen, status="returned", reviewed_at=None, name="新登记的", phone="19900004466")
    claim = Claim.objects.create(
        operator=li_operator, fresh=fresh, user=chen, region_id=li_operator.region_id, met_by="name", state="waiting"
    )
    cancel_operator(operator=fresh, reason="不再经营", actor=zhao)
    claim.refresh_from_db()
    assert (claim.state, claim.decided_by) == ("returned", zhao)
