from argparse import ArgumentParser
from typing import Any

from nongma.accounts.management.acting import AdministratorCommand, person_of
from nongma.accounts.models import User
from nongma.accounts.services import deactivate_user


class Command(AdministratorCommand):
    """Close an account for good; its history stays."""

    help = "注销账号：职务结束，登录和令牌立即失效，历史记录保留"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名")
        parser.add_argument("--reason", required=True, help="原因，记入审计")

    def act(self, actor: User, options: dict[str, Any]) -> str:
        user = deactivate_user(user=person_of(options["username"]), actor=actor, reason=options["reason"])
        return f"{user} 的账号已注销"
