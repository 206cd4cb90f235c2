"""Cards and door-plates with an operator's code, as PDF or PNG."""

from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import models, transaction

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib import qr
from nongma.lib.refused import Refused
from nongma.lib.typesetting import typeset
from nongma.regions.models import Region
from nongma.regions.queries import path_of
from nongma.registry.models import Operator
from nongma.registry.names import public_name

SOURCE = (Path(__file__).parent / "plate.typ").read_bytes()
PIXELS_PER_INCH = 300
SHORT_NAME = 9


class Shape(models.TextChoices):
    """What the code is put on."""

    CARD = "card", "名片（90×54 毫米）"
    PLATE = "plate", "门牌（A5）"


class Form(models.TextChoices):
    """The kind of file."""

    PDF = "pdf", "PDF"
    PNG = "png", "图片"


CONTENT_TYPES = {Form.PDF: "application/pdf", Form.PNG: "image/png"}


@dataclass(frozen=True)
class Size:
    """Lengths in millimetres, text in points."""

    width: float
    height: float
    margin: float
    qr: float
    text: float
    name: float
    code: float
    upright: bool


SIZES = {
    Shape.CARD: Size(90, 54, 5, 32, 8, 13, 9.5, upright=False),
    Shape.PLATE: Size(148, 210, 12, 96, 15, 26, 19, upright=True),
}


@transaction.atomic
def print_plate(*, operator: Operator, shape: Shape, form: Form, actor: User) -> bytes:
    """The card or door-plate of an approved operator, on record. Refuses `outside_area` and `not_approved`."""
    if not Operator.objects.visible_to(actor).filter(pk=operator.pk).exists():
        raise Refused("outside_area", "不在您的管辖范围内")
    if operator.status != Operator.Status.APPROVED:
        raise Refused("not_approved", "主体通过审核后才有主体码牌")
    record("operator.identity_printed", actor=actor, target=operator, region_code=operator.region_id, shape=shape.label)
    return drawn(operator, shape, form)


def drawn(operator: Operator, shape: Shape, form: Form) -> bytes:
    """The file; a household's name is masked as on the public page."""
    size = SIZES[shape]
    name = public_name(operator)
    code = operator.code
    county = [region.name for region in path_of(operator.region_id) if region.level <= Region.Level.COUNTY]
    data = {
        "size": asdict(size),
        "symbol": qr.svg(qr.symbol(f"{settings.PUBLIC_URL}/t/{code}")),
        "name": name,
        "name_size": size.name * min(1.0, max(0.6, SHORT_NAME / max(1, len(name)))),
        "kinds": operator.kind_names,
        "county": " ".join(county),
        "code": " ".join(code[start : start + 4] for start in range(0, len(code), 4)),
    }
    if form is Form.PDF:
        return typeset(SOURCE, data, pdf_tags=False)
    return typeset(SOURCE, data, "png", ppi=PIXELS_PER_INCH)
