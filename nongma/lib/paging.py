"""Lists that outside programs read page by page."""

import json
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import QuerySet
from ninja import Schema
from pydantic import Field

COUNTED_EXACTLY = 50_000

Row = TypeVar("Row")


class Paging(Schema):
    """Which page of a list: `paging: Query[Paging]`."""

    page: int = Field(1, ge=1, le=100_000, description="第几页，从 1 起")
    page_size: int = Field(50, ge=1, le=200, description="每页几条，最多 200")


class Page(Schema, Generic[Row]):
    """One page of a list: `response=Page[OriginOut]`."""

    items: list[Row]
    total: int = Field(description=f"总数；超过 {COUNTED_EXACTLY} 时为估计值")
    page: int
    page_size: int


def paged(
    queryset: QuerySet[Any],
    paging: Paging,
    make: Callable[[Any], Any] | None = None,
    most_counted: int = COUNTED_EXACTLY,
) -> dict[str, Any]:
    """`{items, total, page, page_size}` of an ordered queryset; `make` turns a row into what the schema reads."""
    start = (paging.page - 1) * paging.page_size
    rows = list(queryset[start : start + paging.page_size])
    return {
        "items": [make(row) for row in rows] if make else rows,
        "total": total_of(queryset, most_counted),
        "page": paging.page,
        "page_size": paging.page_size,
    }


def total_of(queryset: QuerySet[Any], exact: int = COUNTED_EXACTLY) -> int:
    """How many rows: counted up to `exact`, beyond it the planner's estimate, so that no count reads a big table.

    A lower `exact` counts along the order of the queryset, by its index.
    """
    plain = queryset.order_by()
    counted = (queryset if exact < COUNTED_EXACTLY else plain)[: exact + 1].count()
    if counted <= exact:
        return counted
    sql, parameters = plain.values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        plan = cursor.fetchone()[0]
    if isinstance(plan, str):
        plan = json.loads(plan)
    return max(counted, int(plan[0]["Plan"]["Plan Rows"]))
