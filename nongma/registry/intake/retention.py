"""How long uploaded sheets of operators, and what became of their rows, are kept (文件和逐行结果的保存期限)."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from nongma.accounts.queries import place_by_user
from nongma.audit.services import record_many
from nongma.lib.retention import Settled, days_ago, delete_details, remove_old_files
from nongma.lib.sheets.counting import forget_values
from nongma.registry.intake.services import WORKING
from nongma.registry.models import Intake, IntakeRow


def remove_old_sheets() -> int:
    """Delete the files of loads that ended `settings.KEEP_UPLOADS_DAYS` ago or earlier; how many those were.

    What was read in faulty cells goes with the file. A sheet that nobody confirmed in that time is given up.
    """
    return remove_old_files("intakes", days_ago(settings.KEEP_UPLOADS_DAYS), _settle)


def forget_rows() -> int:
    """Delete what became of the rows of loads that ended `settings.KEEP_JOBS_DAYS` ago; how many rows.

    The load stays with its counts, and with what it put on file.
    """
    old = Intake.objects.filter(finished_at__lt=days_ago(settings.KEEP_JOBS_DAYS))
    return delete_details(old, lambda jobs: IntakeRow.objects.filter(intake__in=jobs), by=["intake_id", "row"])


@transaction.atomic
def _settle(uids: set[UUID], before: datetime) -> Settled:
    intakes = list(Intake.objects.select_for_update(no_key=True).order_by("pk").filter(uid__in=uids))
    over = [one for one in intakes if one.status not in WORKING and (one.finished_at or one.created_at) < before]
    kept = [one for one in over if one.file]
    pks = [one.pk for one in kept]
    Intake.objects.filter(pk__in=pks).update(file="")
    Intake.objects.filter(pk__in=pks, status=Intake.Status.READY).update(status=Intake.Status.DROPPED)
    forget_values("registry_intakerow", "intake_id", pks)
    places = place_by_user({one.user_id for one in kept})
    record_many(
        "intake.file_removed",
        actor=None,
        targets=[("intake", str(one.uid), places.get(one.user_id), {}) for one in kept],
    )
    return Settled({one.uid for one in intakes}, {one.uid for one in over})
