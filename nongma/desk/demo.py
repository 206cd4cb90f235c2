"""The demo county, 海南省三亚市崖州区: loaded by the very services that people use, so it is a rehearsal as well.

Every step looks first at what is there and is one transaction, so a set-up that was cut off is finished by the next.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone
from stdnum.cn import uscc

from nongma.accounts.demo import COUNTY, ensure_demo_users
from nongma.accounts.models import User
from nongma.certificates.models import Basis
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.origins.models import ImportJob, Origin
from nongma.origins.services.imports import run_import, submit_import
from nongma.origins.services.review import Verdict, decide_origins
from nongma.regions.models import Region
from nongma.registry.models import Operator, OperatorMember
from nongma.registry.services import add_member, register_operator
from nongma.tracing.models import Lot
from nongma.tracing.recalls import recall_lot
from nongma.tracing.services import harvest_lot, split_lot, transfer_lot

FILE = Path("demo") / "yazhou-cowpea-500.xlsx"
APPROVED_ROWS = 404
RETURNED_ROWS = 408

Say = Callable[[str], None]


def load_demo(say: Say) -> None:
    """Make what is missing of the demo county: people, the imported form, some reviewed, lots with certificates."""
    people = ensure_demo_users()
    job = _imported(people["county"], say)
    _review(job, people["county"])
    _give_operator(people["grower"], job, Operator.Kind.HOUSEHOLD)
    _give_operator(people["coop"], job, Operator.Kind.COOPERATIVE)
    station = _trader(people["buyer"], people["county"], Operator.Kind.PURCHASER, "崖州区惠农果蔬收购站", "MA5DEM001")
    _trader(people["market"], people["county"], Operator.Kind.WHOLESALE_MARKET, "崖州区南繁果蔬批发市场", "MA5DEM002")
    _deal(people["grower"], people["coop"], people["buyer"], station)


def _imported(county: User, say: Say) -> ImportJob:
    """The official form, imported as the county's reviewer would."""
    job = ImportJob.objects.filter(user=county, filename=FILE.name).exclude(status=ImportJob.Status.FAILED).first()
    if job is None:
        with (settings.REFERENCE / FILE).open("rb") as handle:
            job = submit_import(file=File(handle), filename=FILE.name, actor=county)
    if job.status != ImportJob.Status.DONE:
        run_import(job.uid)
        job.refresh_from_db()
        say(f"  导入 {FILE.name}：{job.accepted} 行通过，{job.unchanged} 行已有，{job.rejected} 行有误")
    return job


@transaction.atomic
def _review(job: ImportJob, county: User) -> None:
    """Most are approved, a few returned, the rest wait for whoever tries the review."""
    origins = Origin.objects.filter(import_job=job)
    if origins.exclude(reviewed_at=None).exists():
        return
    decide_origins(origins=origins.filter(import_row__lte=APPROVED_ROWS), verdict=Verdict.APPROVE, actor=county)
    decide_origins(
        origins=origins.filter(import_row__gt=APPROVED_ROWS, import_row__lte=RETURNED_ROWS),
        verdict=Verdict.RETURN,
        reason="种植面积与上一茬相差较大，请核实",
        actor=county,
    )


def _give_operator(user: User, job: ImportJob, kind: Operator.Kind) -> None:
    """The person becomes the owner of the first approved operator of that kind in the form."""
    if OperatorMember.objects.filter(user=user).exists():
        return
    origin = (
        Origin.objects.filter(import_job=job, state=Origin.State.APPROVED, operator__kinds__contains=[kind])
        .select_related("operator")
        .order_by("import_row")
        .first()
    )
    if origin is not None:
        add_member(operator=origin.operator, user=user, actor=None, role=OperatorMember.Role.OWNER)


@transaction.atomic
def _trader(user: User, county: User, kind: Operator.Kind, name: str, organisation: str) -> Operator:
    """A purchasing station or a market, registered and approved by the county."""
    member = OperatorMember.objects.filter(user=user).select_related("operator").first()
    if member is not None:
        return member.operator
    number = f"91{COUNTY // 10**6}{organisation}"
    operator = register_operator(
        kinds=[kind],
        name=name,
        region=Region.objects.get(pk=COUNTY),
        uscc=number + uscc.calc_check_digit(number),
        contact=user.name,
        phone="19900009001",
        address="崖城社区",
        industries=["planting"],
        actor=county,
    )
    add_member(operator=operator, user=user, actor=None, role=OperatorMember.Role.OWNER)
    return operator


@transaction.atomic
def _deal(grower: User, coop: User, buyer: User, station: Operator) -> None:
    """Lots and certificates in every state that a scan can meet."""
    if Lot.objects.filter(created_by=grower).exists():
        return
    today = _harvest(grower, "260", days_ago=0)
    issue_certificate(lot=today, quantity=Decimal("260"), basis=Basis.QUALITY_CONTROL, actor=grower)
    withdrawn = issue_certificate(
        lot=_harvest(grower, "180", days_ago=2), quantity=Decimal("180"), basis=Basis.SELF_TEST, actor=grower
    )
    revoke_certificate(certificate=withdrawn, reason="数量填写错误，重新开具", actor=grower)
    _harvest(grower, "95.5", days_ago=1)

    sold = _harvest(coop, "1200", days_ago=1)
    issue_certificate(lot=sold, quantity=Decimal("1200"), basis=Basis.COMMISSIONED_TEST, actor=coop)
    part = split_lot(lot=sold, quantities=[Decimal("500")], actor=coop)[0]
    issue_certificate(lot=part, quantity=Decimal("500"), basis=Basis.COMMISSIONED_TEST, actor=coop)
    handed = transfer_lot(lot=part, quantity=Decimal("300"), buyer=station, actor=coop)
    if handed.received is not None:
        issue_certificate(lot=handed.received, quantity=Decimal("300"), basis=Basis.QUALITY_CONTROL, actor=buyer)
    recalled = _harvest(coop, "400", days_ago=3)
    issue_certificate(lot=recalled, quantity=Decimal("400"), basis=Basis.SELF_TEST, actor=coop)
    recall_lot(lot=recalled, reason="演示：企业自查发现记录不全，主动召回", actor=coop)


def _harvest(person: User, quantity: str, *, days_ago: int) -> Lot:
    member = OperatorMember.objects.select_related("operator").get(user=person)
    base = member.operator.bases.order_by("id")[0]
    origin = base.origins.select_related("product").order_by("id")[0]
    return harvest_lot(
        base=base,
        product=origin.product,
        quantity=Decimal(quantity),
        unit="kg",
        harvested_on=timezone.localdate() - timedelta(days=days_ago),
        actor=person,
    )
