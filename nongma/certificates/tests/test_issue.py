import json
from decimal import Decimal

import pytest

from nongma.audit.models import Entry
from nongma.certificates.models import Basis, Certificate, CertificateTemplate
from nongma.certificates.queries import certifiable
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.codes.models import CodeRange
from nongma.lib import signing
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.testing import at_once
from nongma.tracing.models import TraceEvent
from nongma.tracing.recalls import freeze_lot, recall_lot
from nongma.tracing.services import record_loss, split_lot, transfer_lot


def issue(lot, actor, quantity="100", **options):
    return issue_certificate(lot=lot, quantity=Decimal(quantity), basis=Basis.QUALITY_CONTROL, actor=actor, **options)


def test_it_issues_a_signed_certificate_with_code_event_and_audit(li, lot, certificate):
    assert CodeRange.objects.get(start=certificate.serial).subject == certificate.uid
    assert certificate.template.code == "2026"
    assert certificate.promises == ["未使用禁用农药、兽药及其他化合物", "使用的常规农药、兽药残留不超标"]
    assert certificate.basis_text == "自行检测合格"
    assert certificate.state == "valid"
    signed = json.loads(certificate.payload)
    assert signed == {
        "v": 1,
        "code": certificate.code,
        "product": "豇豆",
        "quantity": "120.5",
        "unit": "kg",
        "operator": "李**",
        "place": str(lot.base.region),
        "issued": certificate.issued_on.isoformat(),
        "basis": "self_test",
        "template": "2026",
        "kid": certificate.key_id,
    }
    assert signing.is_signed(
        certificate.payload, bytes(certificate.signature), certificate.key_id, signing.public_keys()
    )
    assert TraceEvent.objects.filter(lot_serial=lot.serial, step="certified").count() == 1
    entry = Entry.objects.get(action="certificate.issued")
    assert (entry.target_id, entry.details["unit"]) == (str(certificate.uid), "kg")


def test_no_personal_data_is_signed(li, lot, certificate):
    operator = lot.operator
    for secret in (operator.phone, operator.contact, operator.name):
        assert secret not in certificate.payload


def test_a_co_op_stands_with_its_full_name(chen, chen_base, cowpea):
    from nongma.tracing.tests.factories import harvest

    made = issue(harvest(chen_base, cowpea, chen), chen)
    assert json.loads(made.payload)["operator"] == "莲都区陈家专业合作社"


def test_a_buyer_makes_the_buyers_promise(li, lot, chen, chen_operator):
    received = transfer_lot(lot=lot, quantity=Decimal(50), buyer=chen_operator, actor=li).received

    assert issue(received, chen, "50").promises == [
        "已按规定收取并保存该批次农产品承诺达标合格证或者其他质量安全合格证明",
        "未违规使用保鲜剂、防腐剂、添加剂等",
    ]


def test_an_older_form_still_prints_but_has_no_promise_for_buyers(li, lot, chen, chen_operator):
    old = CertificateTemplate.objects.get(code="2021")
    made = issue(lot, li, template=old)
    assert len(made.promises) == 3
    assert made.basis_text == "内部质量控制"

    received = transfer_lot(lot=lot, quantity=Decimal(50), buyer=chen_operator, actor=li).received
    with pytest.raises(Refused) as refusal:
        issue(received, chen, "50", template=old)
    assert refusal.value.code == "no_promise"
    assert Certificate.objects.count() == 1


def test_it_promises_no_more_than_there_is(li, lot, certificate):
    with pytest.raises(Refused) as refusal:
        issue(lot, li, "379.501")

    assert (refusal.value.code, refusal.value.field) == ("over_balance", "quantity")
    assert Certificate.objects.count() == 1
    issue(lot, li, "379.5")
    assert certifiable(lot) == 0


@pytest.mark.parametrize(("quantity", "code"), [("0", "not_positive"), ("-5", "not_positive"), ("0.0005", "too_fine")])
def test_it_refuses_a_quantity_that_can_not_be(li, lot, quantity, code):
    with pytest.raises(Refused) as refusal:
        issue(lot, li, quantity)

    assert refusal.value.code == code
    assert not Certificate.objects.exists()


def test_it_refuses_a_recalled_or_frozen_lot(li, zhao, lot):
    freeze_lot(lot=lot, reason="待检", actor=zhao)
    with pytest.raises(Refused) as refusal:
        issue(lot, li)
    assert refusal.value.code == "lot_frozen"

    recall_lot(lot=lot, reason="抽检不合格", actor=zhao)
    with pytest.raises(Refused) as refusal:
        issue(lot, li)
    assert refusal.value.code == "lot_recalled"
    assert not Certificate.objects.exists()


@pytest.mark.parametrize("status", [Operator.Status.SUSPENDED, Operator.Status.CANCELLED])
def test_it_refuses_an_operator_that_may_not_trade(li, lot, status):
    Operator.objects.filter(pk=lot.operator_id).update(status=status)
    with pytest.raises(Refused) as refusal:
        issue(lot, li)

    assert refusal.value.code == "operator_not_approved"
    assert not Certificate.objects.exists()


def test_it_refuses_another_growers_lot(chen, lot):
    with pytest.raises(Refused) as refusal:
        issue(lot, chen)

    assert refusal.value.code == "not_own_lot"
    assert not Certificate.objects.exists()


def test_goods_leave_with_their_certificate(li, lot):
    issue(lot, li, "300")
    transfer_lot(lot=lot, quantity=Decimal(300), buyer_name="早市", actor=li)
    assert certifiable(lot) == 200

    transfer_lot(lot=lot, quantity=Decimal(50), buyer_name="早市", actor=li)
    assert certifiable(lot) == 150
    issue(lot, li, "150")
    record_loss(lot=lot, quantity=Decimal(10), actor=li)
    assert certifiable(lot) == 0


def test_a_revoked_certificate_gives_its_quantity_back(li, lot, certificate):
    revoke_certificate(certificate=certificate, reason="数量写错", actor=li)

    assert certifiable(lot) == 500


def test_what_is_split_off_takes_no_certificate_along(li, lot):
    issue(lot, li, "300")
    (part,) = split_lot(lot=lot, quantities=[Decimal(150)], actor=li)
    assert (certifiable(lot), certifiable(part)) == (50, 150)

    record_loss(lot=lot, quantity=Decimal(100), actor=li)
    assert certifiable(lot) == 0
    transfer_lot(lot=lot, quantity=Decimal(100), buyer_name="早市", actor=li)
    assert certifiable(lot) == 0


def test_what_is_split_off_needs_a_certificate_of_its_own(li, lot):
    issue(lot, li, "500")
    (part,) = split_lot(lot=lot, quantities=[Decimal(100)], actor=li)

    assert certifiable(part) == 100
    assert certifiable(lot) == 0


@pytest.mark.django_db(transaction=True)
def test_six_at_once_never_promise_too_much(li, lot):
    results = at_once(*[lambda: issue(lot, li, "150")] * 6)

    assert results.count("over_balance") == 3
    assert sum(Certificate.objects.values_list("quantity", flat=True)) == 450


def test_it_takes_few_statements(li, lot, django_assert_max_num_queries):
    with django_assert_max_num_queries(16):
        issue(lot, li)
