from argparse import ArgumentParser
from typing import Any

from nongma.accounts.management.acting import AdministratorCommand, person_of
from nongma.accounts.models import User
from nongma.accounts.services import reset_password


class Command(AdministratorCommand):
    """Give a person a new random password; every session and token of the person ends."""

    help = "重设密码：新密码只显示这一次，原来的登录和令牌立即失效"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名")

    def act(self, actor: User, options: dict[str, Any]) -> str:
        user = person_of(options["username"])
        password = reset_password(user=user, actor=actor)
        return f"{user} 的新密码（只显示这一次，下次登录要换成自己的）：{password}"
