"""Reading operators: the list that stays fast on millions, one record with what belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.core.paginator import Page
from django.shortcuts import get_object_or_404

from nongma.accounts.models import User
from nongma.codes.codec import decode
from nongma.lib import phones
from nongma.lib.fields import blind_indexes
from nongma.lib.pages import page_of
from nongma.lib.sorting import Sorting
from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span
from nongma.registry import identity
from nongma.registry.forms import OperatorFilterForm
from nongma.registry.models import Operator, OperatorQuerySet

COLUMNS = {
    "region": ("region_id", "id"),
    "name": ("name", "id"),
    "status": ("status", "region_id", "id"),
    "created": ("created_at", "id"),
}


@dataclass(frozen=True)
class OperatorFilter:
    """Which operators are meant; without any condition, all of them."""

    q: str = ""
    kind: str = ""
    status: str = ""
    region: Span = EVERYWHERE
    is_large: bool = False

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> tuple[Self, OperatorFilterForm]:
        """The filter that a query string asks for, and its form; what makes no sense is found nowhere."""
        form = OperatorFilterForm(parameters)
        if not form.is_valid():
            return cls(region=NOWHERE), form
        chosen = form.cleaned_data
        region: Region | None = chosen["region"]
        span = region.span if region else EVERYWHERE
        return cls(chosen["q"], chosen["kind"], chosen["status"], span, chosen["large"]), form

    def apply(self, operators: OperatorQuerySet) -> OperatorQuerySet:
        """The operators of the queryset that meet every condition."""
        if self.kind:
            operators = operators.filter(kinds__contains=[self.kind])
        if self.status:
            operators = operators.filter(status=self.status)
        if self.is_large:
            operators = operators.exclude(large_for="")
        if self.region != EVERYWHERE:
            operators = operators.filter(region_id__gte=self.region.start, region_id__lte=self.region.stop)
        return called(operators, " ".join(self.q.split())) if self.q.strip() else operators


def called(operators: OperatorQuerySet, text: str) -> OperatorQuerySet:
    """Operators by what a person types: a 主体码, a 统一社会信用代码, a whole phone number, or part of the name."""
    serial = decode(text.replace(" ", ""))
    if serial is not None:
        return operators.filter(serial=serial)
    if not identity.uscc_fault(identity.tidy(text)):
        return operators.filter(uscc=identity.tidy(text))
    if phones.is_mobile(phones.tidy(text)):
        return operators.filter(phone_index__in=blind_indexes(phones.tidy(text)))
    return operators.named(text)


def operator_page(user: User, wanted: OperatorFilter, sorting: Sorting, number: Any) -> Page[Operator]:
    """A page of the operators that the user may see and that are meant."""
    found = wanted.apply(Operator.objects.visible_to(user))
    return page_of(
        found,
        sorting.fields,
        number,
        natural=COLUMNS["region"],
        is_search=bool(wanted.q.strip()),
        related=("region",),
    )


def operator_of(code: str, user: User) -> Operator:
    """The operator of a printed code, if the user may see it; else 404."""
    serial = decode(code)
    operators = Operator.objects.visible_to(user).select_related("region", "reviewed_by", "created_by", "merged_into")
    return get_object_or_404(operators, serial=-1 if serial is None else serial)


def editable_of(code: str, user: User) -> Operator:
    """The operator of a printed code, if the user may change it; else 404."""
    operators = Operator.objects.editable_by(user).select_related("region")
    return get_object_or_404(operators, pk=operator_of(code, user).pk)


@dataclass(frozen=True)
class Dealings:
    """How much an operator has on file in the rooms above."""

    origins: int
    lots: int


def dealings_of(operator: Operator) -> Dealings:
    """Counts by the index on the operator. Reverse relations know their rooms, so nothing is imported upward."""
    return Dealings(origins=operator.origins.current().count(), lots=operator.lots.count())
