"""Who hands out which account (账号逐级分配), and who may take it back: the rules, apart from what a role may do.

A 监管 agency's administrator is named by the level above; that of a 监测 or 执法 agency by the 监管 agency of its
level; all accounts of 乡镇 and village stations also by the county; everybody else by the agency's own administrator.
Where the agency that should do it has no administrator, the next one above does. Whoever is above may take back.
Source: 湘农发〔2018〕154号, 一; 粤农农办〔2018〕42号, 三（一）.
"""

import sys
from collections.abc import Iterable, Sequence

from nongma.accounts.models import Agency, Department, Role, User
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.regions.spans import ancestors_of

Kind, Level = Agency.Kind, Region.Level

HELD: dict[Agency.Kind, tuple[Role, ...]] = {
    Kind.SUPERVISION: (Role.ADMINISTRATOR, Role.REVIEWER, Role.COLLECTOR, Role.ANALYST, Role.BRAND),
    Kind.MONITORING: (Role.ADMINISTRATOR, Role.LABORATORY, Role.ANALYST),
    Kind.ENFORCEMENT: (Role.ADMINISTRATOR, Role.OFFICER, Role.ANALYST),
}
LOWEST = {Role.REVIEWER: Level.COUNTY, Role.BRAND: Level.COUNTY}


def roles_held_by(agency: Agency) -> tuple[Role, ...]:
    """The roles that an agency of this kind and level has: nobody hands out others there."""
    return tuple(role for role in HELD[Kind(agency.kind)] if agency.level <= LOWEST.get(role, Level.VILLAGE))


def parent_for(region: Region, kind: Agency.Kind, among: Iterable[Agency] | None = None) -> Agency | None:
    """The 监管 agency that hands out the account of an agency of that division and kind; None at the very top.

    Of several in one division the one of 质量安全, then the oldest. `among`: the 监管 agencies of those divisions, from
    whoever has them at hand, some of them perhaps not saved yet.
    """
    above = {0, *ancestors_of(region.code)} - ({region.code} if kind == Kind.SUPERVISION else set())
    if kind != Kind.SUPERVISION:
        above.add(region.code)
    if among is None:
        among = Agency.objects.filter(region_id__in=above, kind=Kind.SUPERVISION, suspended_at=None)
    found = [one for one in among if one.region_id in above and not one.is_suspended]
    return min(
        found,
        key=lambda one: (-one.level, one.department != Department.QUALITY_SAFETY, one.pk or sys.maxsize),
        default=None,
    )


def grantors_of(agency: Agency, chain: Sequence[Agency] | None = None) -> list[Agency]:
    """The agencies whose administrator hands out accounts of this one from outside, nearest first; none at the top.

    The nearest above that has an administrator at work; of a 乡镇 or village station also the nearest county or above.
    `chain`: the agencies above, nearest first, with their administrators, from whoever has them at hand.
    """
    manned = [one for one in (_above(agency) if chain is None else chain) if _is_manned(one)]
    nearest = manned[:1]
    if _is_station(agency):
        county = [one for one in manned if one.level <= Level.COUNTY][:1]
        nearest += [one for one in county if one is not nearest[0]]
    return nearest


def roles_grantable(actor: User, agency: Agency, chain: Sequence[Agency] | None = None) -> list[Role]:
    """The roles that the person may hand out at an agency; an empty list outside the own remit."""
    own = any(one.pk == agency.pk for one in actor.administers)
    grantors = grantors_of(agency, chain)
    named = {one.pk for one in grantors}
    above = any(one.pk in named for one in actor.administers)
    if above and _is_station(agency):
        return list(roles_held_by(agency))
    return [
        role
        for role in roles_held_by(agency)
        if (above or (own and not grantors) if role == Role.ADMINISTRATOR else own)
    ]


def roles_open(actor: User, agency: Agency) -> list[Role]:
    """The roles that the person may hand out now: that of administrator only while nobody has it."""
    roles = roles_grantable(actor, agency)
    return [role for role in roles if role != Role.ADMINISTRATOR or agency.administrator_id is None]


def check_grant(actor: User, agency: Agency, role: Role, chain: Sequence[Agency] | None = None) -> None:
    """Refuses `role_not_held`, `outside_area` and `not_grantor` (says who hands it out)."""
    if role not in roles_held_by(agency):
        raise Refused("role_not_held", f"{agency.get_kind_display()}机构在这一级没有“{role.label}”", field="role")
    if role in roles_grantable(actor, agency, chain):
        return
    if not oversees(actor, agency):
        raise Refused("outside_area", "这个机构不归您管理", field="agency")
    if role == Role.ADMINISTRATOR:
        grantors = "、".join(one.name for one in grantors_of(agency, chain)) or "上级机构"
        raise Refused("not_grantor", f"{agency}的平台管理员由{grantors}任命", field="role")
    raise Refused("not_grantor", f"{agency}的人员由本机构的平台管理员办理", field="role")


def oversees(actor: User, agency: Agency) -> bool:
    """Whether the agency's accounts are in the person's care, as an administrator of it or from above."""
    return any(one.oversees(agency) for one in actor.administers)


def check_take_back(actor: User, agency: Agency, role: Role) -> None:
    """Whoever is above may end any post; the own administrator all but that of administrator.

    Refuses `outside_area` and `not_grantor`.
    """
    if not oversees(actor, agency):
        raise Refused("outside_area", "这个机构不归您管理", field="agency")
    if role not in roles_grantable(actor, agency) and level_over(actor, agency) is None:
        raise Refused("not_grantor", f"{agency}的平台管理员由上级机构办理", field="role")


def has_area(actor: User, region_code: int) -> bool:
    """Whether operators' people of a division are in the person's care: as administrator of a 监管 agency over it."""
    return any(one.kind == Kind.SUPERVISION and region_code in one.span for one in actor.administers)


def level_over(actor: User, agency: Agency) -> int | None:
    """The highest level from which the person oversees an agency that is not the own one; None without such."""
    levels = [one.level for one in actor.administers if one.pk != agency.pk and one.oversees(agency)]
    return min(levels, default=None)


def _above(agency: Agency) -> list[Agency]:
    """The chain of agencies that hand out accounts, nearest first, with their administrators; one query."""
    if agency.parent_id is None:
        return []
    related = ["__".join([*["parent"] * depth, "administrator"]) for depth in range(Level.VILLAGE + 1)]
    one: Agency | None = Agency.objects.select_related(*related).get(pk=agency.parent_id)
    chain = []
    while one is not None:
        chain.append(one)
        one = one.parent if one.parent_id else None
    return chain


def _is_manned(agency: Agency) -> bool:
    person = agency.administrator
    return not agency.is_suspended and person is not None and person.is_active and person.suspended_at is None


def _is_station(agency: Agency) -> bool:
    return agency.kind == Kind.SUPERVISION and agency.level >= Level.TOWN
