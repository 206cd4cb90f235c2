"""The operator's code on a card and on a door-plate, read back by a camera's decoder."""

import io

import pypdfium2
import pytest
import zxingcpp
from django.conf import settings
from PIL import Image

from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.registry.models import Operator
from nongma.registry.plates.drawing import Form, Shape, drawn, print_plate
from nongma.testing import client_of


def seen(operator):
    return [f"{settings.PUBLIC_URL}/t/{operator.code}"]


def read(image):
    return [found.text for found in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize(("shape", "size"), [(Shape.CARD, (90, 54)), (Shape.PLATE, (148, 210))])
def test_the_printed_code_is_read(li_operator, shape, size):
    document = pypdfium2.PdfDocument(drawn(li_operator, shape, Form.PDF))
    assert len(document) == 1
    assert [round(points / 72 * 25.4) for points in document[0].get_size()] == list(size)
    assert read(document[0].render(scale=4).to_pil()) == seen(li_operator)
    assert read(Image.open(io.BytesIO(drawn(li_operator, shape, Form.PNG)))) == seen(li_operator)


def test_a_household_is_masked_and_a_firm_is_not(li_operator, chen_operator):
    texts = [
        pypdfium2.PdfDocument(drawn(one, Shape.CARD, Form.PDF))[0].get_textpage().get_text_bounded()
        for one in (li_operator, chen_operator)
    ]
    assert "李大山" not in texts[0]
    assert "李**" in texts[0]
    assert "崖州区" in texts[0]
    assert " ".join(li_operator.code[at : at + 4] for at in range(0, 20, 4)) in texts[0]
    assert "莲都区陈家专业合作社" in texts[1].replace("\r\n", "")


def test_the_longest_name_stays_on_one_page(chen_operator):
    chen_operator.name = "长" * 100
    chen_operator.kinds = [kind.value for kind in Operator.Kind]
    for shape in Shape:
        document = pypdfium2.PdfDocument(drawn(chen_operator, shape, Form.PDF))
        assert len(document) == 1
        assert read(document[0].render(scale=4).to_pil()) == seen(chen_operator)


def test_who_sees_the_record_takes_the_files(li, zhao, chen, sun, li_operator):
    address = f"/operators/{li_operator.code}/identity/card.pdf"
    assert address in client_of(li).get(li_operator.get_absolute_url()).content.decode()
    assert [client_of(one).get(address).status_code for one in (li, zhao, chen, sun)] == [200, 200, 404, 404]
    assert client_of(li).get(address.replace("card.pdf", "flag.pdf")).status_code == 404
    assert Entry.objects.filter(action="operator.identity_printed").count() == 2


@pytest.mark.parametrize("status", ["submitted", "returned", "suspended", "cancelled", "imported"])
def test_only_an_approved_operator_has_one(li, li_operator, status):
    li_operator.status = status
    li_operator.save()
    with pytest.raises(Refused, match="通过审核"):
        print_plate(operator=li_operator, shape=Shape.CARD, form=Form.PDF, actor=li)
    assert "主体码牌" not in client_of(li).get(li_operator.get_absolute_url()).content.decode()
    assert not Entry.objects.filter(action="operator.identity_printed").exists()
