from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nongma.lib.refused import Refused
from nongma.origins.doubts.areas import load_areas
from nongma.origins.models import AreaLayer

SHIPPED = "water.geojson"
OBTAINED = date(2026, 11, 23)


class Command(BaseCommand):
    help = "载入水面或城区的面（GeoJSON），用来找出点在水面、城区里的记录；不写文件名，载入自带的全国大湖和水库"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="GeoJSON 文件（WGS84 多边形）")
        parser.add_argument("--kind", choices=AreaLayer.Kind.values, default="water", help="water 水面，urban 城区")
        parser.add_argument("--source", default="", help="数据来源")
        parser.add_argument("--licence", default="", help="使用许可")
        parser.add_argument("--dated", type=date.fromisoformat, help="数据日期，不知道就写取得的日期，如 2026-03-01")

    def handle(self, *args: Any, **options: Any) -> None:
        file, kind = options["file"], AreaLayer.Kind(options["kind"])
        source, licence, dated = options["source"], options["licence"], options["dated"]
        if file is None:
            if kind != AreaLayer.Kind.WATER:
                raise CommandError("没有自带的城区数据，请写文件名")
            file = settings.REFERENCE / "areas" / SHIPPED
            source, licence = "Natural Earth 1:1000 万湖泊", "公有领域"
            dated = OBTAINED
        elif dated is None:
            raise CommandError("请写数据日期，如 --dated 2026-03-01")
        try:
            layer = load_areas(file=file, kind=kind, source=source, licence=licence, dated_on=dated)
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{layer}：{layer.areas.count():,} 个面，{layer.source}，{layer.dated_on}")
