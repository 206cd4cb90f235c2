"""What the client would rather have: page or data, Chinese or English (RFC 9110, sections 12.4 and 12.5)."""

import functools
from enum import StrEnum

LONGEST_HEADER = 500


class Form(StrEnum):
    """The form of an answer."""

    HTML = "html"
    JSON = "json"


class Language(StrEnum):
    """The language of a page."""

    CHINESE = "zh"
    ENGLISH = "en"


@functools.lru_cache(maxsize=1024)
def form_for(accept: bytes) -> Form:
    """JSON only for a client that would rather have it than a page; a browser's `*/*` means a page."""
    weights = _weights(accept)
    if not weights:
        return Form.HTML

    def weight(kind: str, group: str) -> float:
        return next((weights[name] for name in (kind, f"{group}/*", "*/*") if name in weights), 0.0)

    json = max(weight("application/json", "application"), weights.get("application/problem+json", 0.0))
    html = max(weight("text/html", "text"), weights.get("application/xhtml+xml", 0.0))
    return Form.JSON if json > html else Form.HTML


@functools.lru_cache(maxsize=1024)
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
