"""The demo county: 海南省三亚市崖州区, from the official form to the shopper's scan (演示数据).

Everything goes through the services that people use. Each step looks first whether it was done, so that a run that
was cut off is carried on by the next, and a run on a finished demo changes nothing.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from nongma.accounts.demo import ensure_demo_users
from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.certificates.models import Basis, Certificate
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.lib.locks import RunsElsewhere
from nongma.lib.refused import Refused
from nongma.origins.models import ImportJob, Origin, ReviewJob
from nongma.origins.services.imports import run_import, submit_import
from nongma.origins.services.review import decide_origins, return_origin
from nongma.regions.models import Region
from nongma.registry.models import Operator, OperatorKind, OperatorMember
from nongma.registry.services import Decision, add_member, register_operator, review_operator
from nongma.tracing.models import Lot
from nongma.tracing.recalls import recall_lot
from nongma.tracing.services import harvest_lot, transfer_lot

Say = Callable[[str], None]

FORM: Path = settings.REFERENCE / "demo" / "yazhou-cowpea-500.xlsx"
VISITS: Path = settings.REFERENCE / "demo" / "dadan-visits.xlsx"
VILLAGE = 460205198008
APPROVED_TO_ROW, RETURNED_FROM_ROW = 300, 498
REASONS = {
    "容秋菊": "点位落在村道上，请到地块中间重新定位",
    "蒲志明": "120 亩与走访情况不符，请核对种养规模",
    "邢丽花": "网格员的电话打不通，请核对后重新提交",
}
ELSEWHERE_SECONDS = 120
MARKET = "三亚市崖州区农产品批发市场"
BUYER = "崖州区南滨豇豆收购站"


def load_demo(progress: Say) -> None:
    """Put the demo county on file, or what is missing of it; tells what it does, line by line.

    Refuses `demo_import` when the form can't be imported.
    """
    people = ensure_demo_users()
    county = people["county"]
    job = _import_form(FORM, county, progress)
    _review(job, county, progress)
    _return_visits(_import_form(VISITS, people["collector"], progress), county, progress)
    grower = _linked(people["grower"], OperatorKind.HOUSEHOLD, job, county)
    coop = _linked(people["coop"], OperatorKind.COOPERATIVE, job, county)
    buyer = _registered(people["buyer"], BUYER, OperatorKind.PURCHASER, "19900009901", county)
    _registered(people["market"], MARKET, OperatorKind.WHOLESALE_MARKET, "19900009902", county)
    _trade_as_grower(grower, people["grower"], county, progress)
    _trade_as_coop(coop, people["coop"], buyer, progress)


def _import_form(form: Path, user: User, progress: Say) -> ImportJob:
    """Upload a form as the person would, and see its import through."""
    # The first is the demo's own; a person may upload the same file later.
    mine = ImportJob.objects.filter(user=user, filename=form.name).exclude(status=ImportJob.Status.FAILED)
    job = mine.order_by("id").first()
    if job is None:
        progress(f"导入演示表格 {form.name}")
        with form.open("rb") as handle:
            job = submit_import(file=File(handle), filename=form.name, actor=user)
    deadline = time.monotonic() + ELSEWHERE_SECONDS
    while job.status in (ImportJob.Status.QUEUED, ImportJob.Status.RUNNING):
        try:
            run_import(job.uid)
        except RunsElsewhere:
            if time.monotonic() > deadline:
                raise Refused("demo_import", "演示表格还在由另一个进程导入，请稍后再启动") from None
            time.sleep(1)
        job.refresh_from_db()
    if job.status != ImportJob.Status.DONE:
        raise Refused("demo_import", f"演示表格没有导入成功：{job.message}")
    return job


def _review(job: ImportJob, county: User, progress: Say) -> None:
    """Approve most of what was imported and return a little, so that every state can be seen."""
    origins = Origin.objects.filter(import_job=job)
    if origins.filter(state__in=(Origin.State.APPROVED, Origin.State.RETURNED)).exists():
        return
    progress("审核一部分产地信息")
    with transaction.atomic():
        decide_origins(
            origins=origins.filter(import_row__lte=APPROVED_TO_ROW), verdict=ReviewJob.Verdict.APPROVE, actor=county
        )
        decide_origins(
            origins=origins.filter(import_row__gte=RETURNED_FROM_ROW),
            verdict=ReviewJob.Verdict.RETURN,
            reason="种养规模与走访情况不符，请核对后重新提交",
            actor=county,
        )


@transaction.atomic
def _return_visits(job: ImportJob, county: User, progress: Say) -> None:
    """Return what the collector of the village brought in with a point, so that there is something to correct."""
    origins = Origin.objects.filter(import_job=job, operator__name__in=REASONS).select_related("operator")
    if origins.exclude(reviewed_by=None).exists():
        return
    progress("退回几条，让采集员修改")
    for origin in origins.filter(state=Origin.State.SUBMITTED).order_by("import_row"):
        return_origin(origin=origin, reason=REASONS[origin.operator.name], actor=county)


def _linked(user: User, kind: OperatorKind, job: ImportJob, county: User) -> Operator:
    """The operator of the import that the person acts for: the first of its kind with an approved origin."""
    member = OperatorMember.objects.open().filter(user=user).select_related("operator").order_by("pk").first()
    if member:
        operator = member.operator
    else:
        approved = Origin.objects.filter(import_job=job, state=Origin.State.APPROVED)
        of_kind = approved.filter(operator__kinds__contains=[kind.value]).select_related("operator")
        operator = of_kind.order_by("import_row")[0].operator
        add_member(operator=operator, user=user, actor=None, role=OperatorMember.Role.OWNER)
    if operator.status == Operator.Status.IMPORTED:
        operator = review_operator(operator=operator, decision=Decision.APPROVE, actor=county)
    return operator


def _registered(user: User, name: str, kind: OperatorKind, phone: str, county: User) -> Operator:
    """An operator that the county registers, and the person who acts for it."""
    member = OperatorMember.objects.open().filter(user=user).select_related("operator").order_by("pk").first()
    if member:
        return member.operator
    operator = Operator.objects.filter(name=name, region_id=VILLAGE, created_by=county).first()
    operator = operator or register_operator(
        kinds=[kind.value],
        name=name,
        region=Region.objects.get(pk=VILLAGE),
        actor=county,
        phone=phone,
        contact=user.name,
        address="崖州区南滨居",
        industries=["planting"],
    )
    add_member(operator=operator, user=user, actor=None, role=OperatorMember.Role.OWNER)
    return operator


@transaction.atomic
def _trade_as_grower(operator: Operator, user: User, county: User, progress: Say) -> None:
    """A household's week: a good certificate, one taken back and issued anew, and a recalled lot."""
    if Lot.objects.filter(operator=operator).exists():
        return
    progress(f"{operator}：登记采收、开具合格证")
    good = _harvested(operator, user, "260", days_ago=1)
    _certified(good, "200", Basis.QUALITY_CONTROL, user)
    mistaken = _harvested(operator, user, "180", days_ago=4)
    certificate = _certified(mistaken, "80", Basis.QUALITY_CONTROL, user)
    revoke_certificate(certificate=certificate, reason="数量填错，已重新开具", actor=user)
    _certified(mistaken, "180", Basis.QUALITY_CONTROL, user)
    bad = _harvested(operator, user, "120", days_ago=9)
    _certified(bad, "120", Basis.SELF_TEST, user)
    recall_lot(lot=bad, reason="演示：抽检发现农药残留超标", actor=county)


@transaction.atomic
def _trade_as_coop(operator: Operator, user: User, buyer: Operator, progress: Say) -> None:
    """A co-op's week: a tested lot with its certificate, part of it sold to the purchasing station."""
    if Lot.objects.filter(operator=operator).exists():
        return
    progress(f"{operator}：登记采收、开具合格证、出售")
    lot = _harvested(operator, user, "1500", days_ago=1)
    _certified(lot, "900", Basis.COMMISSIONED_TEST, user)
    transfer_lot(lot=lot, quantity=Decimal(500), buyer=buyer, actor=user)
    _harvested(operator, user, "800", days_ago=0)


def _harvested(operator: Operator, user: User, kilograms: str, *, days_ago: int) -> Lot:
    base = operator.bases.exclude(quadkey=None).order_by("id")[0]
    return harvest_lot(
        base=base,
        product=Product.objects.get(name="豇豆"),
        quantity=Decimal(kilograms),
        unit="kg",
        harvested_on=timezone.localdate() - timedelta(days=days_ago),
        actor=user,
    )


def _certified(lot: Lot, kilograms: str, basis: Basis, user: User) -> Certificate:
    return issue_certificate(lot=lot, quantity=Decimal(kilograms), basis=basis, actor=user)
