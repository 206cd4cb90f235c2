"""Who takes an imported operator for the own (认领): by the phone on it, or by the county's decision."""

import json
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from nongma.accounts.access import Action
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.fields import blind_indexes
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.registry.models import COUNTY_WIDTH, Claim, Operator, OperatorMember, OperatorQuerySet
from nongma.registry.services.checks import check_area, checked, inputs_of
from nongma.registry.services.registering import put, review_due
from nongma.registry.services.reviewing import Decision
from nongma.registry.services.standing import merge_operators
from nongma.registry.services.tries import tries_counted
from nongma.registry.services.unclaiming import held_by
from nongma.registry.telling import tell_claim_decided

Status = Operator.Status
MOST_OFFERED = 20


def claimable_by(user: User) -> OperatorQuerySet:
    """The imported operators without people on which the person's proved phone stands; none for who acts for one."""
    if not user.is_operator or not user.phone_proved_at or OperatorMember.objects.operators_of(user).exists():
        return Operator.objects.none()
    barred = Claim.objects.revoked().filter(user=user).values("operator")
    return _unclaimed().filter(phone_index__in=blind_indexes(user.phone)).exclude(pk__in=barred).order_by("id")


@tries_counted
@transaction.atomic
def claim_operator(*, operator: Operator, actor: User, **inputs: Any) -> Operator:
    """Take an imported operator with the own phone on it, and send in what the import lacked for review (认领).

    `inputs` are those of `register_operator`; what was imported is kept with the claim. Of two at once one wins.
    Refuses `member_already`, `already_claimed`, `claim_barred` (an earlier claim was taken back), `not_claimable` (no
    longer 待认领, or another phone on it) and what `register_operator` does.
    """
    # The operator before the person, as everybody does who changes an operator's people. Not by its key: who registers
    # at the same time and meets this operator holds the person already.
    locked = Operator.objects.select_for_update(of=("self",), no_key=True).select_related("region")
    operator = locked.get(pk=operator.pk)
    actor = User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if OperatorMember.objects.operators_of(actor).exists():
        raise Refused("member_already", "您已经是一个主体的人员，不能再认领")
    if operator.members.open().exists():
        raise Refused("already_claimed", "这个主体刚刚由别人认领了；如果是您的，请联系县级管理部门")
    if operator.claims.revoked().filter(user=actor).exists():
        raise Refused("claim_barred", "您以前认领过这个主体，县里核实不是您的；真是您的，请联系县级管理部门邀请您")
    if not claimable_by(actor).filter(pk=operator.pk).exists():
        raise Refused("not_claimable", "这个主体不能认领了，请联系县级管理部门")
    before = held_by(operator)
    values = checked(**inputs_of(operator) | inputs)
    OperatorMember.objects.create(operator=operator, user=actor, role=OperatorMember.Role.OWNER)
    Claim.objects.create(
        operator=operator,
        user=actor,
        region_id=operator.region_id,
        met_by=Claim.MetBy.PHONE,
        state=Claim.State.PROVED,
        before_json=json.dumps(before, ensure_ascii=False, default=str),
    )
    record("operator.claimed", actor=actor, target=operator, region_code=operator.region_id, by=Claim.MetBy.PHONE.value)
    operator.status, operator.due_on = Status.SUBMITTED, review_due()
    put(operator, values, {field: getattr(operator, field) for field in values}, actor)
    return operator


def met_by(
    *, name: str, region: Region, uscc: str | None = None, id_number: str = "", **_: Any
) -> tuple[Operator, Claim.MetBy] | None:
    """The one imported operator without people that a registration meets otherwise than by its phone, and by what.

    In the county of the registration only, whose reviewer decides and sees nothing of others: a number that stands in
    another is refused as any that is on file. By name unless the county has several of that name.
    """
    county = region.pk // COUNTY_WIDTH * COUNTY_WIDTH
    unclaimed = _unclaimed().filter(region_id__gte=county, region_id__lt=county + COUNTY_WIDTH)
    if uscc and (found := unclaimed.filter(uscc=uscc).first()):
        return found, Claim.MetBy.USCC
    if id_number and (found := unclaimed.filter(id_index__in=blind_indexes(id_number)).first()):
        return found, Claim.MetBy.ID_NUMBER
    alike = list(unclaimed.named(name).filter(name=name).order_by("id")[:2])
    return (alike[0], Claim.MetBy.NAME) if len(alike) == 1 else None


def ask_for(*, operator: Operator, fresh: Operator, actor: User, by: Claim.MetBy) -> Claim:
    """Put before the county that a new registration may be what an import put on file; in the caller's transaction."""
    claim = Claim.objects.create(
        operator=operator,
        fresh=fresh,
        user=actor,
        region_id=operator.region_id,
        met_by=by,
        state=Claim.State.WAITING,
        due_on=review_due(),
    )
    record("operator.claim_asked", actor=actor, target=operator, region_code=operator.region_id, by=by.value)
    return claim


@transaction.atomic
def decide_claim(*, claim: Claim, decision: Decision, actor: User, reason: str) -> Claim:
    """Merge the new registration into what was imported, which is its person's then; or say why it is another.

    Refuses `already_decided`, `outside_area`, `already_claimed` (somebody took it meanwhile), `reason_missing`,
    `text_too_long`, and what `merge_operators` does.
    """
    # Both before the claim, in the order of their keys, as who merges or reviews one of them does.
    keys = [key for key in (claim.operator_id, claim.fresh_id) if key]
    held = {one.pk: one for one in Operator.objects.select_for_update().filter(pk__in=keys).order_by("pk")}
    operator = held[claim.operator_id]
    claim = Claim.objects.select_for_update(of=("self",)).select_related("operator", "fresh").get(pk=claim.pk)
    check_area(claim.region_id, actor, Action.REVIEW_OPERATORS)
    if claim.state != Claim.State.WAITING or claim.fresh is None:
        raise Refused("already_decided", f"这个认领现在是“{claim.get_state_display()}”，不用再核实")
    note = checked_reason(reason, told="请写明怎么核实的")
    if decision is Decision.APPROVE:
        # It may have moved to another county since.
        check_area(held[claim.fresh.pk].region_id, actor, Action.REVIEW_OPERATORS)
        if operator.members.open().exists():
            raise Refused("already_claimed", "这个主体已经由别人认领，请写明原因，按新登记审核")
        merge_operators(operator=claim.fresh, into=operator, reason=note, actor=actor)
        claim.refresh_from_db()
    claim.state = Claim.State.APPROVED if decision is Decision.APPROVE else Claim.State.RETURNED
    claim.decided_by, claim.decided_at, claim.note = actor, timezone.now(), note
    claim.save(update_fields=["state", "decided_by", "decided_at", "note"])
    done = "operator.claim_approved" if decision is Decision.APPROVE else "operator.claim_returned"
    record(done, actor=actor, target=operator, region_code=operator.region_id, reason=note)
    tell_claim_decided(claim=claim, actor=actor)
    return claim


def without(inputs: dict[str, Any], met: Operator) -> dict[str, Any]:
    """The inputs of a new registration without the numbers that stand on the imported operator already."""
    same: dict[str, Any] = {}
    if inputs.get("uscc") and inputs["uscc"] == met.uscc:
        same["uscc"] = None
    if inputs.get("id_number") and inputs["id_number"] == met.id_number:
        same["id_number"] = ""
    return inputs | same


def _unclaimed() -> OperatorQuerySet:
    acting = OperatorMember.objects.open().filter(operator=OuterRef("pk"))
    return Operator.objects.filter(~Exists(acting), status=Status.IMPORTED)
