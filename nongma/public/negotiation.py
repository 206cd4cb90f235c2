"""What the client would rather have: page or data, Chinese or English (RFC 9110, sections 12.4 and 12.5)."""

import functools
from enum import StrEnum
from typing import NamedTuple

LONGEST_HEADER = 500


class Form(StrEnum):
    """The form of an answer."""

    HTML = "html"
    JSON = "json"


class Language(StrEnum):
    """The language of a page."""

    CHINESE = "zh"
    ENGLISH = "en"


class Wish(NamedTuple):
    """The answer that a client would rather have; `key` tells it from the others of the same code."""

    form: Form
    language: Language
    key: str


@functools.lru_cache(maxsize=4096)
def wish_of(accept: bytes, accept_language: bytes, lang: str) -> Wish:
    """What the headers ask for; a language chosen on the page goes before the browser's own."""
    form = form_for(accept)
    language = Language(lang) if lang in (Language.CHINESE, Language.ENGLISH) else language_for(accept_language)
    return Wish(form, language, str(form.value if form is Form.JSON else language.value))


def form_for(accept: bytes) -> Form:
    """JSON for a client that would rather have it than a page, or that names it where it only tolerates pages."""
    weights = _weights(accept)
    json = _standing(weights, ("application/json", "application/problem+json"), "application/*")
    html = _standing(weights, ("text/html", "application/xhtml+xml"), "text/*")
    return Form.JSON if json > html and json[0] > 0 else Form.HTML


def language_for(accept_language: bytes) -> Language:
    """Chinese unless the client asks for other languages and not for Chinese."""
    weights = _weights(accept_language)
    if not weights:
        return Language.CHINESE
    chinese = max((weight for name, weight in weights.items() if name.split("-")[0] in {"zh", "*"}), default=0.0)
    english = max((weight for name, weight in weights.items() if name.split("-")[0] == "en"), default=0.0)
    if chinese == english == 0.0:
        return Language.ENGLISH
    return Language.ENGLISH if english > chinese else Language.CHINESE


def _standing(weights: dict[str, float], names: tuple[str, ...], group: str) -> tuple[float, int]:
    """How much a form is wanted, and how exactly it was named: itself, its group, anything."""
    named = [weights[name] for name in names if name in weights]
    if named:
        return max(named), 2
    return (weights[group], 1) if group in weights else (weights.get("*/*", 0.0), 0)


def _weights(header: bytes) -> dict[str, float]:
    """Each item of a list header with its quality value; items that can't be read are left out."""
    weights: dict[str, float] = {}
    if len(header) > LONGEST_HEADER:
        return weights
    for item in header.decode("latin-1").lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        quality = next((value for value in parameters if value.startswith("q=")), "q=1")
        try:
            weight = float(quality[2:])
        except ValueError:
            continue
        if name and 0.0 <= weight <= 1.0:
            weights[name] = max(weight, weights.get(name, 0.0))
    return weights
