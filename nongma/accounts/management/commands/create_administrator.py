import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from nongma.accounts.models import Agency, Role
from nongma.accounts.services import appoint, create_agency, create_user
from nongma.lib.refused import Refused
from nongma.regions.models import Region


class Command(BaseCommand):
    """Make the first administrator of a place; everybody else is appointed by administrators."""

    help = "建立一个地方的第一位平台管理员（密码问两遍，或来自环境变量 NONGMA_ADMINISTRATOR_PASSWORD）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="用户名")
        parser.add_argument("--name", required=True, help="姓名")
        parser.add_argument("--region", type=int, default=0, help="行政区划代码（12 位），默认 0：全国")
        parser.add_argument("--agency", help="机构名称；没有时按行政区划起名")

    def handle(self, *args: Any, **options: Any) -> None:
        region = Region.objects.filter(pk=options["region"]).first()
        if region is None:
            raise CommandError(f"没有行政区划 {options['region']}")
        try:
            self._create(region, options)
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"已建立 {region} 的平台管理员 {options['username']}")

    @transaction.atomic
    def _create(self, region: Region, options: dict[str, Any]) -> None:
        kind = Agency.Kind.SUPERVISION
        title = options["agency"] or f"{region.name}农产品质量安全监管机构"
        agency = Agency.objects.filter(region=region, kind=kind, name=title).first()
        if agency is None:
            agency = create_agency(name=title, region=region, kind=kind, actor=None)
        user = create_user(
            username=options["username"],
            name=options["name"],
            password=os.environ.get("NONGMA_ADMINISTRATOR_PASSWORD") or _asked(),
            actor=None,
            agency=agency,
        )
        appoint(user=user, agency=agency, role=Role.ADMINISTRATOR, actor=None)


def _asked() -> str:
    password = getpass.getpass("密码：")
    if password != getpass.getpass("再输一遍："):
        raise CommandError("两次输入的密码不一样")
    return password
