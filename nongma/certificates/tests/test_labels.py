import re
from decimal import Decimal

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from nongma.certificates.labels import MOST_LABELS, SIZES, labels_of, pdf, svg, zpl
from nongma.certificates.labels.layout import SMALLEST_TEXT, fitted_text
from nongma.certificates.labels.printing import png
from nongma.certificates.labels.zpl import _pixels, _shortened
from nongma.certificates.models import Basis, Certificate
from nongma.certificates.queries import with_all
from nongma.certificates.services import issue_certificate
from nongma.certificates.verification import verify
from nongma.lib import qr, signing
from nongma.lib.refused import Refused
from nongma.registry.models import Operator


@pytest.fixture
def label(certificate):
    return labels_of(with_all(Certificate.objects.all()))[0]


def pages(document, scale=4.0):
    return [page.render(scale=scale).to_pil() for page in pypdfium2.PdfDocument(document)]


def read(image):
    return [found.text for found in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize("size", SIZES.values(), ids=str)
def test_the_printed_label_is_read_by_a_camera(label, size):
    (page,) = pages(pdf([label], size))

    assert read(page) == [label.url]
    assert page.width / page.height == pytest.approx(size.width / size.height, rel=0.02)


def test_the_label_says_what_the_form_asks_for(label, certificate):
    text = pypdfium2.PdfDocument(pdf([label], SIZES["100x70"]))[0].get_textpage().get_text_bounded()
    flat = "".join(text.split())

    for words in (
        "承诺达标合格证",
        "未使用禁用农药、兽药及其他化合物",
        "豇豆",
        "120.5千克",
        "李大山",
        certificate.code,
    ):
        assert words in flat
    assert certificate.issued_on.isoformat() in flat
    assert "199****5935" in flat
    assert "19900005935" not in flat


def test_the_phone_is_printed_in_full_only_when_the_grower_says_so(li, lot):
    issue_certificate(lot=lot, quantity=Decimal(1), basis=Basis.SELF_TEST, actor=li, show_phone=True)
    (label,) = labels_of(with_all(Certificate.objects.all()))

    assert ("联系方式", "19900005935") in label.facts


def test_many_labels_on_sheets(label):
    sheets = pages(pdf([label], SIZES["60x40"], copies=22, sheet=True), scale=3)

    assert [len(read(sheet)) for sheet in sheets] == [21, 1]


def test_the_second_symbol_is_verified_offline(label, certificate):
    (page,) = pages(pdf([label], SIZES["100x70"], signed=True))
    found = sorted(read(page))

    assert found[1] == label.url
    assert verify(found[0], signing.public_keys()).fields["code"] == certificate.code
    with pytest.raises(Refused) as refusal:
        pdf([label], SIZES["60x40"], signed=True)
    assert refusal.value.code == "no_room"


def test_it_prints_neither_nothing_nor_too_much(label):
    for labels, code in (([], "no_labels"), ([label] * (MOST_LABELS + 1), "too_many_labels")):
        with pytest.raises(Refused) as refusal:
            pdf(labels, SIZES["60x40"])
        assert refusal.value.code == code


def test_a_long_name_shrinks_the_text_and_stays_whole(li, lot):
    name = "新疆维吾尔自治区巴音郭楞蒙古自治州焉耆回族自治县七个星镇老城村蔬菜种植农民专业合作社联合社"
    Operator.objects.update(name=name)
    issue_certificate(lot=lot, quantity=Decimal(1), basis=Basis.SELF_TEST, actor=li)
    labels = labels_of(with_all(Certificate.objects.all()))
    document = pypdfium2.PdfDocument(pdf(labels, SIZES["60x40"]))

    assert len(document) == 1
    assert name in "".join(document[0].get_textpage().get_text_bounded().split())
    assert read(pages(pdf(labels, SIZES["60x40"]))[0]) == [labels[0].url]


def test_text_never_gets_smaller_than_can_be_read():
    size = SIZES["60x40"]

    assert fitted_text(size, wide=["短"], narrow=["短"], symbols=1) == size.text
    assert fitted_text(size, wide=["长" * 5000], narrow=[], symbols=1) == pytest.approx(SMALLEST_TEXT, abs=0.2)


def test_the_svg_holds_the_symbol_and_needs_no_font(label):
    drawn = svg(label, SIZES["70x50"]).decode()

    assert drawn.startswith("<svg")
    assert "font-family" not in drawn
    assert "<script" not in drawn


def test_the_zpl_carries_the_url_and_the_form_as_pixels(label):
    size = SIZES["70x50"]
    text = zpl(label, size, copies=3)

    assert text.startswith("^XA")
    assert text.rstrip().endswith("^XZ")
    assert "^CI28" in text
    assert "^PQ3" in text
    assert re.search(r"\^BQN,2,\d+\^FDMA,(\S+?)\^FS", text).group(1) == label.url
    total, width, data = re.search(r"\^GFA,(\d+),\d+,(\d+),([^^]+)\^FS", text).groups()
    picture = unpacked(data, int(width))
    assert picture.size == int(total) * 8
    assert np.array_equal(picture, padded(_pixels(png(label, size, dots_per_inch=203))))
    assert 0.02 < picture.mean() < 0.3


def test_the_printer_draws_the_symbol_where_nothing_else_is(label):
    size = SIZES["60x40"]
    text = zpl(label, size)
    left, top, module = map(int, re.search(r"\^FO(\d+),(\d+)\^BQN,2,(\d+)", text).groups())
    drawn = module * label.symbol.size
    _, width, data = re.search(r"\^GFA,(\d+),\d+,(\d+),([^^]+)\^FS", text).groups()
    picture = unpacked(data, int(width))
    quiet = module * 3

    around = picture[top - quiet : top + drawn + quiet, left - quiet : left + drawn + quiet]
    assert around.shape == (drawn + 2 * quiet, drawn + 2 * quiet)
    assert not around.any()
    modules = np.array([[int(each) for each in row] for row in label.symbol.rows], dtype=bool)
    picture[top : top + drawn, left : left + drawn] = modules.repeat(module, 0).repeat(module, 1)
    assert read(Image.fromarray(~picture).convert("L")) == [label.url]


def unpacked(data, width):
    """The pixels of a `^GFA` field, as a printer reads them."""
    rows, line, count, previous = [], "", 0, ""
    for character in data:
        if character == ":":
            rows.append(previous)
            continue
        if character in ",!":
            line += ("0" if character == "," else "F") * (width * 2 - len(line))
        elif "G" <= character <= "Y":
            count += ord(character) - ord("F")
        elif "g" <= character <= "z":
            count += 20 * (ord(character) - ord("f"))
        else:
            line += character * max(count, 1)
            count = 0
        if len(line) == width * 2:
            rows.append(line)
            previous, line = line, ""
    assert line == ""
    return np.unpackbits(np.array([list(bytes.fromhex(row)) for row in rows], dtype=np.uint8), axis=1).astype(bool)


def padded(pixels):
    return np.unpackbits(np.packbits(pixels, axis=1), axis=1).astype(bool)


@pytest.mark.parametrize("run", [1, 2, 3, 19, 20, 21, 39, 40, 400, 419, 420, 441, 900])
def test_runs_of_any_length_come_back(run):
    line = "A" + "5" * run + "B"
    line += "0" * (len(line) % 2)
    picture = unpacked(_shortened(line), len(line) // 2)
    assert np.packbits(picture).tobytes().hex().upper() == line


@pytest.mark.parametrize("level", ["m", "q"])
def test_symbols_made_by_the_thousand_are_those_that_an_encoder_makes(level):
    printer = qr.code_printer("https://nongma.example/t/", level=level)
    for code in ("0" * 20, "9" * 20, "12345678901234567890", "80706050403020109999"):
        drawn = printer.symbol(code)
        image = Image.new("1", (drawn.size + 8,) * 2, 1)
        for y, row in enumerate(drawn.rows):
            for x, module in enumerate(row):
                image.putpixel((x + 4, y + 4), module == "0")
        assert read(image.resize((image.width * 4,) * 2).convert("L")) == [f"https://nongma.example/t/{code}"]
    with pytest.raises(ValueError, match="digits"):
        printer.symbol("123")


def test_the_drawn_path_is_the_symbol():
    drawn = qr.symbol("农码")
    dark = set()
    for y, row in re.findall(r"M4 (\d+)\.5((?:m\d+ 0h\d+)*)", qr.svg_path(drawn)):
        x = 0
        for light, length in re.findall(r"m(\d+) 0h(\d+)", row):
            x += int(light)
            dark |= {(x + step, int(y) - 4) for step in range(int(length))}
            x += int(length)
    assert dark == {(x, y) for y, row in enumerate(drawn.rows) for x, module in enumerate(row) if module == "1"}
