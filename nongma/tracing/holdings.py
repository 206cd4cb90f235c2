"""What operators hold under a printed code: lots and certificates, with `operator`, `region` and `serial`."""

from typing import Self, TypeVar

from django.db import models

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.codes.codec import decode
from nongma.lib.pages import MOST_LISTED
from nongma.lib.sorting import Sorting
from nongma.regions.spans import Span
from nongma.registry.models import OperatorMember

NEWEST_FIRST = "-new"

Held = TypeVar("Held", bound=models.Model)


class HoldingQuerySet(models.QuerySet[Held]):
    """The reach that lots and certificates share."""

    def visible_to(self, user: User) -> Self:
        """Those that the user may see: of the area of the user's posts, or of the user's own operators."""
        return self.editable_by(user) if user.is_operator else self.filter(scope_of(user).query("region_id"))

    def editable_by(self, user: User) -> Self:
        """Those that the user may change: of the user's own operators."""
        return self.filter(operator__in=OperatorMember.objects.operators_of(user))

    def within(self, span: Span | None) -> Self:
        """Those of an area; all of them without one."""
        return self.filter(region_id__gte=span.start, region_id__lte=span.stop) if span else self

    def in_order(self, sorting: Sorting) -> Self:
        """In the order asked for: newest first is the index's own.

        Any other order is over the newest `MOST_LISTED`, so that no page sorts more.
        """
        newest = self.order_by("-id")
        if sorting.chosen == NEWEST_FIRST:
            return newest
        return type(self)(self.model).filter(pk__in=newest[:MOST_LISTED].values("pk")).order_by(*sorting.fields)

    def coded(self, code: str) -> Self:
        """The one that a printed code stands for; none for a false code."""
        serial = decode(code)
        return self.none() if serial is None else self.filter(serial=serial)
