"""What waits for a reviewer, and what a reviewer compares (待审核)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.core.paginator import Page
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry
from nongma.lib.masking import mask_id
from nongma.lib.pages import page_of
from nongma.regions.models import Region
from nongma.registry.inputs import INPUTS
from nongma.registry.models import NOT_TRADING, Operator, OperatorKind, Revision

DUE = ("due_on", "id")
MOST_COUNTED = 1_000


def waiting_operators(user: User) -> QuerySet[Operator]:
    """The operators that the user may decide on and that wait, none of another's area."""
    return Operator.objects.waiting().filter(scope_of(user, Action.REVIEW_OPERATORS).query("region_id"))


def waiting_revisions(user: User) -> QuerySet[Revision]:
    """The changes that the user may decide on and that wait."""
    waiting = Revision.objects.waiting().exclude(operator__status__in=NOT_TRADING)
    return waiting.filter(scope_of(user, Action.REVIEW_OPERATORS).query("region_id"))


def operators_page(user: User, number: Any) -> Page[Operator]:
    """A page of what waits, what is due first on top."""
    return page_of(waiting_operators(user), DUE, number, natural=DUE, related=("region", "created_by"))


def revisions_page(user: User, number: Any) -> Page[Revision]:
    """A page of the changes that wait, what is due first on top."""
    return page_of(waiting_revisions(user), DUE, number, natural=DUE, related=("operator", "region", "asked_by"))


def counts(user: User) -> tuple[str, str]:
    """How many operators and changes wait, in words; no more are counted than `MOST_COUNTED`."""
    return _few(waiting_operators(user)), _few(waiting_revisions(user))


def _few(waiting: QuerySet[Any]) -> str:
    count = waiting.order_by()[: MOST_COUNTED + 1].count()
    return f"{count:,}" if count <= MOST_COUNTED else f"{MOST_COUNTED:,}+"


def revision_of(operator: Operator, uid: UUID, user: User) -> Revision:
    """A change of that operator, if the user may see it; else 404."""
    revisions = Revision.objects.visible_to(user).select_related("asked_by", "decided_by")
    return get_object_or_404(revisions, operator=operator, uid=uid)


class Difference(NamedTuple):
    """What changes of one input, in words."""

    name: str
    label: str
    before: str
    after: str


def differences_of(revision: Revision) -> list[Difference]:
    """What a change is about, as most people may see it: ID numbers masked."""
    return [
        one._replace(before=mask_id(one.before), after=mask_id(one.after)) if one.name == "id_number" else one
        for one in changes_in_full([revision])[revision.pk]
    ]


def changes_in_full(revisions: Iterable[Revision]) -> dict[int, list[Difference]]:
    """What each of some changes is about, by its key, for those whom it is about: nothing masked."""
    changes = {revision.pk: (revision.before, revision.after) for revision in revisions}
    codes = {values["region"] for change in changes.values() for values in change if "region" in values}
    regions = Region.objects.in_bulk(codes)
    return {
        key: [
            Difference(name, INPUTS[name], *(_told(name, values[name], regions) for values in (before, after)))
            for name in after
        ]
        for key, (before, after) in changes.items()
    }


@dataclass(frozen=True)
class Fact:
    """One line of two records side by side."""

    label: str
    one: str
    other: str
    is_same: bool


def compared(one: Operator, other: Operator) -> list[Fact]:
    """Two operators side by side, personal data masked; whether they are the same is told by the data in full."""
    facts = [
        ("名称", one.name, other.name, one.name == other.name),
        ("主体类型", one.kind_names, other.kind_names, set(one.kinds) == set(other.kinds)),
        ("行政区划", one.region.full_name, other.region.full_name, one.region_id == other.region_id),
        ("详细地址", one.shown_address, other.shown_address, one.address == other.address),
        ("信用代码", one.uscc or "", other.uscc or "", one.uscc == other.uscc),
        ("身份证号", one.masked_id_number, other.masked_id_number, one.id_number == other.id_number),
        ("联系人", one.masked_contact, other.masked_contact, one.contact == other.contact),
        ("手机", one.masked_phone, other.masked_phone, one.phone == other.phone),
        ("所属行业", one.industry_names, other.industry_names, set(one.industries) == set(other.industries)),
        ("状态", one.get_status_display(), other.get_status_display(), one.status == other.status),
    ]
    return [
        Fact(label, mine, theirs, is_same and bool(mine)) for label, mine, theirs, is_same in facts if mine or theirs
    ]


def _told(name: str, value: Any, regions: dict[int, Region]) -> str:
    if name == "region":
        return regions[value].full_name if value in regions else f"{value:012}"
    if name == "kinds":
        return "、".join(OperatorKind(kind).label for kind in value)
    if name == "industries":
        return "、".join(Industry(industry).label for industry in value)
    return value or ""
