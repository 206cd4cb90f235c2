import pytest

from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.registry.services import Decision, review_operator
from nongma.testing import YAZHOU, at_once, make_official, make_operator


def test_a_reviewer_approves(zhao, li):
    operator = make_operator(li, status="submitted", reviewed_at=None)
    review_operator(operator=operator, decision=Decision.APPROVE, actor=zhao)
    operator.refresh_from_db()
    assert (operator.status, operator.reviewed_by) == ("approved", zhao)
    assert operator.reviewed_at is not None
    assert Entry.objects.get(action="operator.approved").actor_id == zhao.pk


def test_a_reviewer_returns_with_a_reason(zhao, li):
    operator = make_operator(li, status="submitted")
    with pytest.raises(Refused) as refusal:
        review_operator(operator=operator, decision=Decision.RETURN, actor=zhao, reason=" ")
    assert (refusal.value.code, refusal.value.field) == ("reason_missing", "reason")
    review_operator(operator=operator, decision=Decision.RETURN, actor=zhao, reason="身份证号没有填")
    operator.refresh_from_db()
    assert (operator.status, operator.review_note) == ("returned", "身份证号没有填")
    assert Entry.objects.get().details == {"reason": "身份证号没有填"}


def test_an_imported_operator_is_approved_as_it_is_but_not_returned(zhao, li):
    operator = make_operator(li, status="imported")
    with pytest.raises(Refused):
        review_operator(operator=operator, decision=Decision.RETURN, actor=zhao, reason="不对")
    review_operator(operator=operator, decision=Decision.APPROVE, actor=zhao)
    operator.refresh_from_db()
    assert operator.status == "approved"


def test_a_reviewer_elsewhere_decides_nothing(sun, li):
    operator = make_operator(li, status="submitted")
    with pytest.raises(Refused) as refusal:
        review_operator(operator=operator, decision=Decision.APPROVE, actor=sun)
    assert refusal.value.code == "outside_area"
    operator.refresh_from_db()
    assert operator.status == "submitted"
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_the_second_is_told(zhao, li):
    from nongma.accounts.models import Role

    operator = make_operator(li, status="submitted", reviewed_at=None)
    reviewers = [zhao, make_official("zhou", "周审核", Role.REVIEWER, YAZHOU)]

    def decide(reviewer, decision):
        try:
            review_operator(operator=operator, decision=decision, actor=reviewer, reason="不全")
        except Refused as refusal:
            return refusal.code, refusal.message

    told = at_once(lambda: decide(reviewers[0], Decision.APPROVE), lambda: decide(reviewers[1], Decision.RETURN))
    ((code, message),) = filter(None, told)
    first = Operator.objects.get().reviewed_by
    assert code == "already_decided"
    assert first.name in message
    assert Entry.objects.filter(target_kind="operator").count() == 1
