from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand

ROOMS = ("regions", "catalogue", "registry", "certificates")


class Command(BaseCommand):
    """Load the reference data that ships with the platform; loading it again changes only what changed."""

    help = "载入行政区划、产品、禁限用清单、规模标准和合格证样式"

    def handle(self, *args: Any, **options: Any) -> None:
        for room in ROOMS:
            if find_spec(f"nongma.{room}.loading"):
                summary = import_module(f"nongma.{room}.loading").load()
                self.stdout.write(f"{room}: {summary}")
