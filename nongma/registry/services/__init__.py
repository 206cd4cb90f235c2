"""Every write of this room."""

from nongma.registry.services.checks import Point
from nongma.registry.services.members import add_member, end_membership, hand_ownership_on
from nongma.registry.services.personal import Contact, reveal_contact
from nongma.registry.services.registering import change_operator, confirm_operator, register_operator
from nongma.registry.services.reviewing import Decision, decide_revision, review_operator, withdraw_revision
from nongma.registry.services.standing import cancel_operator, merge_operators, restore_operator, suspend_operator

__all__ = [
    "Contact",
    "Decision",
    "Point",
    "add_member",
    "cancel_operator",
    "change_operator",
    "confirm_operator",
    "decide_revision",
    "end_membership",
    "hand_ownership_on",
    "merge_operators",
    "register_operator",
    "restore_operator",
    "reveal_contact",
    "review_operator",
    "suspend_operator",
    "withdraw_revision",
]
