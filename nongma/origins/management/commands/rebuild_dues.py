from typing import Any

from django.core.management.base import BaseCommand

from nongma.origins.due.sweeping import run_sweeps, sweep
from nongma.regions.spans import EVERYWHERE


class Command(BaseCommand):
    """Bring every record on file into the collection calendar, after a bulk load or when a date is in doubt.

    It goes on where it was cut off; dues that are true already stay as they are.
    """

    help = "重新核对采集日历：全部现行产地信息"

    def handle(self, *args: Any, **options: Any) -> None:
        sweep(EVERYWHERE.start)
        self.stdout.write(f"采集日历已重新核对：{run_sweeps():,} 条产地信息")
