"""`nongma manage void_codes`: a lost or misprinted roll of labels."""

from argparse import ArgumentParser
from typing import Any

from nongma.accounts.management.acting import AdministratorCommand
from nongma.accounts.models import User
from nongma.tracing.rolls import void_roll


class Command(AdministratorCommand):
    help = "作废一个单品码所在的整个码段，如一卷丢失或印错的标签。扫其中任何一个码都会看到已作废。不能恢复。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("code", help="这一卷里的任何一个单品码（20 位数字）")
        parser.add_argument("--reason", required=True, help="作废原因")

    def act(self, actor: User, options: dict[str, Any]) -> str:
        codes = void_roll(code=options["code"], reason=options["reason"], actor=actor)
        return f"已作废 {codes.stop - codes.start} 个码"
