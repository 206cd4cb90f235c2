"""The cast and factories that every test shares.

Li (李) grows cowpeas in 崖州区 and Chen (陈) grows elsewhere; Wang (王) collects for a town of 崖州区; Zhao (赵)
reviews for 崖州区 and Sun (孙) for 莲都区; Qian (钱) tests in a laboratory; Hainan and the ministry watch from above.
Nobody has a password: tests sign in by force, so that a user costs one row and no argon2 hash.
"""

import itertools
import threading
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from django_otp import oath

from nongma.accounts import backends
from nongma.accounts.access import TOTP_ROLES
from nongma.accounts.granting import parent_for
from nongma.accounts.models import Agency, Authenticator, Membership, Role, User
from nongma.accounts.sessions import PROVED, PROVED_FULLY
from nongma.catalogue.models import Product
from nongma.certificates.models import Basis, Certificate
from nongma.certificates.services import issue_certificate
from nongma.codes.models import CodeRange
from nongma.lib.fields import blind_index, encrypt_bytes
from nongma.lib.refused import Refused
from nongma.origins.models import Origin
from nongma.regions.models import Region
from nongma.registry.models import Base, Operator, OperatorMember
from nongma.tracing.models import Lot
from nongma.tracing.services import harvest_lot

HAINAN = 460000000000
SANYA = 460200000000
YAZHOU = 460205000000
YAZHOU_TOWN = 460205198000
YAZHOU_VILLAGE = 460205198004
ZHEJIANG = 330000000000
LIANDU = 331102000000
COUNTRY = 0
LI_POINT = (Decimal("109.158151"), Decimal("18.435040"))
CHEN_POINT = (Decimal("119.874341"), Decimal("28.203296"))
TOTP_KEY = encrypt_bytes(b"twenty bytes of test")
LI_PHONE = "19900005935"

_serials = itertools.count(900_000_000_000)
_numbers = itertools.count(1)

totp_of: Callable[..., Any] = oath.TOTP  # django-otp is written without types


def make_user(username: str, name: str, **fields: Any) -> User:
    """A person who can't sign in with a password."""
    user = User(username=username, name=name, **fields)
    user.set_unusable_password()
    user.save()
    return user


def make_official(
    username: str,
    name: str,
    role: Role,
    region: int,
    *,
    kind: Agency.Kind = Agency.Kind.SUPERVISION,
) -> User:
    """A person with a post at the agency of a division (made when absent), and a phone where the role wants one."""
    place = Region.objects.get(pk=region)
    agency, _ = Agency.objects.get_or_create(
        region=place,
        kind=kind,
        name=f"{place.name}{kind.label}机构",
        defaults={"level": place.level, "parent": parent_for(place, kind)},
    )
    user = make_user(username, name, agency=agency, place=region, has_totp=role in TOTP_ROLES, roles=[role])
    if user.has_totp:
        Authenticator.objects.create(user=user, name="手机", key=TOTP_KEY, confirmed=True)
    Membership.objects.create(user=user, agency=agency, role=role, from_on=date(2020, 1, 1))
    if role == Role.ADMINISTRATOR:
        Agency.objects.filter(pk=agency.pk).update(administrator=user)
    return user


def make_operator(owner: User | None = None, *, region: int = YAZHOU, **fields: Any) -> Operator:
    """An approved operator, with its code; `owner` becomes its 负责人."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "serial": next(_serials),
        "name": f"测试种植户{number}",
        "kinds": [Operator.Kind.HOUSEHOLD],
        "industries": ["planting"],
        "status": Operator.Status.APPROVED,
        "contact": "李大山",
        "phone": LI_PHONE,
        "reviewed_at": timezone.now(),
    } | fields
    values.setdefault("phone_index", blind_index(values["phone"]) if values["phone"] else None)
    operator = Operator.objects.create(region_id=region, created_by=values.pop("created_by", owner), **values)
    _assign(operator.serial, CodeRange.Kind.OPERATOR, operator.uid)
    if owner is not None:
        OperatorMember.objects.create(operator=operator, user=owner, role=OperatorMember.Role.OWNER)
        User.objects.filter(pk=owner.pk).update(place=region)
    return operator


def make_base(
    operator: Operator,
    *,
    region: int | None = None,
    point: tuple[Decimal, Decimal] | None = LI_POINT,
    **fields: Any,
) -> Base:
    """A base of the operator, with its code and, unless `point` is None, its place (longitude, latitude)."""
    values: dict[str, Any] = {
        "serial": next(_serials),
        "name": f"{operator.name}基地",
        "area_mu": Decimal("10.8"),
    } | fields
    if point is not None:
        from nongma.lib.quadkeys import quadkey

        values |= {"longitude": point[0], "latitude": point[1], "quadkey": quadkey(float(point[0]), float(point[1]))}
    base = Base.objects.create(operator=operator, region_id=region or operator.region_id, **values)
    _assign(base.serial, CodeRange.Kind.BASE, base.uid)
    return base


def make_origin(base: Base, product: Product, *, collected_by: User, **fields: Any) -> Origin:
    """A line of 附件1 for the base, waiting for review unless `state` says otherwise."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "contact": base.operator.contact,
        "phone": base.operator.phone,
        "scale": Decimal("10.80"),
        "unit": product.scale_units[0],
        "on_sale_on": date(2026, 4, 1),
        "off_sale_on": date(2026, 8, 31),
        "methods": [Origin.Method.PROTECTED],
        "trace_methods": [Origin.TraceMethod.CERTIFICATE],
        "credit": "B",
        "grid_name": "冯玉强",
        "grid_phone": "19900004633",
        "collector_name": "卫秀春",
        "collector_phone": "19900008499",
        "state": Origin.State.SUBMITTED,
        "identity": number.to_bytes(16, "big"),
        "fingerprint": number.to_bytes(16, "big"),
        "longitude": base.longitude,
        "latitude": base.latitude,
        "quadkey": base.quadkey,
    } | fields
    return Origin.objects.create(
        operator=base.operator,
        base=base,
        product=product,
        region_id=values.pop("region_id", base.region_id),
        collected_by=collected_by,
        **values,
    )


def _assign(serial: int, kind: CodeRange.Kind, subject: Any) -> None:
    CodeRange.objects.create(start=serial, stop=serial + 1, kind=kind, subject=subject)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads of their own, all started together; what each returned, or the code of its refusal."""
    results: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(index: int, call: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results[index] = call()
        except Refused as refusal:
            results[index] = refusal.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def client_of(user: User, **options: Any) -> Client:
    """A browser in which the user has just signed in, with the password and whatever else the role wants."""
    client = Client(**options)
    client.force_login(user, backend=backends.PASSWORD)
    session = client.session
    session.update(dict.fromkeys((PROVED, PROVED_FULLY), int(time.time())))
    session.save()
    return client


def api_of(user: User, **options: Any) -> Client:
    """A program that sends the user's bearer token."""
    from nongma.accounts.tokens import token_for

    return Client(headers={"Authorization": f"Bearer {token_for(user)}"}, **options)


def file_in(answer: Any) -> bytes:
    """The content of a file that was sent, in pieces or whole."""
    return b"".join(answer)


def one_time_code(phone: Authenticator) -> str:
    """What the phone shows now."""
    totp: Any = totp_of(phone.bin_key, phone.step, phone.t0, phone.digits)
    totp.time = time.time()
    return f"{totp.token():06}"


@pytest.fixture
def cowpea(db: None) -> Product:
    """豇豆, the first of the 12 key products."""
    return Product.objects.get(name="豇豆")


@pytest.fixture
def li(db: None) -> User:
    """Li, who grows cowpeas in 崖州区."""
    return make_user("li", "李大山", is_operator=True)


@pytest.fixture
def li_operator(li: User) -> Operator:
    """Li's household."""
    return make_operator(li, name="李大山")


@pytest.fixture
def li_base(li_operator: Operator) -> Base:
    """Li's field, inside 崖州区."""
    return make_base(li_operator, name="李大山豇豆地", region=YAZHOU_VILLAGE)


@pytest.fixture
def chen(db: None) -> User:
    """Chen, who grows in 莲都区, far from Li."""
    return make_user("chen", "陈水生", is_operator=True)


@pytest.fixture
def chen_operator(chen: User) -> Operator:
    """Chen's co-op."""
    return make_operator(
        chen,
        region=LIANDU,
        name="莲都区陈家专业合作社",
        kinds=[Operator.Kind.COOPERATIVE],
        contact="陈水生",
        phone="19900006507",
    )


@pytest.fixture
def chen_base(chen_operator: Operator) -> Base:
    """Chen's field, inside 莲都区."""
    return make_base(chen_operator, point=CHEN_POINT)


@pytest.fixture
def wang(db: None) -> User:
    """Wang, who collects for the villages of 崖州区."""
    return make_official("wang", "王采集", Role.COLLECTOR, YAZHOU_TOWN)


@pytest.fixture
def zhao(db: None) -> User:
    """Zhao, who reviews for 崖州区."""
    return make_official("zhao", "赵审核", Role.REVIEWER, YAZHOU)


@pytest.fixture
def sun(db: None) -> User:
    """Sun, who reviews for 莲都区."""
    return make_official("sun", "孙审核", Role.REVIEWER, LIANDU)


@pytest.fixture
def hainan(db: None) -> User:
    """The administrator of 海南省."""
    return make_official("hainan", "海南管理员", Role.ADMINISTRATOR, HAINAN)


@pytest.fixture
def ministry(db: None) -> User:
    """The administrator of the whole country."""
    return make_official("ministry", "部级管理员", Role.ADMINISTRATOR, COUNTRY)


@pytest.fixture
def qian(db: None) -> User:
    """Qian, who tests samples of 崖州区 in a laboratory."""
    return make_official("qian", "钱检测", Role.LABORATORY, YAZHOU, kind=Agency.Kind.MONITORING)


@pytest.fixture
def officer(db: None) -> User:
    """An enforcement officer of 崖州区."""
    return make_official("officer", "周执法", Role.OFFICER, YAZHOU, kind=Agency.Kind.ENFORCEMENT)


@pytest.fixture
def li_origin(li_base: Base, cowpea: Product, wang: User) -> Origin:
    """Li's cowpeas of this season, collected by Wang and waiting for Zhao."""
    return make_origin(li_base, cowpea, collected_by=wang)


@pytest.fixture
def lot(li: User, li_base: Base, cowpea: Product) -> Lot:
    """500 kg of cowpeas that Li harvested today."""
    return harvest_lot(
        base=li_base,
        product=cowpea,
        quantity=Decimal(500),
        unit="kg",
        harvested_on=timezone.localdate(),
        actor=li,
    )


@pytest.fixture
def certificate(li: User, lot: Lot) -> Certificate:
    """Li's certificate for 200 kg of that lot."""
    return issue_certificate(lot=lot, quantity=Decimal(200), basis=Basis.QUALITY_CONTROL, actor=li)
