"""No look reads a big table from end to end."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.origins.doubts.looking import look
from nongma.origins.doubts.marks import mark
from nongma.origins.models import ImportJob, Origin
from nongma.registry.models import Base
from nongma.testing import LI_POINT, make_origin


@pytest.fixture
def crowd(li_base: Base, cowpea: Product, wang: User) -> Origin:
    """20,000 records over the country, and one with all that rules ask of."""
    job = ImportJob.objects.create(
        user=wang, file="imports/none.xlsx", filename="表.xlsx", size_bytes=1, digest=b"1" * 32
    )
    one = make_origin(
        li_base,
        cowpea,
        collected_by=wang,
        import_job=job,
        import_row=5,
        accuracy_m=Decimal(4),
        device_longitude=LI_POINT[0],
        device_latitude=LI_POINT[1],
    )
    with connection.cursor() as cursor:
        columns = [field.column for field in Origin._meta.concrete_fields if field.column != "id"]
        given = {
            "uid": "gen_random_uuid()",
            "identity": "decode(md5(n::text), 'hex')",
            "region_id": "350000000000 + n::bigint * 1000000",
            "quadkey": "quadkey - 4000000000000 + n::bigint * 100000000",
            "operator_id": "operator_id + n %% 7000",
            "import_row": "n + 100",
            "created_at": "created_at - n * interval '1 minute'",
        }
        values = ", ".join(given.get(column, column) for column in columns)
        cursor.execute("SET LOCAL session_replication_role = replica")  # divisions that do not exist
        cursor.execute(
            f"INSERT INTO origins_origin ({', '.join(columns)})"
            f" SELECT {values} FROM origins_origin, generate_series(1, 20000) AS n WHERE id = %s",
            [one.pk],
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE origins_origin")
    return one


def test_no_look_reads_a_big_table_from_end_to_end(crowd: Origin) -> None:
    plans: list[str] = []

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if "origins_origin" in sql and "doubtmark" not in sql:
            with connection.cursor() as cursor:
                cursor.cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(line for (line,) in cursor.cursor.fetchall()))
        return execute(sql, params, many, context)

    mark([crowd.pk])
    with connection.execute_wrapper(explain):
        look()
    assert len(plans) >= 6
    for plan in plans:
        assert "Seq Scan on origins_origin" not in plan, plan
