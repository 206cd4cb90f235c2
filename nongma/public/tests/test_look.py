"""Readable in bright sun on a cheap phone: contrast, size of type, and no word missing in either language."""

import re

import pytest

from nongma.public import words
from nongma.public.negotiation import Language
from nongma.public.pages import STYLE
from nongma.public.queries import State


def _luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    if len(colour) == 4:
        colour = "#" + "".join(digit * 2 for digit in colour[1:])
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("#111", "#fff"),
        ("#444", "#fff"),
        ("#0c5433", "#fff"),
        ("#fff", "#0c5433"),
        ("#2b1d00", "#ffd55c"),
        ("#fff", "#9a0f0f"),
    ],
)
def test_every_text_stands_out_sevenfold(text: str, ground: str):
    assert text in STYLE
    assert ground in STYLE
    assert contrast(text, ground) >= 7


def test_no_type_is_smaller_than_eighteen_pixels():
    screen = STYLE.split("@media print")[0]
    sizes = [int(size) for size in re.findall(r"(?:font-size:|font:)(\d+)px", screen)]
    assert min(sizes) >= 18


def test_both_languages_have_every_word():
    tables = [words.BANNERS, words.WORDS, words.KINDS, words.UNITS, words.OPERATOR_KINDS, words.METHODS]
    tables += [words.CERTIFICATIONS, words.LOT_KINDS, words.CERTIFICATE_STATES]
    for table in tables:
        assert table[Language.CHINESE].keys() == table[Language.ENGLISH].keys()
    assert words.STEPS[Language.CHINESE].keys() - words.STEPS[Language.ENGLISH].keys() == {"lost"}
    assert set(State) <= words.TONES.keys()
    assert set(State) <= words.BANNERS[Language.CHINESE].keys()
    assert not [word for text in words.PROMISES.values() for word in text if ord(word) > 0x2000]


@pytest.mark.django_db
def test_every_promise_and_basis_has_an_english_reading():
    from nongma.certificates.models import Basis, CertificateTemplate

    assert set(Basis.values) == words.BASES.keys()
    for template in CertificateTemplate.objects.all():
        assert {*template.producer_promise, *template.buyer_promise} <= words.PROMISES.keys()
