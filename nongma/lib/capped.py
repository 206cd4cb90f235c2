"""Pages over the first rows of a list that may hold millions."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator


class CappedPaginator(AnyPaginator):
    """Pages over the first `most` rows, which it never counts or sorts past, so that no page reads a whole table.

    `found` is what the count is taken from: the same rows without order or joins.
    """

    def __init__(self, ordered: QuerySet[Any], page_size: int, *, found: QuerySet[Any], most: int = 10_000) -> None:
        super().__init__(ordered, page_size)
        self.found, self.most = found, most

    @cached_property
    def _counted(self) -> int:
        return self.found.order_by()[: self.most + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def is_capped(self) -> bool:
        """Whether there are more than it pages over."""
        return self._counted > self.most
