from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db import connection

from nongma.accounts.models import Handout, HandoutRow

ROWS_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class FieldFaults:
    """How many faults one column has."""

    field: str
    count: int


def faults_by_field(handout: Handout) -> list[FieldFaults]:
    """How many faults each column of a hand-out has, most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fault ->> 'field', count(*) FROM accounts_handoutrow, jsonb_array_elements(faults) AS fault"
            " WHERE handout_id = %s GROUP BY 1 ORDER BY 2 DESC, 1",
            [handout.pk],
        )
        return [FieldFaults(*row) for row in cursor.fetchall()]


def faulty_rows(handout: Handout, field: str, number: str | None) -> Page[HandoutRow]:
    """A page of the rows with faults, all or those of one column."""
    rows = handout.rows.exclude(faults=[]).order_by("row")
    if field:
        rows = rows.filter(faults__contains=[{"field": field}])
    return Paginator(rows, ROWS_A_PAGE).get_page(number)
