from typing import Any

from django.core.management.base import BaseCommand

from nongma.origins.services.cells import rebuild_cells


class Command(BaseCommand):
    """Count every map cell anew from the origins, after a bulk load or when a number is in doubt."""

    help = "从产地溯源信息重新统计地图上的数量"

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"地图格已重新统计：{rebuild_cells()} 个")
