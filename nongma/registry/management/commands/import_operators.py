import argparse
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nongma.accounts.models import User
from nongma.lib.refused import Refused
from nongma.registry.intake.queries import faults_in_words
from nongma.registry.intake.services import run_intake, submit_intake
from nongma.registry.models import Intake

FAULTY = 2


class Command(BaseCommand):
    """Load a sheet of operators at once, as the person named, and print what became of its rows."""

    help = "批量登记主体（.xlsx、.xls、.csv），不等确认。退出码：0 没有问题，2 有有误、不同或重复的行，1 没有登记"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="主体登记表")
        parser.add_argument("--as", dest="actor", required=True, metavar="USERNAME", help="以谁的身份登记（用户名）")
        parser.add_argument("--approve", action="store_true", help="已核实，直接通过；只有审核员可以")
        parser.add_argument("--faults", type=int, default=20, help="打印前几行的问题（默认 20）")
        parser.formatter_class = argparse.RawDescriptionHelpFormatter

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(username=options["actor"], is_active=True).first()
        if actor is None:
            raise CommandError(f"没有“{options['actor']}”这个用户")
        path: Path = options["file"]
        try:
            with path.open("rb") as handle:
                intake = submit_intake(
                    file=File(handle, name=path.name),
                    filename=path.name,
                    actor=actor,
                    at_once=True,
                    approves=options["approve"],
                )
        except OSError as error:
            raise CommandError(f"读不到 {path}：{error.strerror}") from None
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        run_intake(intake.uid, progress=self._show)
        self.stderr.write("")
        intake.refresh_from_db()
        self._report(intake, options["faults"])
        if intake.status == Intake.Status.FAILED:
            raise CommandError(intake.message)
        if intake.faulty or intake.differing or intake.doubled:
            raise SystemExit(FAULTY)

    def _show(self, intake: Intake) -> None:
        self.stderr.write(f"\r已处理 {intake.done:,} / 约 {intake.total:,} 行", ending="")
        self.stderr.flush()

    def _report(self, intake: Intake, most: int) -> None:
        self.stdout.write(
            f"共 {intake.total} 行：新登记 {intake.made}，已有 {intake.unchanged}，与已有的不同 {intake.differing}，"
            f"重复 {intake.doubled}，有误 {intake.faulty}"
        )
        rows = intake.rows.exclude(faults=[]).order_by("row")
        for row in rows[:most]:
            for fault in faults_in_words(row):
                self.stdout.write(f"  第 {row.row} 行 {fault.label}：{fault.message}")
        if rows.count() > most:
            self.stdout.write("  …… 其余见批量登记页面")
