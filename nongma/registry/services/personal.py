"""Looking at an operator's personal data, on record."""

from dataclasses import dataclass

from django.db import transaction

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.registry.models import Operator


@dataclass(frozen=True)
class Contact:
    """An operator's personal data in full; ID number and addresses masked unless `is_whole`."""

    contact: str
    phone: str
    id_number: str
    address: str
    is_whole: bool


@transaction.atomic
def reveal_contact(*, operator: Operator, actor: User, reason: str = "") -> Contact:
    """Show how to reach an operator in full; the look is audited (查看联系方式).

    Whoever doesn't review the operator says what for (`reason_missing`, `text_too_long`).
    ID number and addresses come along where a post allows those too: who collects needs to call, no more. Refuses
    `not_allowed` where none of the actor's posts allows it.
    """
    if operator.region_id not in scope_of(actor, Action.REVEAL_PERSONAL):
        raise Refused("not_allowed", "您在这个地方的职务不能看完整的联系方式")
    is_reviewer = operator.region_id in scope_of(actor, Action.REVIEW_OPERATORS)
    note = checked_reason(reason, is_needed=not is_reviewer, told="请写明为什么要看")
    details = {"reason": note} if note else {}
    record("operator.revealed", actor=actor, target=operator, region_code=operator.region_id, **details)
    is_whole = operator.region_id in scope_of(actor, Action.REVEAL_IDENTITY)
    return Contact(
        operator.contact,
        operator.phone,
        operator.id_number if is_whole else operator.masked_id_number,
        operator.address if is_whole else operator.shown_address,
        is_whole,
    )
