from argparse import ArgumentParser
from typing import Any

from nongma.accounts.management.acting import AdministratorCommand, agency_of, person_of
from nongma.accounts.models import Role, User
from nongma.accounts.services import appoint


class Command(AdministratorCommand):
    """Give a person a further post (任命)."""

    help = "任命：给已有账号的人增加职务"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名")
        parser.add_argument("--agency", required=True, help="机构名称")
        parser.add_argument("--region", type=int, required=True, help="机构的行政区划代码（12 位）")
        parser.add_argument("--role", required=True, choices=Role.values, help="角色")

    def act(self, actor: User, options: dict[str, Any]) -> str:
        agency = agency_of(options["agency"], options["region"])
        role = Role(options["role"])
        user = person_of(options["username"])
        appoint(user=user, agency=agency, role=role, actor=actor)
        return f"{user} 已任 {agency} {role.label}"
