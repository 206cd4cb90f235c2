"""How long checks of the log are kept (核对记录保存期限); the log and its seals are kept for good."""

from django.conf import settings

from nongma.audit.checking import last_check
from nongma.audit.models import Check
from nongma.lib.retention import days_ago, delete_rows


def forget_checks() -> int:
    """Delete checks that ended `settings.KEEP_JOBS_DAYS` ago or earlier, but for the newest; how many."""
    newest = last_check()
    old = Check.objects.filter(finished_at__lt=days_ago(settings.KEEP_JOBS_DAYS))
    return delete_rows(old.exclude(pk=newest.pk) if newest else old, by=["finished_at"])
