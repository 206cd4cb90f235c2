from argparse import ArgumentParser
from typing import Any

from nongma.accounts.management.acting import AdministratorCommand, person_of
from nongma.accounts.models import User
from nongma.registry.management.owning import add_operator_arguments, operator_and_role
from nongma.registry.models import OperatorMember
from nongma.registry.services import add_member


class Command(AdministratorCommand):
    """Let a person who has an account act for an operator."""

    help = "让已有账号的人成为主体人员"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名")
        add_operator_arguments(parser, required=True)

    def act(self, actor: User, options: dict[str, Any]) -> str:
        operator, role = operator_and_role(options)
        member = add_member(operator=operator, user=person_of(options["username"]), actor=actor, role=role)
        return f"{member.user} 是 {operator} 的{OperatorMember.Role(member.role).label}"
