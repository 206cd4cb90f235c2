from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from nongma.accounts.management.acting import AdministratorCommand, agency_of
from nongma.accounts.models import Role, User
from nongma.accounts.services import appoint, create_user, random_password
from nongma.registry.management.owning import add_operator_arguments, operator_and_role
from nongma.registry.services import add_member


class Command(AdministratorCommand):
    """Enter a person, with a first post at an agency or as a person of an operator."""

    help = "建立账号：机构人员（--agency --region --role）或主体人员（--operator）；初始密码只显示这一次"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名")
        parser.add_argument("--name", required=True, help="姓名")
        parser.add_argument("--agency", help="机构名称")
        parser.add_argument("--region", type=int, help="机构的行政区划代码（12 位）")
        parser.add_argument("--role", choices=[role for role in Role.values if role != Role.OPERATOR], help="角色")
        add_operator_arguments(parser, required=False)

    def act(self, actor: User, options: dict[str, Any]) -> str:
        post = [options["agency"], options["region"], options["role"]]
        if options["operator"] and any(one is not None for one in post):
            raise CommandError("主体人员不在机构任职：--operator 不能和 --agency、--region、--role 一起用")
        if not options["operator"] and None in post:
            raise CommandError("机构人员要写 --agency、--region 和 --role，主体人员要写 --operator")
        password = random_password()
        with transaction.atomic():
            where = _join(actor, options, password) if options["operator"] else _employ(actor, options, password)
        return f"已建立 {where} {options['username']}，初始密码（只显示这一次，第一次登录要换成自己的）：{password}"


def _employ(actor: User, options: dict[str, Any], password: str) -> str:
    agency = agency_of(options["agency"], options["region"])
    role = Role(options["role"])
    user = create_user(
        username=options["username"],
        name=options["name"],
        password=password,
        actor=actor,
        agency=agency,
    )
    appoint(user=user, agency=agency, role=role, actor=actor)
    return f"{agency} {role.label}"


def _join(actor: User, options: dict[str, Any], password: str) -> str:
    operator, role = operator_and_role(options)
    user = create_user(
        username=options["username"],
        name=options["name"],
        password=password,
        actor=actor,
        operator_place=operator.region_id,
    )
    add_member(operator=operator, user=user, actor=actor, role=role)
    return f"{operator} {role.label}"
