"""Every write of this room."""

from nongma.registry.services.bases import add_base
from nongma.registry.services.checks import Point
from nongma.registry.services.members import add_member
from nongma.registry.services.personal import MOST_EXPORTED, Contact, export_operators, reveal_contact
from nongma.registry.services.registering import change_operator, register_operator
from nongma.registry.services.reviewing import Decision, review_operator

__all__ = [
    "MOST_EXPORTED",
    "Contact",
    "Decision",
    "Point",
    "add_base",
    "add_member",
    "change_operator",
    "export_operators",
    "register_operator",
    "reveal_contact",
    "review_operator",
]
