"""The people of the demo county, 海南省三亚市崖州区: everybody signs in with the same password (演示账号)."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from nongma.accounts.models import Agency, Department, Membership, Role, User
from nongma.accounts.rollout.figures import recount
from nongma.accounts.services import create_agency
from nongma.accounts.services.posts import note_roles
from nongma.audit.services import record
from nongma.regions.models import Region

DEMO_PASSWORD = "nongma-demo"  # noqa: S105, the demo's public password
SINCE = date(2026, 1, 1)

COUNTRY, PROVINCE, CITY, COUNTY = 0, 460000000000, 460200000000, 460205000000
TOWN, VILLAGE = 460205198000, 460205198205

SUPERVISION, MONITORING, ENFORCEMENT = Agency.Kind.SUPERVISION, Agency.Kind.MONITORING, Agency.Kind.ENFORCEMENT


@dataclass(frozen=True)
class DemoAgency:
    """An agency of the demo."""

    name: str
    region: int
    kind: Agency.Kind
    department: Department = Department.QUALITY_SAFETY


@dataclass(frozen=True)
class DemoUser:
    """A person of the demo: posts at one agency, or `operator` for a person of an operator."""

    username: str
    name: str
    what: str
    agency: str = ""
    roles: tuple[Role, ...] = ()

    @property
    def is_operator(self) -> bool:
        return not self.roles


DEMO_AGENCIES = (
    DemoAgency("全国农产品质量安全监管机构", COUNTRY, SUPERVISION),
    DemoAgency("海南省农产品质量安全监管机构", PROVINCE, SUPERVISION),
    DemoAgency("三亚市农产品质量安全监管机构", CITY, SUPERVISION),
    DemoAgency("崖州区农产品质量安全监管机构", COUNTY, SUPERVISION),
    DemoAgency("崖州区农产品质量安全检测站", COUNTY, MONITORING),
    DemoAgency("崖州区农业综合执法大队", COUNTY, ENFORCEMENT, Department.ENFORCEMENT),
    DemoAgency("崖州区乡镇监管站", TOWN, SUPERVISION),
    DemoAgency("大蛋村服务点", VILLAGE, SUPERVISION),
)

DEMO_USERS = (
    DemoUser(
        "ministry", "部级管理员", "全国，看总体情况、导入各省表格", "全国农产品质量安全监管机构", (Role.ADMINISTRATOR,)
    ),
    DemoUser("province", "海南管理员", "海南省，看全省", "海南省农产品质量安全监管机构", (Role.ADMINISTRATOR,)),
    DemoUser("city", "三亚管理员", "三亚市，看全市", "三亚市农产品质量安全监管机构", (Role.ADMINISTRATOR,)),
    DemoUser("county", "崖州审核员", "崖州区，导入、审核产地信息", "崖州区农产品质量安全监管机构", (Role.REVIEWER,)),
    DemoUser(
        "admin", "崖州管理员", "崖州区，分配机构和人员账号", "崖州区农产品质量安全监管机构", (Role.ADMINISTRATOR,)
    ),
    DemoUser("town", "乡镇监管员", "崖州区乡镇，采集产地信息", "崖州区乡镇监管站", (Role.COLLECTOR,)),
    DemoUser("collector", "村信息采集员", "大蛋村，采集产地信息", "大蛋村服务点", (Role.COLLECTOR,)),
    DemoUser("lab", "崖州检测员", "崖州区检测站，查主体和批次", "崖州区农产品质量安全检测站", (Role.LABORATORY,)),
    DemoUser("officer", "崖州执法员", "崖州区执法，查主体、批次和合格证", "崖州区农业综合执法大队", (Role.OFFICER,)),
    DemoUser("brand", "崖州品牌员", "崖州区品牌，查主体和合格证", "崖州区农产品质量安全监管机构", (Role.BRAND,)),
    DemoUser("grower", "种植户", "种豇豆，登记采收、开合格证"),
    DemoUser("coop", "合作社", "合作社，登记采收、分装、开合格证"),
    DemoUser("buyer", "收购员", "收购站，收货、混装、开合格证"),
    DemoUser("market", "市场管理员", "批发市场，收验合格证"),
)


@transaction.atomic
def ensure_demo_users() -> dict[str, User]:
    """The demo's agencies and people, by username; makes what is missing and changes nothing that is there.

    People of operators are linked to their operators by the registry's demo.
    """
    agencies = _ensure_agencies()
    known = {user.username: user for user in User.objects.filter(username__in=[one.username for one in DEMO_USERS])}
    missing = [one for one in DEMO_USERS if one.username not in known]
    if missing:
        # One hash for all: the password is public, and fourteen hashes would cost the start a second.
        hashed = make_password(DEMO_PASSWORD)
        made = User.objects.bulk_create(
            User(
                username=one.username,
                name=one.name,
                agency=agencies.get(one.agency),
                place=agencies[one.agency].region_id if one.agency else None,
                is_operator=one.is_operator,
                is_demo=True,
                password=hashed,
            )
            for one in missing
        )
        known |= {user.username: user for user in made}
        for one in missing:
            record("account.created", actor=None, target=known[one.username], region_code=known[one.username].place)
    Membership.objects.bulk_create(
        (
            Membership(user=known[one.username], agency=agencies[one.agency], role=role, from_on=SINCE)
            for one in DEMO_USERS
            for role in one.roles
        ),
        ignore_conflicts=True,
    )
    note_roles(known[one.username].pk for one in missing)
    for one in missing:
        if Role.ADMINISTRATOR in one.roles:
            vacant = Agency.objects.filter(pk=agencies[one.agency].pk, administrator=None)
            vacant.update(administrator=known[one.username])
    if missing:
        recount(*(agency.region_id for agency in agencies.values()))
    return known


def demo_people() -> list[DemoUser]:
    """The demo's people on file; none outside the demo."""
    if not settings.DEMO:
        return []
    known = set(User.objects.filter(is_demo=True, is_active=True).values_list("username", flat=True))
    return [one for one in DEMO_USERS if one.username in known]


def _ensure_agencies() -> dict[str, Agency]:
    names = [one.name for one in DEMO_AGENCIES]
    known = {agency.name: agency for agency in Agency.objects.filter(name__in=names)}
    regions = Region.objects.in_bulk({one.region for one in DEMO_AGENCIES})
    for one in DEMO_AGENCIES:
        if one.name not in known:
            known[one.name] = create_agency(
                name=one.name, region=regions[one.region], kind=one.kind, department=one.department, actor=None
            )
    return known
