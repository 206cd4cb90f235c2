"""The people of the demo county, 海南省三亚市崖州区: everybody signs in with the same password (演示账号)."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from nongma.accounts.models import Agency, Membership, Role, User
from nongma.audit.services import record
from nongma.regions.models import Region

DEMO_PASSWORD = "nongma-demo"  # noqa: S105, the demo's public password
SINCE = date(2026, 1, 1)

COUNTRY, PROVINCE, CITY, COUNTY = 0, 460000000000, 460200000000, 460205000000
TOWN, VILLAGE = 460205198000, 460205198205

SUPERVISION, MONITORING, ENFORCEMENT = Agency.Kind.SUPERVISION, Agency.Kind.MONITORING, Agency.Kind.ENFORCEMENT


@dataclass(frozen=True)
class DemoAgency:
    """An agency of the demo, under the agency that stands before it in the chain of regions."""

    name: str
    region: int
    kind: Agency.Kind
    department: str
    parent: str = ""


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
    DemoAgency("全国农产品质量安全监管机构", COUNTRY, SUPERVISION, "农业农村"),
    DemoAgency("海南省农产品质量安全监管机构", PROVINCE, SUPERVISION, "农业农村", "全国农产品质量安全监管机构"),
    DemoAgency("三亚市农产品质量安全监管机构", CITY, SUPERVISION, "农业农村", "海南省农产品质量安全监管机构"),
    DemoAgency("崖州区农产品质量安全监管机构", COUNTY, SUPERVISION, "农业农村", "三亚市农产品质量安全监管机构"),
    DemoAgency("崖州区农产品质量安全检测站", COUNTY, MONITORING, "农业农村", "崖州区农产品质量安全监管机构"),
    DemoAgency("崖州区农业综合执法大队", COUNTY, ENFORCEMENT, "农业农村", "崖州区农产品质量安全监管机构"),
    DemoAgency("崖州区乡镇监管站", TOWN, SUPERVISION, "农业农村", "崖州区农产品质量安全监管机构"),
    DemoAgency("大蛋村服务点", VILLAGE, SUPERVISION, "农业农村", "崖州区乡镇监管站"),
)

DEMO_USERS = (
    DemoUser(
        "ministry", "部级管理员", "全国，看总体情况、导入各省表格", "全国农产品质量安全监管机构", (Role.ADMINISTRATOR,)
    ),
    DemoUser("province", "海南管理员", "海南省，看全省", "海南省农产品质量安全监管机构", (Role.ADMINISTRATOR,)),
    DemoUser("city", "三亚管理员", "三亚市，看全市", "三亚市农产品质量安全监管机构", (Role.ADMINISTRATOR,)),
    DemoUser("county", "崖州审核员", "崖州区，导入、审核产地信息", "崖州区农产品质量安全监管机构", (Role.REVIEWER,)),
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
        # One hash for all: the password is public, and thirteen hashes would cost the start a second.
        hashed = make_password(DEMO_PASSWORD)
        made = User.objects.bulk_create(
            User(username=one.username, name=one.name, is_operator=one.is_operator, is_demo=True, password=hashed)
            for one in missing
        )
        known |= {user.username: user for user in made}
        for one in missing:
            region = agencies[one.agency].region_id if one.agency else None
            record("account.created", actor=None, target=known[one.username], region_code=region)
    Membership.objects.bulk_create(
        (
            Membership(user=known[one.username], agency=agencies[one.agency], role=role, from_on=SINCE)
            for one in DEMO_USERS
            for role in one.roles
        ),
        ignore_conflicts=True,
    )
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
            region = regions[one.region]
            agency = Agency.objects.create(
                name=one.name,
                region=region,
                level=region.level,
                kind=one.kind,
                department=one.department,
                parent=known[one.parent] if one.parent else None,
            )
            record("agency.created", actor=None, target=agency, region_code=region.code, name=one.name)
            known[one.name] = agency
    return known
