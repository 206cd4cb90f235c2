from abc import ABC, abstractmethod
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nongma.accounts.access import Action, holds
from nongma.accounts.models import Agency, Role, User
from nongma.lib.refused import Refused
from nongma.regions.models import Region


class AdministratorCommand(BaseCommand, ABC):
    """A command that an administrator of the platform gives (--as): inside that person's area, and on record."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as", dest="administrator", required=True, metavar="用户名", help="办理的平台管理员")

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["administrator"]
        actor = User.objects.filter(username=username).first()
        if actor is None or not _may_act(actor):
            raise CommandError(f"{username} 不是平台管理员")
        try:
            self.stdout.write(self.act(actor, options))
        except Refused as refusal:
            raise CommandError(refusal.message) from None

    @abstractmethod
    def act(self, actor: User, options: dict[str, Any]) -> str:
        """Do it; the answer is what to tell."""


class PostCommand(AdministratorCommand):
    """A command about a person's post: who, at which agency, in which role."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名")
        parser.add_argument("--agency", required=True, help="机构名称")
        parser.add_argument("--region", type=int, required=True, help="机构的行政区划代码（12 位）")
        parser.add_argument("--role", required=True, choices=Role.values, help="角色")

    def act(self, actor: User, options: dict[str, Any]) -> str:
        agency = agency_of(options["agency"], options["region"])
        return self.act_on(person_of(options["username"]), agency, Role(options["role"]), actor)

    @abstractmethod
    def act_on(self, user: User, agency: Agency, role: Role, actor: User) -> str:
        """Do it; the answer is what to tell."""


def region_of(code: int) -> Region:
    region = Region.objects.filter(pk=code).first()
    if region is None:
        raise CommandError(f"没有行政区划 {code}")
    return region


def person_of(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"没有用户 {username}")
    return user


def agency_of(name: str, region: int) -> Agency:
    """The agency of that name in a division."""
    found = list(Agency.objects.filter(name=name, region=region)[:2])
    if not found:
        raise CommandError(f"行政区划 {region} 没有机构“{name}”，先用 create_agency 建立")
    if len(found) > 1:
        raise CommandError(f"行政区划 {region} 有几个机构叫“{name}”")
    return found[0]


def _may_act(user: User) -> bool:
    """Whether the person may be named by `--as`; the second factor is for who signs in, a command's giver is inside."""
    return user.may_sign_in and not user.must_change_password and holds(user, Action.MANAGE_ACCOUNTS)
