"""No page, answer, label, plate or code that anybody may read holds a phone or an identity number.

Operators of every kind are put on file, with numbers also where people type them by mistake: in names, places, reasons.
"""

import io
import json
import random
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from stdnum.cn import ric

from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.certificates.labels import SIZES, labels_of, pdf, svg, zpl
from nongma.certificates.models import Basis, Certificate
from nongma.certificates.queries import with_all
from nongma.certificates.services import issue_certificate, revoke_certificate
from nongma.codes.codec import encode
from nongma.codes.models import CodeRange
from nongma.codes.services import assign
from nongma.lib.fields import blind_index
from nongma.lib.masking import mask_numbers
from nongma.origins.models import Origin
from nongma.public.negotiation import Language
from nongma.public.tests import conftest as scanning
from nongma.public.tests.asgi import BROWSER, Shopper
from nongma.registry.models import Certification, Operator
from nongma.registry.plates.drawing import Form, Shape, drawn
from nongma.testing import YAZHOU_VILLAGE, api_of, client_of, make_base, make_operator, make_origin, make_user
from nongma.tracing.models import Lot
from nongma.tracing.recalls import freeze_lot, recall_lot
from nongma.tracing.services import harvest_lot, transfer_lot
from tests.access_world import World
from tests.test_access_table import rows

resolver, shopper = scanning.resolver, scanning.shopper

EACH = 2
"""Operators of each kind, one with a licence and one without."""
BETWEEN = re.compile(r"[\s\-‐-―·.()（）]+")


@dataclass
class OnFile:
    """What was put on file: all that can be scanned, and every number that nobody may find there."""

    codes: list[str] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


def a_phone(dice: random.Random) -> str:
    return f"1990000{dice.randrange(10_000):04}"


def an_id(dice: random.Random) -> str:
    born = date(1950, 1, 1) + timedelta(days=dice.randrange(20_000))
    number = f"460205{born:%Y%m%d}{dice.randrange(1000):03}"
    return number + ric.calc_check_digit(number)


WAYS = [
    lambda number: number,
    lambda number: f" {number[:3]} {number[3:7]} {number[7:]}",
    lambda number: f"{number[:3]}-{number[3:7]}-{number[7:]}",
    lambda number: f"+86{number}",
    lambda number: f"电话（{number}）",
    lambda number: number.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
]
"""How people write a number into a text."""


class Writer:
    """Types texts with numbers in them, and remembers the numbers."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.made = OnFile()

    def phone(self) -> str:
        self.made.secrets.append(a_phone(self.dice))
        return self.made.secrets[-1]

    def id_number(self) -> str:
        self.made.secrets.append(an_id(self.dice))
        return self.made.secrets[-1]

    def text(self, words: str) -> str:
        if self.dice.random() < 0.2:
            return words + self.id_number()
        return words + self.dice.choice(WAYS)(self.phone())


def put_on_file(seed: int, cowpea: Product, reviewer: User) -> OnFile:
    """Operators of every kind with bases, origins, certifications, lots, sales and certificates in every state."""
    writer = Writer(seed)
    made, sold = writer.made, []
    for number, kind in enumerate(each for each in Operator.Kind for _ in range(EACH)):
        lot = _grow(writer, kind, number, cowpea, reviewer)
        sold.append((lot, made.operators[-1]))
    owners = {operator.pk: operator.members.get().user for operator in made.operators}
    for (lot, operator), (_, buyer) in pairwise(sold):
        received = transfer_lot(lot=lot, quantity=Decimal(10), buyer=buyer, actor=owners[operator.pk]).received
        assert received
        _promise(writer, received, owners[buyer.pk])
        made.codes.append(encode(received.serial))
    for number, (lot, operator) in enumerate(sold):
        _end(writer, lot, number, owners[operator.pk], reviewer)
    return made


def _grow(writer: Writer, kind: str, number: int, cowpea: Product, reviewer: User) -> Lot:
    owner = make_user(f"owner{number}", "某人", is_operator=True)
    phone = writer.phone()
    operator = make_operator(
        owner,
        region=YAZHOU_VILLAGE,
        kinds=[kind],
        name=writer.text("红星"),
        contact=writer.text("李大山"),
        phone=phone,
        phone_index=blind_index(phone),
        id_number=writer.id_number(),
        address=writer.text("中和村"),
        uscc=f"9146020{number:03}MA5T8K0A"[:18] if number % EACH else None,
    )
    base = make_base(operator, region=YAZHOU_VILLAGE, name=writer.text("东头"), address=writer.text("东头"))
    make_origin(
        base,
        cowpea,
        collected_by=reviewer,
        state=Origin.State.APPROVED,
        reviewed_by=reviewer,
        reviewed_at=timezone.now(),
        alias=writer.text("长豆角")[:50],
        contact=writer.text("李大山")[:50],
        phone=writer.phone(),
        grid_phone=writer.phone(),
        collector_phone=writer.phone(),
    )
    certification = Certification.objects.create(
        operator=operator,
        kind=Certification.Kind.OTHER,
        name=writer.text("富硒"),
        number=writer.text("证"),
        issuer=writer.text("某中心"),
        from_on=timezone.localdate(),
        created_by=owner,
        created_on=timezone.localdate(),
    )
    certification.products.add(cowpea)
    lot = harvest_lot(
        base=base,
        product=cowpea,
        quantity=Decimal(500),
        unit="kg",
        harvested_on=timezone.localdate(),
        actor=owner,
    )
    _promise(writer, lot, owner)
    items = assign(kind=CodeRange.Kind.ITEM, subject=lot.uid, count=3)
    writer.made.operators.append(operator)
    writer.made.codes += [encode(serial) for serial in (operator.serial, base.serial, lot.serial, items.start)]
    return lot


def _promise(writer: Writer, lot: Lot, actor: User) -> None:
    certificate = issue_certificate(lot=lot, quantity=Decimal(10), basis=Basis.SELF_TEST, actor=actor)
    writer.made.certificates.append(certificate)
    writer.made.codes.append(certificate.code)


def _end(writer: Writer, lot: Lot, number: int, owner: User, reviewer: User) -> None:
    """Some lots are recalled, some frozen, some certificates revoked; each with a reason."""
    reason = writer.text("农药残留，问 ")
    if number % 5 == 1:
        recall_lot(lot=lot, reason=reason, actor=owner)
    elif number % 5 == 2:
        freeze_lot(lot=lot, reason=reason, actor=reviewer)
    elif number % 5 == 3:
        revoke_certificate(certificate=lot.certificates.get(), reason=reason, actor=owner)


def found_in(text: str, secrets: list[str]) -> list[str]:
    """The numbers that can be read in a text, however they are grouped and whatever digits they are written with."""
    plain = BETWEEN.sub("", unicodedata.normalize("NFKC", text)).upper()
    return [secret for secret in secrets if secret in plain]


def text_of(document: bytes) -> str:
    return "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(document))


def codes_in(document: bytes) -> str:
    pages = [page.render(scale=4).to_pil() for page in pypdfium2.PdfDocument(document)]
    return " ".join(found.text for page in pages for found in zxingcpp.read_barcodes(np.asarray(page.convert("L"))))


def test_nobody_who_scans_reads_a_number(shopper: Shopper, cowpea: Product, officer: User) -> None:
    made = put_on_file(20260301, cowpea, officer)
    held = with_all(Certificate.objects.filter(pk__in=[one.pk for one in made.certificates]))
    for code in made.codes:
        paths = [f"/t/{code}", f"/01/06901234567892/21/{code}"]
        answers = [
            shopper.get(path, accept=BROWSER, accept_language=language.value) for path in paths for language in Language
        ]
        answers += [shopper.data(path) for path in paths]
        for answer in answers:
            assert answer.status in {200, 410}, (code, answer.status)
            assert found_in(answer.text, made.secrets) == [], code
        assert found_in(json.dumps(shopper.data(f"/t/{code}").json, ensure_ascii=False), made.secrets) == []
    for certificate in held:
        assert found_in(certificate.payload, made.secrets) == []
    for operator in made.operators:
        for shape in Shape:
            assert found_in(text_of(drawn(operator, shape, Form.PDF)), made.secrets) == []
    assert found_in(Client().get("/.well-known/nongma-keys.json").text, made.secrets) == []


def test_no_label_holds_a_number_unless_its_grower_wants_it_there(cowpea: Product, officer: User) -> None:
    made = put_on_file(7, cowpea, officer)
    held = list(with_all(Certificate.objects.filter(pk__in=[one.pk for one in made.certificates])).order_by("pk"))
    labels = labels_of(held)
    for label in labels:
        assert found_in(f"{label.statement} {label.url} {label.facts}", made.secrets) == []
    size = SIZES["100x70"]
    document = pdf(labels[:12], size, signed=True)
    assert found_in(text_of(document), made.secrets) == []
    assert codes_in(document)
    assert found_in(codes_in(document), made.secrets) == []
    assert found_in(svg(labels[0], size).decode(), made.secrets) == []
    assert found_in(zpl(labels[0], size), made.secrets) == []
    shown = held[0]
    Certificate.objects.filter(pk=shown.pk).update(show_phone=True)
    (label,) = labels_of(with_all(Certificate.objects.filter(pk=shown.pk)))
    assert found_in(str(label.facts), made.secrets) == [shown.operator.phone]


@settings(max_examples=300, deadline=None)
@given(
    before=st.text(alphabet="红星李 村,.-，AB", max_size=6),
    after=st.text(alphabet="红星李 村,.-，AB", max_size=6),
    way=st.sampled_from(WAYS),
    seed=st.integers(0, 10**6),
    is_id=st.booleans(),
)
def test_a_number_typed_into_a_text_is_masked(before: str, after: str, way: Any, seed: int, is_id: bool) -> None:
    dice = random.Random(seed)
    number = an_id(dice) if is_id else a_phone(dice)
    typed = before + (number if is_id else way(number)) + after
    shown = mask_numbers(typed)
    assert found_in(shown, [number]) == []
    assert len(shown) == len(typed)
    assert unicodedata.normalize("NFKC", shown).replace(" ", "").replace("-", "").count("*") in {4, 11}


@pytest.mark.parametrize(
    "text", ["", "红星合作社", "LB-48-1903010001234", "2026-03-01 召回 500 公斤", "0898-88381234", "12345,12316"]
)
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert mask_numbers(text) == text


PERSONAL = ("19900002449", "360426199101010071", "19900004633", "19900008499")


@pytest.fixture
def secrets(world: World, li: User) -> list[str]:
    """The numbers of Li's household, its grid officer and its collector, all on file."""
    operator = Operator.objects.get(members__user=li)
    operator.phone, operator.id_number = PERSONAL[:2]
    operator.save()
    Origin.objects.update(phone=PERSONAL[0])
    return list(PERSONAL)


def _asked(world: World) -> Iterator[tuple[str, str, User]]:
    """Every address that answers an official or a stranger with something; Li himself may read his own."""
    for method, address, people in rows():
        for person, told in people.items():
            user = world.people.get(person)
            if (method, told) == ("GET", "200") and user and person != "li":
                yield person, address.format(**world.marks), user


def test_no_role_reads_a_number_in_a_list_a_record_or_the_api(world: World, secrets: list[str]) -> None:
    read: list[str] = []
    clients: dict[tuple[str, bool], Client] = {}
    asked = 0
    for person, where, user in _asked(world):
        is_api = where.startswith("/api/")
        if (person, is_api) not in clients:
            clients[person, is_api] = api_of(user) if is_api else client_of(user)
        response = clients[person, is_api].get(where)
        asked += 1
        if found := found_in(_read(response), secrets):
            read.append(f"{where}: {person} reads {found}")
    assert asked > 300
    assert read == []


EXPORTS = [
    ("zhao", "/operators/export"),
    ("zhao", "/origins/export.csv"),
    ("zhao", "/origins/export.xlsx"),
    ("hainan", "/audit/export"),
    ("hainan", "/accounts/people/export"),
]


@pytest.mark.parametrize(("person", "where"), EXPORTS)
def test_no_export_holds_a_number(person: str, where: str, world: World, secrets: list[str]) -> None:
    user = world.people[person]
    assert user
    response = client_of(user).post(where, {"reason": "年度核对"})
    assert response.status_code == 200
    assert found_in(_read(response), secrets) == []


def _read(response: Any) -> str:
    """All that an answer holds, the sheets of a workbook and the text of a PDF included."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return "".join(book.read(name).decode(errors="replace") for name in book.namelist())
    if body.startswith(b"%PDF"):
        return text_of(body) + codes_in(body)
    if body.startswith(b"\x89PNG"):
        return " ".join(
            one.text for one in zxingcpp.read_barcodes(np.asarray(Image.open(io.BytesIO(body)).convert("L")))
        )
    return body.decode(errors="replace")
