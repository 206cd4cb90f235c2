"""The registry's records."""

from nongma.registry.models.bases import Base, Plot
from nongma.registry.models.certifications import Certification
from nongma.registry.models.claims import Claim
from nongma.registry.models.corrections import Correction
from nongma.registry.models.directory import (
    DirectoryCount,
    DirectoryEntry,
    DirectoryMark,
    DirectorySweep,
    DirectoryTerms,
    Expected,
    ScaleRule,
    Uncoded,
)
from nongma.registry.models.intake import Intake, IntakeOperator, IntakeRow
from nongma.registry.models.invitations import Invitation
from nongma.registry.models.operators import (
    COUNTY_WIDTH,
    NOT_TRADING,
    PERSONS,
    Operator,
    OperatorKind,
    OperatorMember,
    OperatorQuerySet,
)
from nongma.registry.models.revisions import Revision
from nongma.registry.models.self_registration import Draft, KnownTry, Licence, PhoneCode, Produce
from nongma.registry.models.sendings import Sending

__all__ = [
    "COUNTY_WIDTH",
    "NOT_TRADING",
    "PERSONS",
    "Base",
    "Certification",
    "Claim",
    "Correction",
    "DirectoryCount",
    "DirectoryEntry",
    "DirectoryMark",
    "DirectorySweep",
    "DirectoryTerms",
    "Draft",
    "Expected",
    "Intake",
    "IntakeOperator",
    "IntakeRow",
    "Invitation",
    "KnownTry",
    "Licence",
    "Operator",
    "OperatorKind",
    "OperatorMember",
    "OperatorQuerySet",
    "PhoneCode",
    "Plot",
    "Produce",
    "Revision",
    "ScaleRule",
    "Sending",
    "Uncoded",
]
