"""Reading imports."""

from nongma.lib.sheets.counting import FieldFaults
from nongma.lib.sheets.counting import faults_by_field as counted
from nongma.origins.models import ImportJob


def faults_by_field(job: ImportJob) -> list[FieldFaults]:
    """How many faults each field of an import has, most first."""
    return counted("origins_importrow", "job_id", job.pk)
