from argparse import ArgumentParser
from typing import Any

from nongma.accounts.management.acting import AdministratorCommand, person_of
from nongma.accounts.models import User
from nongma.accounts.services import remove_lost_device


class Command(AdministratorCommand):
    """Take a lost phone's one-time codes off an account."""

    help = "停用丢失手机的动态口令：以后只凭密码登录，本人可以换一部手机重新启用"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名")

    def act(self, actor: User, options: dict[str, Any]) -> str:
        user = remove_lost_device(user=person_of(options["username"]), actor=actor)
        return f"{user} 的动态口令已停用"
