"""How long the uploaded sheets of hand-outs, and what became of their rows, are kept (文件和逐行结果的保存期限)."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from nongma.accounts.handouts.services import UNFINISHED
from nongma.accounts.models import Handout, HandoutRow
from nongma.accounts.queries import place_by_user
from nongma.audit.services import record_many
from nongma.lib.retention import Settled, days_ago, delete_details, remove_old_files
from nongma.lib.sheets.counting import forget_values


def remove_old_sheets() -> int:
    """Delete the files of hand-outs that ended `settings.KEEP_UPLOADS_DAYS` ago or earlier; how many those were.

    What was read in faulty cells goes with the file; what is wrong where stays.
    """
    return remove_old_files("handouts", days_ago(settings.KEEP_UPLOADS_DAYS), _settle)


def forget_rows() -> int:
    """Delete what became of the rows of hand-outs that ended `settings.KEEP_JOBS_DAYS` ago; how many rows.

    The hand-out stays with its counts, the accounts that it made with the log of them.
    """
    old = Handout.objects.filter(finished_at__lt=days_ago(settings.KEEP_JOBS_DAYS))
    return delete_details(old, lambda jobs: HandoutRow.objects.filter(handout__in=jobs), by=["handout_id", "row"])


@transaction.atomic
def _settle(uids: set[UUID], before: datetime) -> Settled:
    handouts = list(Handout.objects.select_for_update(no_key=True).order_by("pk").filter(uid__in=uids))
    over = [one for one in handouts if one.status not in UNFINISHED and (one.finished_at or one.created_at) < before]
    kept = [one for one in over if one.file]
    Handout.objects.filter(pk__in=[one.pk for one in kept]).update(file="")
    forget_values("accounts_handoutrow", "handout_id", [one.pk for one in kept])
    places = place_by_user({one.user_id for one in kept})
    record_many(
        "handout.file_removed",
        actor=None,
        targets=[("handout", str(one.uid), places.get(one.user_id), {}) for one in kept],
    )
    return Settled({one.uid for one in handouts}, {one.uid for one in over})
