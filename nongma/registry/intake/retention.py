"""How long the uploaded sheets of operators are kept (文件保存期限)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from nongma.accounts.queries import place_by_user
from nongma.audit.services import record_many
from nongma.lib.retention import Settled, remove_old_files
from nongma.lib.sheets.counting import forget_values
from nongma.registry.intake.services import WORKING
from nongma.registry.models import Intake


def remove_old_sheets() -> int:
    """Delete the files of loads that ended `settings.KEEP_UPLOADS_DAYS` ago or earlier; how many those were.

    What was read in faulty cells goes with the file. A sheet that nobody confirmed in that time is given up.
    """
    before = timezone.now() - timedelta(days=settings.KEEP_UPLOADS_DAYS)
    return remove_old_files("intakes", before, _settle)


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
