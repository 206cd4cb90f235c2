"""What a client would rather have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nongma.public.negotiation import Form, Language, form_for, language_for


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "html"),
        ("*/*", "html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
        ("application/json", "json"),
        ("application/json, text/plain, */*", "json"),
        ("application/json;q=0.5, text/html", "html"),
        ("text/html;q=0.5, application/json", "json"),
        ("application/json;q=0", "html"),
        ("application/*", "json"),
        ("Application/JSON ; q=0.9 , text/html;q=0.8", "json"),
        ("application/json;q=x, text/html;q=0.1", "html"),
        ("application/json;q=7", "html"),
        (";;;,,,", "html"),
    ],
)
def test_it_reads_accept(accept: str, form: str):
    assert form_for(accept.encode()) == form


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("*", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.3, zh-TW;q=0.7", "zh"),
        ("fr-FR, fr;q=0.9", "en"),
        ("fr, *;q=0.1", "zh"),
        ("en;q=0, zh;q=0", "en"),
    ],
)
def test_it_reads_accept_language(header: str, language: str):
    assert language_for(header.encode()) == language


@given(st.binary(max_size=600))
def test_it_survives_any_header(header: bytes):
    assert form_for(header) in Form
    assert language_for(header) in Language
