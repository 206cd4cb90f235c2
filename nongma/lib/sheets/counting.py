"""Faults of uploaded sheets as they are kept in rows: `[{field, code, message, value}]` in a column `faults`."""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class FieldFaults:
    """How many faults one column of a sheet has."""

    field: str
    count: int


def faults_by_field(table: str, upload: str, pk: int) -> list[FieldFaults]:
    """How many faults each column has, most first; `table` holds the rows of uploads, `upload` names theirs."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT fault ->> 'field', count(*) FROM {table}, jsonb_array_elements(faults) AS fault"  # noqa: S608 (our own names)
            f" WHERE {upload} = %s GROUP BY 1 ORDER BY 2 DESC, 1",
            [pk],
        )
        return [FieldFaults(*row) for row in cursor.fetchall()]


def forget_values(table: str, upload: str, pks: list[int]) -> None:
    """Take what was read in faulty cells out of the rows of some uploads; what is wrong where stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} SET faults = (
                SELECT jsonb_agg(fault - 'value' ORDER BY place)
                FROM jsonb_array_elements(faults) WITH ORDINALITY AS found (fault, place)
            ) WHERE {upload} = ANY(%s) AND faults <> '[]'
            """,  # noqa: S608 (our own names)
            [pks],
        )
