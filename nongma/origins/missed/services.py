"""Excusing who need not be collected (免采)."""

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.origins.models import Missed


@transaction.atomic
def waive(*, missed: Missed, reason: str, actor: User) -> Missed:
    """Note that an operator's product need not be collected: for its own table, or given up; until it is taken back.

    Refuses `outside_area`, `already_waived`, `reason_missing`, `text_too_long`.
    """
    held = _held(missed, actor)
    if held.waived_at:
        raise Refused("already_waived", f"已经免采：{held.waived_for}")
    held.waived_for = checked_reason(reason, told="请写明为什么不用采集，如：自家吃，不卖")
    held.waived_at, held.waived_by = timezone.now(), actor
    return _save(held, "missed.waived", actor, reason=held.waived_for)


@transaction.atomic
def take_waiver_back(*, missed: Missed, actor: User) -> Missed:
    """Note that it has to be collected after all. Refuses `outside_area`, `not_waived`."""
    held = _held(missed, actor)
    if held.waived_at is None:
        raise Refused("not_waived", "没有免采")
    held.waived_at, held.waived_by, held.waived_for = None, None, ""
    return _save(held, "missed.waiver_taken_back", actor)


def _held(missed: Missed, actor: User) -> Missed:
    held = Missed.objects.select_for_update(of=("self",)).select_related("operator", "product").get(pk=missed.pk)
    if held.region_id not in scope_of(actor, Action.REVIEW_ORIGINS):
        raise Refused("outside_area", "这个主体不在您的审核范围内")
    return held


def _save(held: Missed, action: str, actor: User, **details: str) -> Missed:
    held.save(update_fields=["waived_at", "waived_by", "waived_for"])
    record(action, actor=actor, target=held.operator, region_code=held.region_id, product=held.product.name, **details)
    return held
