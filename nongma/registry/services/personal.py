"""Looking at an operator's personal data, and taking operators out as a workbook: both on record."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.audit.services import record
from nongma.lib.reasons import checked_reason
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.registry.queries import OperatorFilter

MOST_EXPORTED = 50_000


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


@transaction.atomic
def export_operators(*, wanted: OperatorFilter, reason: str, actor: User) -> Iterator[Operator]:
    """The operators meant by a filter as far as the actor may see them, for a workbook; the export is audited.

    Refuses `reason_missing` and `text_too_long` (what it is for), `too_many_rows` past `MOST_EXPORTED`,
    `nothing_found`.
    """
    note = checked_reason(reason, told="请写明导出用途")
    found = wanted.apply(Operator.objects.visible_to(actor)).order_by("region_id", "id")
    count = found.order_by()[: MOST_EXPORTED + 1].count()
    if count > MOST_EXPORTED:
        raise Refused("too_many_rows", f"一次最多导出 {MOST_EXPORTED:,} 条，请先缩小范围")
    if not count:
        raise Refused("nothing_found", "没有符合条件的主体可以导出")
    record(
        "operator.exported",
        actor=actor,
        target=actor,
        region_code=place_of(actor),
        rows=count,
        reason=note,
        kind=wanted.kind,
        status=wanted.status,
        region=wanted.region.start,
        searched=bool(wanted.q.strip()),
    )
    return found.iterator(chunk_size=2_000)
