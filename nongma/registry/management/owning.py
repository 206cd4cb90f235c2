from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from nongma.codes.codec import decode
from nongma.registry.models import Operator, OperatorMember


def add_operator_arguments(parser: ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--operator", required=required, metavar="主体码", help="主体的 20 位码")
    parser.add_argument("--staff", action="store_true", help="员工；不写时是负责人")


def operator_and_role(options: dict[str, Any]) -> tuple[Operator, OperatorMember.Role]:
    """The operator of the printed code, and what the person is to be there."""
    serial = decode(options["operator"].replace(" ", ""))
    operator = Operator.objects.filter(serial=-1 if serial is None else serial).first()
    if operator is None:
        raise CommandError(f"没有主体 {options['operator']}")
    return operator, OperatorMember.Role.STAFF if options["staff"] else OperatorMember.Role.OWNER
