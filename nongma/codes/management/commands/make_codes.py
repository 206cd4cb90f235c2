"""`nongma make-codes`: item codes of a lot, to a file for the printer."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nongma.codes.files import Format, write_item_codes
from nongma.lib.refused import Refused

REPORT_SECONDS = 1.0


class Command(BaseCommand):
    help = "给一个批次生成单品码，写入文件（每行一个）。文件写完整之后才出现；已有的文件不会被覆盖。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, required=True, help="码的数量，如 1000000")
        parser.add_argument("--subject", required=True, metavar="LOT", help="批次码（20 位数字）")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="写入的文件")
        parser.add_argument(
            "--format",
            choices=[one.value for one in Format],
            default=Format.TEXT.value,
            help="txt：码；url：二维码内容；csv：带表头、可用 Excel 打开的网址（默认 txt）",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count, started = options["count"], time.perf_counter()
        reported = started

        def progress(done: int) -> None:
            nonlocal reported
            if time.perf_counter() - reported >= REPORT_SECONDS:
                reported = time.perf_counter()
                self.stdout.write(f"{done} / {count}（{done * 100 // count}%）")

        try:
            write_item_codes(
                lot_code=options["subject"],
                count=count,
                path=options["out"],
                file_format=Format(options["format"]),
                actor=None,
                progress=progress,
            )
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{options['out']}：{count} 个码，用时 {time.perf_counter() - started:.1f} 秒")
