"""`nongma manage void_codes`: a lost or misprinted roll of labels."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nongma.codes.codec import decode
from nongma.codes.services import find, void_range
from nongma.lib.refused import Refused


class Command(BaseCommand):
    help = "作废一个单品码所在的整个码段，如一卷丢失或印错的标签。扫其中任何一个码都会看到已作废。不能恢复。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="这一卷里的任何一个单品码（20 位数字）")
        parser.add_argument("--reason", required=True, help="作废原因")

    def handle(self, *args: Any, **options: Any) -> None:
        serial = decode(options["code"])
        codes = find(serial) if serial is not None else None
        if codes is None:
            raise CommandError("没有这个码，请核对 20 位数字")
        try:
            void_range(code_range=codes, reason=options["reason"], actor=None)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"已作废 {codes.stop - codes.start} 个码")
