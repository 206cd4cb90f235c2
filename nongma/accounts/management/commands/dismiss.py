from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from nongma.accounts.management.acting import AdministratorCommand, agency_of, person_of
from nongma.accounts.models import Role, User
from nongma.accounts.services import dismiss


class Command(AdministratorCommand):
    """End a person's post (离任)."""

    help = "离任：结束一个职务，账号保留"

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
        post = user.memberships.filter(agency=agency, role=role, to_on=None).first()
        if post is None:
            raise CommandError(f"{user} 不是 {agency} 的{role.label}")
        dismiss(membership=post, actor=actor)
        return f"{user} 不再任 {agency} {role.label}"
