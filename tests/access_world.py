"""The people and records that the access table asks about, and how they ask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from nongma.accounts.models import Agency, Authorisation, AuthorisedTown, Handout, Role, ThirdParty, Training, User
from nongma.catalogue.models import Product
from nongma.catalogue.services import add_product
from nongma.certificates.models import Basis
from nongma.certificates.services import issue_certificate
from nongma.codes.codec import encode
from nongma.notices.models import Channel, Notice, Outgoing
from nongma.origins.due.services import origins_saved
from nongma.origins.models import Doubt, ImportJob, Missed, OriginDraft, OriginPhoto, ReviewSample, SampledOrigin
from nongma.registry.certifications.services import add_certification
from nongma.registry.directory.corrections.services import send_correction
from nongma.registry.directory.expected import expect
from nongma.registry.directory.rules import set_rule
from nongma.registry.models import Claim, Correction, Intake, Licence, Plot, ScaleRule, Sending
from nongma.registry.people.services import invite_person
from nongma.registry.services import change_operator
from nongma.testing import (
    LIANDU,
    YAZHOU,
    YAZHOU_TOWN,
    YAZHOU_VILLAGE,
    api_of,
    client_of,
    make_base,
    make_official,
    make_operator,
    make_origin,
    make_user,
)
from nongma.tracing.services import harvest_lot

REFUSED = {"in", "401", "403", "404"}


def addresses(
    patterns: list[URLPattern | URLResolver], prefix: str = "", room: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Every address with its name and view."""
    for pattern in patterns:
        where = prefix + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLPattern):
            yield where, f"{room}:{pattern.name}", pattern.callback
        else:
            yield from addresses(pattern.url_patterns, where, pattern.namespace or room)


@dataclass
class World:
    """The cast and the records that the table speaks of."""

    people: dict[str, User | None]
    marks: dict[str, str]
    cookies: dict[str, SimpleCookie] = field(default_factory=dict)

    def browser_of(self, person: str) -> Client:
        """A fresh browser with the person's session, begun at the first call: signing in takes as long as a page.

        A transaction that is rolled back must not contain that call.
        """
        if person not in self.cookies:
            user = self.people[person]
            self.cookies[person] = (client_of(user) if user else Client()).cookies
        browser = Client()
        browser.cookies = SimpleCookie(self.cookies[person].output(header="", sep=";"))
        return browser


@pytest.fixture
def world(
    hainan: User, zhao: User, wang: User, qian: User, officer: User, li: User, sun: User, chen: User, cowpea: Product
) -> World:
    operator = make_operator(li, region=YAZHOU_VILLAGE, name="李大山")
    base = make_base(operator, region=YAZHOU_VILLAGE, varieties="豇豆", measures="轮作")
    plot = Plot.objects.create(base=base, name="1 号地")
    origin = make_origin(base, cowpea, collected_by=wang)
    origins_saved([origin.pk])
    lot = harvest_lot(
        base=base, product=cowpea, quantity=Decimal(500), unit="kg", harvested_on=timezone.localdate(), actor=li
    )
    certificate = issue_certificate(lot=lot, quantity=Decimal(100), basis=Basis.SELF_TEST, actor=li)
    job = ImportJob.objects.create(
        user=wang, file="imports/none.xlsx", filename="表.xlsx", size_bytes=1, digest=b"1" * 32
    )
    sample = ReviewSample.objects.create(
        user=zhao, filters={}, description="全部记录", until=timezone.now(), seed="1", total=1
    )
    SampledOrigin.objects.create(sample=sample, origin=origin, place=1)
    missed = Missed.objects.create(
        operator=operator,
        product=Product.objects.get(name="韭菜"),
        region_id=YAZHOU_VILLAGE,
        scale=Decimal(2),
        unit="mu",
        rule=ScaleRule.objects.filter(basis=ScaleRule.Basis.PRODUCT).order_by("pk")[0],
        found_on=timezone.localdate(),
    )
    doubt = Doubt.objects.create(
        origin=origin,
        region_id=YAZHOU_VILLAGE,
        kind="accuracy",
        text="定位精度 40 米",
        figure="40 米",
        found_at=timezone.now(),
    )
    intake = Intake.objects.create(user=zhao, file="intakes/none.xlsx", filename="主体.xlsx", digest=b"1" * 32)
    people: dict[str, User | None] = {
        "nobody": None,
        "hainan": hainan,
        "zhao": zhao,
        "wang": wang,
        "analyst": make_official("analyst", "查询员", Role.ANALYST, YAZHOU),
        "qian": qian,
        "officer": officer,
        "brand": make_official("brand", "品牌员", Role.BRAND, YAZHOU),
        "li": li,
        "sun": sun,
        "chen": chen,
        "county": make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU),
        "town": make_official("town", "镇管理员", Role.ADMINISTRATOR, YAZHOU_TOWN),
        "lab": make_official("lab", "检测管理员", Role.ADMINISTRATOR, YAZHOU, kind=Agency.Kind.MONITORING),
        "elsewhere": make_official("elsewhere", "莲都管理员", Role.ADMINISTRATOR, LIANDU),
    }
    make_operator(chen, name="陈水生")
    notice = Notice.objects.create(user=wang, kind=Notice.Kind.PROMPT, title="请补坐标")
    outgoing = Outgoing.objects.create(
        channel=Channel.SMS,
        via=Outgoing.Via.FILE,
        purpose=Outgoing.Purpose.DIGEST,
        recipient="19900008499",
        recipient_index=b"1" * 16,
        masked="199****8499",
        body="正文",
        user=wang,
        place=wang.place,
        state=Outgoing.State.SENT,
    )
    firm = ThirdParty.objects.create(agency=zhao.agency, name="采集公司", uscc="91350100M000100Y43", contact="钱")
    held = Authorisation.objects.create(
        third_party=firm,
        from_on=timezone.localdate(),
        to_on=timezone.localdate(),
        agreement="agreements/none.pdf",
        agreement_name="协议.pdf",
        agreement_digest=b"1" * 32,
        agreed_on=timezone.localdate(),
        created_by=zhao,
    )
    AuthorisedTown.objects.create(authorisation=held, region_id=YAZHOU_TOWN)
    people["third"] = make_user("third", "吴采集", agency=zhao.agency, place=YAZHOU, third_party=firm)
    training = Training.objects.create(
        agency=hainan.agency, title="培训", held_on=timezone.localdate(), mode=Training.Mode.REMOTE, created_by=hainan
    )
    handout = Handout.objects.create(
        user=people["county"], file="handouts/none.xlsx", filename="账号.xlsx", digest=b"1" * 32
    )
    certification = add_certification(
        operator=operator,
        kind="geographical",
        number="AGI-1",
        products=[cowpea],
        from_on=timezone.localdate(),
        to_on=None,
        file=ContentFile(b"%PDF-1.7 %%EOF", "AGI-1.pdf"),
        actor=li,
    )
    change_operator(operator=operator, actor=li, name="李大山豇豆")
    expected = expect(name="没有登记的合作社", region=zhao.agency.region, source="走访", actor=zhao)
    rule = set_rule(
        region=zhao.agency.region,
        basis=ScaleRule.Basis.KIND,
        subject="household",
        valid_from=timezone.localdate(),
        source="县文件",
        actor=zhao,
    )
    claim = Claim.objects.create(
        operator=operator, user=li, region_id=operator.region_id, met_by=Claim.MetBy.NAME, state=Claim.State.WAITING
    )
    invitation = invite_person(operator=operator, name="李小山", phone="19900004455", actor=li)
    correction = send_correction(
        operator=operator,
        matter=Correction.Matter.STALE,
        finding="很久没有更新",
        demand="请核对",
        due_on=timezone.localdate() + timedelta(days=9),
        actor=zhao,
    )
    sending = Sending.objects.create(
        user=zhao,
        filters={},
        description="全部",
        total=1,
        found=1,
        matter=Correction.Matter.STALE,
        finding="很久没有更新",
        demand="请核对",
        due_on=timezone.localdate() + timedelta(days=9),
        last_entry=1,
    )
    licence = Licence.objects.create(operator=operator, photo="licences/none.jpg", digest=b"1" * 32, uploaded_by=li)
    local = add_product(
        region=zhao.agency.region, name="火山石斛", industry="planting", unit="mu", source="县文件", actor=zhao
    )
    draft = OriginDraft.objects.create(user=wang, inputs_json="{}")
    photo = OriginPhoto.objects.create(
        origin=origin, photo="origin-photos/none.jpg", digest=b"1" * 32, look=0, uploaded_by=wang
    )
    marks = {
        "local": local.code,
        "draft": str(draft.uid),
        "photo": str(photo.uid),
        "licence": str(licence.uid),
        "sending": str(sending.uid),
        "correction": str(correction.uid),
        "expected": str(expected.uid),
        "rule": str(rule.uid),
        "claim": str(claim.uid),
        "invitation": str(invitation.uid),
        "member": str(operator.members.get().uid),
        "revision": str(operator.revisions.get().uid),
        "certification": str(certification.uid),
        "handout": str(handout.uid),
        "intake": str(intake.uid),
        "firm": str(firm.uid),
        "held": str(held.uid),
        "training": str(training.uid),
        "agency": str(zhao.agency.uid),
        "operator": encode(operator.serial),
        "base": encode(base.serial),
        "plot": str(plot.uid),
        "origin": str(origin.uid),
        "lot": encode(lot.serial),
        "certificate": encode(certificate.serial),
        "job": str(job.uid),
        "sample": str(sample.uid),
        "missed": str(missed.uid),
        "doubt": str(doubt.uid),
        "product": cowpea.code,
        "notice": str(notice.uid),
        "outgoing": str(outgoing.uid),
        "station": str(wang.agency.uid),
        "person": str(zhao.uid),
        "collector": str(wang.uid),
        "post": str(zhao.memberships.get().uid),
        "station_post": str(wang.memberships.get().uid),
    }
    return World(people, marks)


BODY: dict[str, Any] = {
    "produce": [],
    "version": "of another",
    "reason": "单据不全",
    "quantity": "1",
    "quantities": ["1"],
    "buyer_name": "路边店",
    "longitude": "109.158151",
    "latitude": "18.435040",
    "verdict": "approve",
    "ids": [],
    "name": "新登记的",
    "kinds": ["household"],
    "region": YAZHOU_VILLAGE,
    "product": "豇豆",
    "unit": "kg",
    "harvested_on": str(timezone.localdate()),
    "basis": "self_test",
    "kind": "monitoring",
    "username": "new-person",
    "roles": ["collector"],
    "role": "analyst",
    "to": "zhao",
    "matter": "missing",
    "fields": ["produce"],
    "finding": "没有填产品",
    "demand": "请补上",
    "due_on": str(timezone.localdate() + timedelta(days=9)),
    "answer": "已经补上",
    "phone": "19900004477",
}


WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"


def rows_written() -> int:
    """How many rows of any table this transaction has inserted, changed or deleted so far."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return int(cursor.fetchone()[0])


def answer(world: World, person: str, method: str, address: str) -> tuple[str, int]:
    """What a person gets (a status, `in`, or `ok` for a change that the person may try), and how many rows it wrote.

    All that it wrote is undone.
    """
    ask = request_of(world, person, method, address)
    with transaction.atomic():
        before = rows_written()
        response = ask()
        written = rows_written() - before
        transaction.set_rollback(True)
    return _named(method, response), written


def request_of(world: World, person: str, method: str, address: str) -> Callable[[], Any]:
    """The request of a person who is signed in, to be sent."""
    user = world.people[person]
    where = address.format(**world.marks)
    if where.startswith("/api/"):
        client = api_of(user) if user else Client()
        body = BODY | {"lot": world.marks["lot"], "lots": [world.marks["lot"]], "base": world.marks["base"]}
        if address.endswith("/certifications"):
            day = str(timezone.localdate())
            body |= {
                "kind": "gap",
                "number": "GAP-1",
                "products": [world.marks["product"]],
                "from_on": day,
                "to_on": day,
            }
        if address.startswith("/api/v1/origins"):
            body |= {"unit": "mu", "scale": "10", "trace_methods": ["certificate"]}
        body["agency"] = world.marks["agency"]
        posted: dict[str, Any] = {"data": body, "content_type": "application/json"}
    else:
        client = world.browser_of(person)
        posted = {"data": {"reason": BODY["reason"]}}
    return lambda: client.get(where) if method == "GET" else getattr(client, method.lower())(where, **posted)


def _named(method: str, response: Any) -> str:
    if response.status_code == 302 and response["Location"].startswith("/signin"):
        return "in"
    if method != "GET" and response.status_code not in {401, 403, 404, 405} and response.status_code < 500:
        return "ok"
    return str(response.status_code)
