"""Reading imports."""

from django.db import connection

from nongma.origins.models import ImportJob


def faults_by_field(job: ImportJob) -> list[tuple[str, int]]:
    """How many faults each field of an import has, most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fault ->> 'field', count(*) FROM origins_importrow, jsonb_array_elements(faults) AS fault"
            " WHERE job_id = %s GROUP BY 1 ORDER BY 2 DESC, 1",
            [job.pk],
        )
        return [(name, count) for name, count in cursor.fetchall()]
