"""What is open of an operator and ends with something else: invitations that nobody has answered."""

from django.db.models import QuerySet
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib.masking import mask_name
from nongma.notices.services import withdraw
from nongma.registry.models import Invitation


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
