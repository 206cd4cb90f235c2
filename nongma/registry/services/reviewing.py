"""Deciding on operators and on changes of what they are known by (主体审核、变更审核)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.codes.services import subject_changed
from nongma.lib.reasons import LONGEST, checked_reason
from nongma.lib.refused import Misfilled, Refused
from nongma.regions.models import Region
from nongma.registry.directory.marks import touch
from nongma.registry.inputs import INPUTS
from nongma.registry.models import Claim, Operator, Revision
from nongma.registry.services.checks import check_area, checked, inputs_of, version_of
from nongma.registry.services.registering import put
from nongma.registry.telling import tell_claim_decided, tell_decided, tell_revision_decided

Status = Operator.Status


class Decision(StrEnum):
    """What a reviewer decides on an operator (审核)."""

    APPROVE = "approve"
    RETURN = "return"


@transaction.atomic
def review_operator(
    *,
    operator: Operator,
    decision: Decision,
    actor: User,
    reason: str = "",
    faults: Mapping[str, str] | None = None,
    seen: str = "",
) -> Operator:
    """Approve an operator or return it with a reason, for the whole or for each input (主体审核).

    `faults` are inputs (`INPUTS`) and what is wrong with each; `seen` is the `version_of` what the reviewer read.
    Refuses `already_decided` to the second of two reviewers, `changed_meanwhile` (what was read is not what is on file
    any more), `outside_area`, `reason_missing`, `text_too_long`, `input_unknown`. An imported operator (待认领) may be
    approved as it is; only a submitted one can be returned.
    """
    operator = Operator.objects.select_for_update().get(pk=operator.pk)
    check_area(operator.region_id, actor, Action.REVIEW_OPERATORS)
    open_for = {Status.SUBMITTED, Status.IMPORTED} if decision is Decision.APPROVE else {Status.SUBMITTED}
    if operator.status not in open_for:
        by = f"，审核人：{operator.reviewed_by}" if operator.reviewed_by else ""
        raise Refused("already_decided", f"该主体现在是“{operator.get_status_display()}”{by}，不用再审核")
    if seen and seen != version_of(operator):
        raise Refused("changed_meanwhile", "您打开页面以后，主体的信息改过了，请再看一遍")
    is_return = decision is Decision.RETURN
    named = _checked_faults(faults or {}) if is_return else {}
    operator.status = Status.RETURNED if is_return else Status.APPROVED
    operator.reviewed_by = actor
    operator.reviewed_at = timezone.now()
    note = checked_reason(reason, is_needed=is_return and not named, told="请写明退回原因，主体照着改")
    operator.review_note = note if is_return else ""
    operator.review_faults, operator.due_on = named, None
    operator.save(update_fields=["status", "reviewed_by", "reviewed_at", "review_note", "review_faults", "due_on"])
    details: dict[str, Any] = {"reason": operator.review_note} if operator.review_note else {}
    if named:
        details["faults"] = {INPUTS[name]: text for name, text in named.items()}
    if not is_return:
        _settle_claims(operator, actor)
    done = "returned" if is_return else "approved"
    record(f"operator.{done}", actor=actor, target=operator, region_code=operator.region_id, **details)
    touch(operator.pk)
    tell_decided(operator=operator, actor=actor)
    subject_changed(operator.uid)
    return operator


@transaction.atomic
def decide_revision(*, revision: Revision, decision: Decision, actor: User, reason: str = "") -> Revision:
    """Let a change of what an operator is known by take effect, or refuse it with a reason (变更审核).

    Refuses `already_decided`, `outside_area` (also when the operator would move out of the reviewer's area: that is
    for the level above both), `changed_meanwhile` (what it would change is not what it was when asked for),
    `not_active`, `reason_missing`, `text_too_long`, and what `change_operator` refuses.
    """
    operator = Operator.objects.select_for_update().get(pk=revision.operator_id)
    revision = Revision.objects.select_for_update().get(pk=revision.pk)
    check_area(operator.region_id, actor, Action.REVIEW_OPERATORS)
    _check_waits(revision)
    is_return = decision is Decision.RETURN
    note = checked_reason(reason, is_needed=is_return, told="请写明不同意的原因")
    if not is_return:
        _apply(revision, operator, actor)
    revision.state = Revision.State.RETURNED if is_return else Revision.State.APPROVED
    revision.decided_by, revision.decided_at, revision.note = actor, timezone.now(), note
    revision.save(update_fields=["state", "decided_by", "decided_at", "note"])
    if is_return:
        details: dict[str, Any] = {"fields": revision.fields, "reason": note}
        record("operator.change_returned", actor=actor, target=operator, region_code=operator.region_id, **details)
    tell_revision_decided(revision=revision, operator=operator, actor=actor)
    return revision


@transaction.atomic
def withdraw_revision(*, revision: Revision, actor: User) -> Revision:
    """Take back a change that nobody has decided on; for whoever asked, or an owner of the operator.

    Refuses `already_decided` and `not_own_operator`.
    """
    operator = Operator.objects.select_for_update().get(pk=revision.operator_id)
    revision = Revision.objects.select_for_update().get(pk=revision.pk)
    is_owner = operator.members.owners().filter(user=actor).exists()
    if revision.asked_by_id != actor.pk and not is_owner:
        raise Refused("not_own_operator", "只有申请人可以撤回")
    _check_waits(revision)
    revision.state, revision.decided_at = Revision.State.WITHDRAWN, timezone.now()
    revision.save(update_fields=["state", "decided_at"])
    record(
        "operator.change_withdrawn",
        actor=actor,
        target=operator,
        region_code=operator.region_id,
        fields=revision.fields,
    )
    return revision


def _settle_claims(operator: Operator, actor: User) -> None:
    """Who approves a registration by itself has decided that it is not what an import put on file."""
    for claim in Claim.objects.waiting().filter(fresh=operator).select_related("operator", "fresh"):
        claim.state, claim.note = Claim.State.RETURNED, "按新登记通过审核"
        claim.decided_by, claim.decided_at = actor, timezone.now()
        claim.save(update_fields=["state", "note", "decided_by", "decided_at"])
        tell_claim_decided(claim=claim, actor=actor)


def _checked_faults(faults: Mapping[str, str]) -> dict[str, str]:
    if unknown := faults.keys() - INPUTS.keys():
        raise Misfilled("input_unknown", f"没有这个项目：{'、'.join(sorted(unknown))}", field="faults")
    named = {name: " ".join(text.split()) for name, text in faults.items() if text.strip()}
    for name, text in named.items():
        if len(text) > LONGEST:
            raise Misfilled("text_too_long", f"{INPUTS[name]}的原因最多 {LONGEST} 个字", field=f"fault_{name}")
    return named


def _check_waits(revision: Revision) -> None:
    if revision.state != Revision.State.WAITING:
        by = f"，审核人：{revision.decided_by}" if revision.decided_by else ""
        raise Refused("already_decided", f"这个变更申请现在是“{revision.get_state_display()}”{by}")


def _apply(revision: Revision, operator: Operator, actor: User) -> None:
    if operator.status not in (Status.APPROVED, Status.IMPORTED):
        raise Refused("not_active", f"主体{operator.get_status_display()}，不能变更")
    held, after = inputs_of(operator), revision.after
    now = {name: held["region"].pk if name == "region" else held[name] for name in after}
    if now != revision.before:
        raise Refused("changed_meanwhile", "申请以后这些项目又改过，请写明原因退给申请人重新申请")
    if "region" in after:
        after["region"] = Region.objects.get(pk=after["region"])
        if after["region"].pk not in scope_of(actor, Action.REVIEW_OPERATORS):
            raise Refused("outside_area", "新的所在地不在您的审核范围内，请由上级审核")
    values = checked(**held | after)
    before = {field: getattr(operator, field) for field in values}
    put(operator, values, before, actor, asked_by=str(revision.asked_by.uid))
