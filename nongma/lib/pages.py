"""Pages of a list that may be as long as a nation's: nothing is counted or leafed past the first ten thousand."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from nongma.lib.paging import COUNTED_EXACTLY, total_of

MOST_LISTED = 10_000
MOST_FOUND = 2_000
"""How many rows a search of a long table shows: the index has them in no order, each is read to be sorted."""
PAGE_SIZE = 50

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator


class CappedPaginator(AnyPaginator):
    """Pages over the first `MOST_LISTED` rows of a list; beyond that a filter is quicker than leafing.

    `found` is what is counted, `ordered` what is shown: the same rows in the order of an index, or the first
    `MOST_LISTED` of them in any other.
    """

    def __init__(
        self,
        found: QuerySet[Any],
        ordered: QuerySet[Any],
        size: int = PAGE_SIZE,
        most_counted: int = COUNTED_EXACTLY,
    ) -> None:
        super().__init__(ordered, size)
        self.found, self.most_counted = found, most_counted

    @cached_property
    def total(self) -> int:
        """How many rows there are: exact up to `most_counted`, an estimate beyond."""
        return total_of(self.found, self.most_counted)

    @cached_property
    def count(self) -> int:
        """How many rows it pages over."""
        return min(self.total, MOST_LISTED)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than it pages over."""
        return self.total > MOST_LISTED


class KeyPaginator(AnyPaginator):
    """Pages over a search of a small table: its keys in order are read once, which counts them, too; then one page."""

    def __init__(self, found: QuerySet[Any], fields: Sequence[str], related: Sequence[str]) -> None:
        keys = list(found.order_by(*fields).values_list("pk", flat=True)[: MOST_LISTED + 1])
        self.is_capped = len(keys) > MOST_LISTED
        self.rows = found.model._default_manager.select_related(*related)
        super().__init__(keys[:MOST_LISTED], PAGE_SIZE)

    def page(self, number: int | str) -> Page[Any]:
        page = super().page(number)
        rows = self.rows.in_bulk(page.object_list)
        page.object_list = [rows[key] for key in page.object_list if key in rows]
        return page


class FoundPaginator(AnyPaginator):
    """Pages over a search of a long table: the first `MOST_FOUND` that the index finds, in the order asked for."""

    def __init__(self, found: QuerySet[Any], fields: Sequence[str], related: Sequence[str]) -> None:
        keys = list(found.order_by().values_list("pk", flat=True)[: MOST_FOUND + 1])
        self.is_capped = len(keys) > MOST_FOUND
        self.count = min(len(keys), MOST_FOUND)
        rows = found.model._default_manager.filter(pk__in=keys[:MOST_FOUND])
        super().__init__(rows.order_by(*fields).select_related(*related), PAGE_SIZE)


def page_of(
    found: QuerySet[Any],
    fields: Sequence[str],
    number: Any,
    *,
    natural: Sequence[str],
    is_search: bool = False,
    is_small: bool = False,
    related: Sequence[str] = (),
) -> Page[Any]:
    """A page of the rows found, ordered by the fields.

    In the `natural` order an index gives them; any other order is over the first `MOST_LISTED` of that, and a search
    over the first `MOST_FOUND`, so that no page ever sorts more, and no more is counted than is leafed. `is_small`: of
    a table that is never long, all that is found is sorted.
    """
    if is_search:
        search = KeyPaginator if is_small else FoundPaginator
        return search(found, fields, related).get_page(number)
    ordered = found
    if not is_small and [field.removeprefix("-") for field in fields] != list(natural):
        ordered = _first(found, natural)
    shown = ordered.order_by(*fields).select_related(*related)
    return CappedPaginator(found.order_by(*natural), shown, most_counted=MOST_LISTED).get_page(number)


def _first(found: QuerySet[Any], natural: Sequence[str]) -> QuerySet[Any]:
    """The first `MOST_LISTED` rows in the natural order: up to the last of them, which the index knows."""
    last = found.order_by(*natural).values_list(*natural)[MOST_LISTED - 1 : MOST_LISTED].first()
    if last is None:
        return found
    up_to = Q()
    for place, field in enumerate(natural):
        same = Q(**dict(zip(natural[:place], last[:place], strict=True)))
        end = "lte" if place == len(natural) - 1 else "lt"
        up_to |= same & Q(**{f"{field}__{end}": last[place]})
    return found.filter(up_to, **{f"{natural[0]}__lte": last[0]})
