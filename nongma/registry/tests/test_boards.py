"""The board of a base, read back by a camera's decoder."""

import io

import pypdfium2
import pytest
import zxingcpp
from django.conf import settings
from PIL import Image

from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.registry.bases.board import SUGGESTED, Form, Sheet, drawn, print_board
from nongma.registry.bases.services import close_base
from nongma.registry.models import Operator
from nongma.testing import YAZHOU_VILLAGE, client_of, make_base

SIZES = {Sheet.A4: (297, 210), Sheet.A3: (420, 297)}


@pytest.fixture
def base(li_operator):
    return make_base(
        li_operator, region=YAZHOU_VILLAGE, varieties="美蕉 901 豇豆", measures="\n".join(SUGGESTED), keeper="李小山"
    )


def text_of(file):
    document = pypdfium2.PdfDocument(file)
    assert len(document) == 1
    return "".join(document[0].get_textpage().get_text_bounded().split())


@pytest.mark.parametrize("sheet", list(Sheet))
def test_the_board_is_one_sheet_with_a_code_that_is_read(base, zhao, sheet):
    file = drawn(base, sheet, Form.PDF)
    document = pypdfium2.PdfDocument(file)
    assert [round(points / 72 * 25.4) for points in document[0].get_size()] == list(SIZES[sheet])
    code = [f"{settings.PUBLIC_URL}/t/{base.code}"]
    picture = Image.open(io.BytesIO(drawn(base, sheet, Form.PNG)))
    for image in (document[0].render(scale=2).to_pil(), picture):
        assert [found.text for found in zxingcpp.read_barcodes(image)] == code
    text = text_of(file)
    for told in ("美蕉901豇豆", "10.8亩", "李**", zhao.agency.name, SUGGESTED[0][:6], base.code):
        assert told in text
    for hidden in ("李大山", "李小山", base.operator.phone):
        assert hidden not in text


def test_a_firm_stands_with_its_name_and_whom_it_names(chen_operator):
    base = make_base(chen_operator, region=chen_operator.region_id, point=None, keeper="陈技术", name="一号棚")
    text = text_of(drawn(base, Sheet.A4, Form.PDF))
    for told in ("一号棚", "莲都区陈家专业合作社", "陈技术"):
        assert told in text


def test_the_longest_texts_stay_on_one_sheet(chen_operator):
    base = make_base(
        chen_operator,
        region=chen_operator.region_id,
        point=None,
        name="长" * 100,
        varieties="豆" * 100,
        measures="\n".join(["措施" * 24] * 10),
        keeper="人" * 60,
    )
    base.operator.name = "社" * 100
    for sheet in Sheet:
        document = pypdfium2.PdfDocument(drawn(base, sheet, Form.PDF))
        assert len(document) == 1
        assert zxingcpp.read_barcodes(document[0].render(scale=2).to_pil())
        assert text_of(drawn(base, sheet, Form.PDF)).count("措施") == 241


def test_it_refuses_a_board_that_says_nothing_or_is_not_due(li, sun, base):
    def refused(actor=li):
        base.refresh_from_db()
        with pytest.raises(Refused) as refusal:
            print_board(base=base, sheet=Sheet.A4, form=Form.PDF, actor=actor)
        return refusal.value.code

    assert refused(sun) == "outside_area"
    type(base).objects.update(measures="")
    assert refused() == "board_incomplete"
    type(base).objects.update(measures="轮作")
    Operator.objects.update(status=Operator.Status.SUBMITTED)
    assert refused() == "not_approved"
    Operator.objects.update(status=Operator.Status.APPROVED)
    base.refresh_from_db()
    close_base(base=base, reason="到期", actor=li)
    assert refused() == "base_closed"
    assert not Entry.objects.filter(action="base.board_printed").exists()


def test_who_sees_the_base_takes_the_board(li, zhao, chen, sun, base):
    url = f"{base.get_absolute_url()}board/a3.png"
    assert url in client_of(li).get(base.get_absolute_url()).content.decode()
    assert [client_of(one).get(url).status_code for one in (li, zhao, chen, sun)] == [200, 200, 404, 404]
    assert client_of(li).get(url.replace("a3.png", "a0.png")).status_code == 404
    assert Entry.objects.filter(action="base.board_printed").count() == 2
