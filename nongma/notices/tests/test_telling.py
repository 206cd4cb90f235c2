"""Who is told of what: each use-case tells by name those whom it concerns, in one statement."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.certificates.models import Certificate
from nongma.certificates.services import revoke_certificate
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.notices.services import mark_all_read
from nongma.origins.models import ImportJob, Origin
from nongma.origins.services import imports
from nongma.origins.services.review import (
    Verdict,
    approve_origin,
    decide_origins,
    return_origin,
    run_review_job,
    start_review_job,
)
from nongma.origins.services.telling import prompt_of_waiting
from nongma.registry.models import Base, Operator, OperatorMember
from nongma.registry.services import change_operator, suspend_operator
from nongma.registry.waiting import prompt_of_waiting as prompt_of_operators
from nongma.testing import client_of, make_operator, make_origin, make_user
from nongma.tracing.models import Lot
from nongma.tracing.recalls import freeze_lot, recall_lot
from nongma.tracing.services import transfer_lot


def told(user: User) -> list[tuple[str, str]]:
    """Kind and heading of what a person has not read, newest first."""
    return [(notice.kind, notice.heading) for notice in Notice.objects.visible_to(user).unread()]


def opened(user: User) -> int:
    """The status of the page that the newest notice leads to."""
    notice = Notice.objects.visible_to(user).first()
    assert notice
    client = client_of(user)
    return client.get(client.post(f"/notices/{notice.uid}/open")["Location"]).status_code


@pytest.fixture
def ten(li_base: Base, cowpea: Product, wang: User) -> list[Origin]:
    return [make_origin(li_base, cowpea, collected_by=wang) for _ in range(10)]


def test_approvals_add_up_for_the_collector(zhao: User, wang: User, ten: list[Origin]) -> None:
    for origin in ten[:3]:
        approve_origin(origin=origin, actor=zhao)
    assert told(wang) == [("decision", "产地信息审核通过 3 条")]
    assert opened(wang) == 200


def test_a_returned_record_leads_to_itself(zhao: User, wang: User, li_origin: Origin) -> None:
    return_origin(origin=li_origin, reason="点位在海里", actor=zhao)
    assert told(wang) == [("decision", "一条产地信息被退回，请改正")]
    notice = Notice.objects.get(user=wang)
    assert notice.body == "退回原因：点位在海里"
    assert notice.url == li_origin.get_absolute_url()
    assert opened(wang) == 200


def test_a_decision_on_many_is_one_notice_for_each_collector(
    zhao: User, wang: User, qian: User, li_base: Base, cowpea: Product, ten: list[Origin]
) -> None:
    make_origin(li_base, cowpea, collected_by=qian)
    with CaptureQueriesContext(
        connection,
    ) as few:
        decide_origins(origins=Origin.objects.all(), verdict=Verdict.RETURN, reason="没有电话", actor=zhao)
    assert told(wang) == [("decision", "10 条产地信息被退回，请改正")]
    assert told(qian) == [("decision", "1 条产地信息被退回，请改正")]
    assert sum("notices_notice" in query["sql"] for query in few) == 1


def test_the_chunks_of_a_job_add_up(zhao: User, wang: User, ten: list[Origin], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nongma.origins.services.review.AT_ONCE", 4)
    job = start_review_job(
        filters={},
        description="全部",
        origins=Origin.objects.all(),
        until=timezone.now(),
        verdict=Verdict.RETURN,
        reason="没有电话",
        actor=zhao,
    )
    run_review_job(job.pk)
    assert told(wang) == [("decision", "10 条产地信息被退回，请改正")]


def test_a_refused_decision_tells_nobody(sun: User, wang: User, li_origin: Origin) -> None:
    with pytest.raises(Refused):
        approve_origin(origin=li_origin, actor=sun)
    assert told(wang) == []


def test_who_uploaded_a_form_is_told_how_it_ended(zhao: User) -> None:
    done, failed = (
        ImportJob.objects.create(
            user=zhao,
            filename=f"{number}.xlsx",
            size_bytes=1,
            digest=bytes([number]),
            accepted=5,
            rejected=2,
            last_row=7,
            started_at=timezone.now(),
        )
        for number in (1, 2)
    )
    imports._finish(done)
    imports._fail(failed, "读不出这个文件")
    assert told(zhao) == [("decision", "表格导入失败"), ("decision", "表格导入完成：保存 5 条，有误 2 行")]
    assert "读不出这个文件" in Notice.objects.visible_to(zhao)[0].body
    assert opened(zhao) == 200


def test_everybody_whom_a_recall_reaches_is_told(
    li: User, chen: User, zhao: User, lot: Lot, chen_operator, hainan: User
) -> None:
    staff = make_user("staff", "员工", is_operator=True)
    OperatorMember.objects.create(operator=chen_operator, user=staff, role=OperatorMember.Role.STAFF)
    for quantity in (20, 30):
        transfer_lot(lot=lot, quantity=Decimal(quantity), buyer=chen_operator, actor=li)
    recall_lot(lot=lot, reason="农残超标", actor=zhao)
    assert told(li) == [("decision", "1 个批次已召回，请立即停止销售")]
    assert told(chen) == told(staff) == [("decision", "2 个批次已召回，请立即停止销售")]
    assert told(zhao) == told(hainan) == []
    assert opened(chen) == 200


def test_who_recalls_the_own_lot_is_not_told(li: User, lot: Lot) -> None:
    recall_lot(lot=lot, reason="自查不合格", actor=li)
    assert told(li) == []


def test_the_owner_of_a_frozen_lot_is_told(li: User, zhao: User, lot: Lot) -> None:
    freeze_lot(lot=lot, reason="抽样待检", actor=zhao)
    assert told(li) == [("decision", "一个批次已冻结，解除前不能销售")]
    assert opened(li) == 200


def test_the_owners_people_are_told_of_a_revoked_certificate(li: User, certificate: Certificate) -> None:
    partner = make_user("partner", "合伙人", is_operator=True)
    OperatorMember.objects.create(operator=certificate.operator, user=partner, role=OperatorMember.Role.STAFF)
    revoke_certificate(certificate=certificate, reason="开错了", actor=li)
    assert told(partner) == [("decision", "一张承诺达标合格证已作废")]
    assert told(li) == []
    assert opened(partner) == 200


def test_reviewers_are_told_what_waits_in_their_area(
    zhao: User, sun: User, wang: User, hainan: User, ten: list[Origin], chen_base: Base, cowpea: Product
) -> None:
    make_origin(chen_base, cowpea, collected_by=wang)
    assert prompt_of_waiting() == 2
    assert told(zhao) == [("prompt", "10 条产地信息等您审核")]
    assert told(sun) == [("prompt", "1 条产地信息等您审核")]
    assert told(wang) == told(hainan) == []
    assert opened(zhao) == 200


def test_a_prompt_is_written_anew_and_taken_back(zhao: User, sun: User, ten: list[Origin]) -> None:
    prompt_of_waiting()
    for origin in ten[:4]:
        approve_origin(origin=origin, actor=zhao)
    prompt_of_waiting()
    assert told(zhao) == [("prompt", "6 条产地信息等您审核")]
    Origin.objects.update(state=Origin.State.APPROVED)
    assert prompt_of_waiting() == 0
    assert told(zhao) == []


def test_who_read_the_prompt_gets_a_new_one_the_next_day(zhao: User, ten: list[Origin]) -> None:
    prompt_of_waiting()
    mark_all_read(actor=zhao)
    prompt_of_waiting()
    assert told(zhao) == [("prompt", "10 条产地信息等您审核")]


def test_reviewers_are_told_of_operators_that_wait(zhao: User, sun: User, li: User) -> None:
    for number in range(3):
        make_operator(name=f"新主体{number}", status="submitted", reviewed_at=None, created_by=li)
    assert prompt_of_operators() == 1
    assert told(zhao) == [("prompt", "3 个主体等您审核")]
    assert told(sun) == []
    assert opened(zhao) == 200


def test_reviewers_are_told_of_changes_that_wait(zhao: User, sun: User, li: User, li_operator: Operator) -> None:
    change_operator(operator=li_operator, actor=li, name="李大山豇豆")
    assert prompt_of_operators() == 1
    assert told(zhao) == [("prompt", "1 个主体变更等您审核")]
    assert told(sun) == []
    assert opened(zhao) == 200
    suspend_operator(operator=li_operator, reason="停业", actor=zhao)
    assert prompt_of_operators() == 0


def test_prompts_cost_the_same_for_many(zhao: User, ten: list[Origin]) -> None:
    with CaptureQueriesContext(connection) as queries:
        prompt_of_waiting()
    assert len(queries) <= 5
