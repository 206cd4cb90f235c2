"""Deciding on operators (主体审核)."""

from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.codes.services import subject_changed
from nongma.lib.refused import Misfilled, Refused
from nongma.registry.models import Operator
from nongma.registry.services.checks import check_area

Status = Operator.Status


class Decision(StrEnum):
    """What a reviewer decides on an operator (审核)."""

    APPROVE = "approve"
    RETURN = "return"


@transaction.atomic
def review_operator(*, operator: Operator, decision: Decision, actor: User, reason: str = "") -> Operator:
    """Approve an operator or return it with a reason (主体审核).

    Refuses `already_decided` to the second of two reviewers, `outside_area`, `reason_missing`, `text_too_long`.
    An imported operator (待认领) may be approved as it is; only a submitted one can be returned.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    check_area(operator.region_id, actor, Action.REVIEW_OPERATORS)
    open_for = {Status.SUBMITTED, Status.IMPORTED} if decision is Decision.APPROVE else {Status.SUBMITTED}
    if operator.status not in open_for:
        by = f"，审核人：{operator.reviewed_by}" if operator.reviewed_by else ""
        raise Refused("already_decided", f"该主体现在是“{operator.get_status_display()}”{by}，不用再审核")
    reason = reason.strip()
    if decision is Decision.RETURN and not reason:
        raise Misfilled("reason_missing", "请写明退回原因，主体照着改", field="reason")
    if len(reason) > 200:
        raise Misfilled("text_too_long", "原因最多 200 个字", field="reason")
    operator.status = Status.APPROVED if decision is Decision.APPROVE else Status.RETURNED
    operator.reviewed_by = actor
    operator.reviewed_at = timezone.now()
    operator.review_note = reason
    operator.save(update_fields=["status", "reviewed_by", "reviewed_at", "review_note"])
    details = {"reason": reason} if reason else {}
    done = "approved" if decision is Decision.APPROVE else "returned"
    record(f"operator.{done}", actor=actor, target=operator, region_code=operator.region_id, **details)
    subject_changed(operator.uid)
    return operator
