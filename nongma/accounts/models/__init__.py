"""Agencies, people, their posts and accounts; one module for each noun."""

from nongma.accounts.models.agencies import Agency, AgencyQuerySet, ContactState, Department
from nongma.accounts.models.authenticators import Authenticator
from nongma.accounts.models.contacts import Contact
from nongma.accounts.models.handouts import Handout, HandoutRow, UsernameSeries
from nongma.accounts.models.keys import IdempotencyKey
from nongma.accounts.models.people import (
    Membership,
    MembershipQuerySet,
    Role,
    Standing,
    User,
    UserManager,
    UserQuerySet,
)
from nongma.accounts.models.recovery import RecoveryCode
from nongma.accounts.models.rollout import Attendance, Figures, Target, Training
from nongma.accounts.models.sessions import Session
from nongma.accounts.models.third_parties import Authorisation, AuthorisedTown, ThirdParty

__all__ = [
    "Agency",
    "AgencyQuerySet",
    "Attendance",
    "Authenticator",
    "Authorisation",
    "AuthorisedTown",
    "Contact",
    "ContactState",
    "Department",
    "Figures",
    "Handout",
    "HandoutRow",
    "IdempotencyKey",
    "Membership",
    "MembershipQuerySet",
    "RecoveryCode",
    "Role",
    "Session",
    "Standing",
    "Target",
    "ThirdParty",
    "Training",
    "User",
    "UserManager",
    "UserQuerySet",
    "UsernameSeries",
]
