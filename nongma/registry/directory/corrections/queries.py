"""Reading notices to put a record right: the officer's list, one notice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.core.paginator import Page
from django.shortcuts import get_object_or_404
from django.utils import timezone

from nongma.accounts.models import User
from nongma.lib.pages import page_of
from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE, NOWHERE, Span
from nongma.registry.directory.corrections.forms import CorrectionFilterForm
from nongma.registry.models import Correction
from nongma.registry.models.corrections import CorrectionQuerySet

NATURAL = ("region_id", "id")
DUE = ("due_on", "id")


@dataclass(frozen=True)
class CorrectionFilter:
    """Which notices are meant; without any condition, all of them."""

    state: str = ""
    matter: str = ""
    region: Span = EVERYWHERE
    sending: UUID | None = None

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> tuple[Self, CorrectionFilterForm]:
        """The filter that a query string asks for, and its form; what makes no sense is found nowhere."""
        form = CorrectionFilterForm(parameters)
        if not form.is_valid():
            return cls(region=NOWHERE), form
        chosen = form.cleaned_data
        region: Region | None = chosen["region"]
        span = region.span if region else EVERYWHERE
        return cls(chosen["state"], chosen["matter"], span, chosen["sending"]), form

    def apply(self, notices: CorrectionQuerySet) -> CorrectionQuerySet:
        """The notices of the queryset that meet every condition."""
        if self.state == "overdue":
            notices = notices.open().filter(due_on__lt=timezone.localdate())
        elif self.state:
            notices = notices.filter(state=self.state)
        if self.matter:
            notices = notices.filter(matter=self.matter)
        if self.sending:
            notices = notices.filter(sending=self.sending)
        if self.region != EVERYWHERE:
            notices = notices.filter(region_id__gte=self.region.start, region_id__lte=self.region.stop)
        return notices


def correction_page(user: User, wanted: CorrectionFilter, number: Any) -> Page[Correction]:
    """A page of the notices that the user may see and that are meant, what is due first on top."""
    found = wanted.apply(Correction.objects.visible_to(user))
    return page_of(found, DUE, number, natural=NATURAL, related=("operator", "region"))


def correction_of(code: int, uid: UUID, user: User) -> Correction:
    """A notice to the operator of a serial, if the user may see it; else 404."""
    notices = Correction.objects.visible_to(user).select_related("operator", "region", "sent_by", "answered_by")
    return get_object_or_404(notices, operator__serial=code, uid=uid)
