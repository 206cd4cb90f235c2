"""What is open of an operator and ends with something else: invitations, claims, notices to put things right."""

from typing import TYPE_CHECKING

from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.masking import mask_name
from nongma.lib.reasons import LONGEST
from nongma.notices.services import withdraw
from nongma.registry.models import Claim, Invitation, Operator
from nongma.registry.telling import tell_claim_closed

if TYPE_CHECKING:
    from django.db.models import QuerySet


def settle_invitation(invitation: Invitation, state: Invitation.State) -> None:
    """Note what became of a locked invitation."""
    invitation.state, invitation.settled_at = state, timezone.now()
    invitation.save(update_fields=["state", "settled_at"])


def close_invitations(invitations: "QuerySet[Invitation]", actor: User) -> None:
    """Take back what nobody has answered, on record, and the prompt with it; the operator is locked."""
    waiting = invitations.filter(state=Invitation.State.WAITING).select_related("operator").order_by("pk")
    for one in waiting.select_for_update(of=("self",)):
        settle_invitation(one, Invitation.State.WITHDRAWN)
        withdraw(about=one.about)
        record(
            "operator.invitation_withdrawn",
            actor=actor,
            target=one.operator,
            region_code=one.operator.region_id,
            person=mask_name(one.name),
        )


def close_what_is_open(operator: Operator, reason: str, actor: User) -> None:
    """A locked operator takes part no more, for a time or for good: nobody waits for an answer that won't come.

    Invitations are taken back, claims on it answered; of a cancelled one notices to put things right are withdrawn,
    while those of a suspended one stay open until it is restored.
    """
    close_invitations(operator.invitations.all(), actor)
    note = f"主体{operator.get_status_display()}：{reason}"[:LONGEST]
    for claim in operator.claims.waiting().select_for_update(of=("self",)).select_related("operator", "fresh"):
        _return(claim, note, actor)
        tell_claim_closed(claim=claim, actor=actor)
    if operator.status != Operator.Status.CANCELLED:
        return
    # Its own people are told of the standing of theirs.
    for claim in Claim.objects.waiting().filter(fresh=operator).select_for_update(of=("self",)):
        _return(claim, note, actor)
    # The directory's services check by this package.
    from nongma.registry.directory.corrections.services import withdraw_correction

    for correction in operator.corrections.open().order_by("pk"):
        withdraw_correction(correction=correction, reason=note, actor=actor)


def _return(claim: Claim, note: str, actor: User) -> None:
    claim.state, claim.note = Claim.State.RETURNED, note
    claim.decided_by, claim.decided_at = actor, timezone.now()
    claim.save(update_fields=["state", "note", "decided_by", "decided_at"])
    record("operator.claim_closed", actor=actor, target=claim.operator, region_code=claim.region_id, reason=note)
