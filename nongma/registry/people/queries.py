"""Reading who acts for an operator, who is asked to, and what a person is asked."""

from dataclasses import dataclass
from uuid import UUID

from django.shortcuts import get_object_or_404

from nongma.accounts.models import User
from nongma.lib.masking import mask_name
from nongma.registry.models import Invitation, Operator, OperatorMember
from nongma.registry.names import public_name
from nongma.registry.services.members import false_claim

Role = OperatorMember.Role


@dataclass(frozen=True)
class People:
    """Who acts for an operator now, who did, and whose answer is waited for."""

    members: list[OperatorMember]
    earlier: list[OperatorMember]
    invitations: list[Invitation]
    claimants: set[int]
    """Of the members, whose claim is taken back when an agency ends them."""


def people_of(operator: Operator) -> People:
    """The people of an operator; `services.MOST_PEOPLE` bounds who acts now."""
    shown = list(operator.members.select_related("user", "ended_by").order_by("-to_at", "id"))
    return People(
        [one for one in shown if one.to_at is None],
        [one for one in shown if one.to_at],
        list(operator.invitations.waiting().select_related("invited_by")),
        {one.pk for one in shown if one.to_at is None and one.role == Role.OWNER and false_claim(operator, one)},
    )


@dataclass(frozen=True)
class Asked:
    """An invitation as it is shown to whoever has the phone, which may be mistyped: names of persons masked."""

    invitation: Invitation
    operator: str
    place: str
    kinds: str
    by: str


def invitations_to(user: User) -> list[Asked]:
    """What a person is asked to agree to, by the phone that the person has proved."""
    found = Invitation.objects.asking(user).select_related("operator__region", "invited_by__agency")
    return [
        Asked(
            one,
            public_name(one.operator),
            one.operator.region.full_name,
            one.operator.kind_names,
            one.invited_by.agency.name if one.invited_by.agency else mask_name(one.invited_by.name),
        )
        for one in found
    ]


def invitation_to(user: User, uid: UUID) -> Invitation:
    """One to the person by its number, answered or not; else 404."""
    return get_object_or_404(Invitation.objects.sent_to(user), uid=uid)


def invitation_of(operator: Operator, uid: UUID) -> Invitation:
    """An invitation of an operator by its number; else 404."""
    return get_object_or_404(operator.invitations, uid=uid)


def member_of(operator: Operator, uid: UUID) -> OperatorMember:
    """A person of an operator, of now or earlier, by the number of the membership; else 404."""
    return get_object_or_404(operator.members.select_related("user"), uid=uid)
