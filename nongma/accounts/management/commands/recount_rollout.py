from typing import Any

from django.core.management.base import BaseCommand

from nongma.accounts.rollout.figures import recount_all


class Command(BaseCommand):
    help = "重新统计推广进度的全部数字（平时随每次变动自动统计，恢复备份或手工改库后用）"

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"统计了 {recount_all():,} 个地方")
