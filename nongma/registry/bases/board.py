"""The board that stands at a base (基地标识牌): what grows here, how much, how, and who answers for it."""

from pathlib import Path

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.services import record
from nongma.lib import qr
from nongma.lib.masking import mask_name
from nongma.lib.refused import Refused
from nongma.lib.typesetting import typeset
from nongma.registry.bases.queries import supervisor_of
from nongma.registry.models import Base, Operator
from nongma.registry.names import is_person, public_name
from nongma.registry.plates.drawing import Form

SOURCE = (Path(__file__).parent / "board.typ").read_bytes()
PIXELS_PER_INCH = 200
SUGGESTED = (
    "选用抗病品种，合理轮作，清洁田园",
    "优先使用杀虫灯、黄板、防虫网、天敌等绿色防控措施",
    "按标签用药，严格执行安全间隔期（休药期），不使用禁用药物",
    "如实填写生产记录，保存两年以上",
    "采收（出栏、捕捞）前自检，合格后开具承诺达标合格证上市",
)
"""Measures that most bases can promise, to begin with (农产品质量安全法 art. 26-29, 38-39)."""


class Sheet(models.TextChoices):
    """The paper that a board is printed on."""

    A4 = "a4", "A4"
    A3 = "a3", "A3"


SCALES = {Sheet.A4: 1.0, Sheet.A3: 2**0.5}


@transaction.atomic
def print_board(*, base: Base, sheet: Sheet, form: Form, actor: User) -> bytes:
    """The board of a base in use, on record.

    Refuses `outside_area`, `base_closed`, `not_approved` (the operator), and `board_incomplete` (no 品种 or 技术措施).
    """
    if not Base.objects.visible_to(actor).filter(pk=base.pk).exists():
        raise Refused("outside_area", "不在您的管辖范围内")
    if base.closed_on is not None:
        raise Refused("base_closed", "这个基地已经停用，不再印标识牌")
    if base.operator.status != Operator.Status.APPROVED:
        raise Refused("not_approved", "主体通过审核后才有标识牌")
    if not base.varieties or not base.measures:
        raise Refused("board_incomplete", "先点“修改”，填好品种和技术措施，再印标识牌")
    record("base.board_printed", actor=actor, target=base, region_code=base.region_id, shape=sheet.label)
    return drawn(base, sheet, form)


def drawn(base: Base, sheet: Sheet, form: Form) -> bytes:
    """The file; a household's name, and that of whoever answers for it, is masked as on the public page."""
    operator = base.operator
    person = base.keeper or operator.contact
    code = base.code
    area = base.area_mu or base.outline_mu
    data = {
        "scale": SCALES[sheet],
        "title": base.name if not is_person(operator) else f"{public_name(operator)}的基地",
        "rows": [
            ["品种", base.varieties],
            ["范围规模", "，".join(filter(None, [base.region.full_name, f"{area:f} 亩" if area else ""]))],
            ["责任主体", public_name(operator)],
            ["责任人", mask_name(person) if is_person(operator) or not base.keeper else person],
            ["监管单位", supervisor_of(base)],
        ],
        "measures": base.measure_lines,
        "symbol": qr.svg(qr.symbol(f"{settings.PUBLIC_URL}/t/{code}")),
        "code": " ".join(code[start : start + 4] for start in range(0, len(code), 4)),
        "date": timezone.localdate().isoformat(),
    }
    if form is Form.PDF:
        return typeset(SOURCE, data, pdf_tags=False)
    return typeset(SOURCE, data, "png", ppi=PIXELS_PER_INCH)
