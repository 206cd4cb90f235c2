from argparse import ArgumentParser
from typing import Any

from nongma.accounts.management.acting import AdministratorCommand, region_of
from nongma.accounts.models import Agency, Department, User
from nongma.accounts.services import create_agency


class Command(AdministratorCommand):
    """Enter an agency (机构)."""

    help = "建立机构"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="机构名称")
        parser.add_argument("--region", type=int, required=True, help="行政区划代码（12 位）")
        kinds = Agency.Kind
        parser.add_argument(
            "--kind",
            choices=kinds.values,
            default=kinds.SUPERVISION.value,
            help="类别：" + "，".join(f"{kind.value} {kind.label}" for kind in kinds),
        )
        departments = "，".join(f"{one.value} {one.label}" for one in Department)
        parser.add_argument(
            "--department",
            choices=Department.values,
            default=Department.QUALITY_SAFETY.value,
            help=f"部门：{departments}",
        )

    def act(self, actor: User, options: dict[str, Any]) -> str:
        agency = create_agency(
            name=options["name"],
            region=region_of(options["region"]),
            kind=Agency.Kind(options["kind"]),
            department=Department(options["department"]),
            actor=actor,
        )
        return f"已建立机构 {agency}（{agency.region}）"
