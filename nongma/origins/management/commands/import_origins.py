import argparse
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nongma.accounts.models import User
from nongma.lib.refused import Refused
from nongma.origins.importing.form import FIELD_LABELS
from nongma.origins.models import ImportJob
from nongma.origins.services.imports import run_import, submit_import

FAULTY = 2


class Command(BaseCommand):
    """Import an official form at once, as the person named, and print what became of its rows."""

    help = "导入《重点农产品产地溯源信息采集表》（.xlsx、.xls、.csv）。退出码：0 全部通过，2 有错误的行，1 没有导入"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="采集表文件")
        parser.add_argument("--user", required=True, help="以谁的身份导入（用户名）")
        parser.add_argument("--faults", type=int, default=20, help="打印前几处错误（默认 20）")
        parser.formatter_class = argparse.RawDescriptionHelpFormatter

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"没有“{options['user']}”这个用户")
        path: Path = options["file"]
        try:
            with path.open("rb") as handle:
                job = submit_import(file=File(handle, name=path.name), filename=path.name, actor=user)
        except OSError as error:
            raise CommandError(f"读不到 {path}：{error.strerror}") from None
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        run_import(job.uid, progress=self._show)
        self.stderr.write("")
        job.refresh_from_db()
        self._report(job, options["faults"])
        if job.status == ImportJob.Status.FAILED:
            raise CommandError(job.message)
        if job.rejected:
            raise SystemExit(FAULTY)

    def _show(self, job: ImportJob) -> None:
        done = job.accepted + job.to_locate + job.unchanged + job.rejected
        self.stderr.write(f"\r已处理 {done:,} / 约 {job.total:,} 行", ending="")
        self.stderr.flush()

    def _report(self, job: ImportJob, most: int) -> None:
        self.stdout.write(
            f"共 {job.total} 行：通过 {job.accepted}，待定位 {job.to_locate}，已有 {job.unchanged}，有误 {job.rejected}"
        )
        shown = 0
        for row in job.rows.order_by("row")[:most]:
            for fault in row.faults:
                label = FIELD_LABELS.get(fault["field"], fault["field"])
                self.stdout.write(f"  第 {row.row} 行 {label}：{fault['message']}")
                shown += 1
        if job.rejected > most:
            self.stdout.write(f"  …… 其余见导入页面（{shown} 处已列出）")
