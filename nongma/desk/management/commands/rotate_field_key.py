from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nongma.lib import rotation
from nongma.lib.refused import Refused


class Command(BaseCommand):
    """Change the key of personal data at rest; run again after a cut it goes on where it was."""

    help = "轮换字段密钥：新密钥写入，已存的数据逐批改用新密钥"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drop-old", action="store_true", help="没有数据再用旧密钥时，删除旧密钥；不另做新密钥")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["drop_old"]:
                rotation.check_settled()
            elif rotation.begin():
                self.stdout.write("已加入新密钥，新数据用它写入")
            left = rotation.write_anew(lambda name, done: self.stdout.write(f"{name}: {done}"))
            if left:
                raise CommandError(f"还有 {left} 处用旧密钥，旧密钥保留；请再运行一次")
            self.stdout.write("没有数据再用旧密钥")
            if options["drop_old"]:
                rotation.drop_old()
                self.stdout.write("已删除旧密钥")
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
