"""What is signed on a certificate, and the two forms it travels in.

The signed text is JSON with sorted keys and no spaces, in UTF-8: any program rebuilds and checks it. In a QR only
the values travel, since their order follows from `v`: `NM1:` and the Base45 of the signature (64 bytes) and the values
with a line feed between. docs/adr/0012-signed-certificates.md
"""

import json
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from nongma.certificates.models import Basis, CertificateTemplate
from nongma.lib import base45
from nongma.lib.signing import decode_bytes
from nongma.registry.names import public_name
from nongma.tracing.models import Lot

VERSION = 1
FIELDS = ("v", "code", "product", "quantity", "unit", "operator", "place", "issued", "basis", "template", "kid")
QR_PREFIX = "NM1:"
SIGNATURE_BYTES = 64
MOST_CHARACTERS = 8_000


class Statement(NamedTuple):
    """A signed text and its signature, as they came."""

    payload: str
    signature: bytes


def payload_of(
    *,
    code: str,
    lot: Lot,
    quantity: Decimal,
    basis: Basis,
    template: CertificateTemplate,
    issued_on: date,
    key_id: str,
) -> str:
    """The text to be signed. It names no person: a household stands with its masked name."""
    return canonical(
        {
            "v": VERSION,
            "code": code,
            "product": _on_one_line(lot.product.name),
            "quantity": f"{quantity.normalize():f}",
            "unit": lot.unit,
            "operator": _on_one_line(public_name(lot.operator)),
            "place": _on_one_line(place_of(lot)),
            "issued": issued_on.isoformat(),
            "basis": str(basis),
            "template": template.code,
            "kid": key_id,
        }
    )


def canonical(values: dict[str, Any]) -> str:
    """The one way in which these values are written."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def place_of(lot: Lot) -> str:
    """Where the produce was grown (产地), or, for a mix of several places, where it was mixed."""
    region = lot.base.region if lot.base else lot.region
    return str(region)


def packed(payload: str, signature: bytes) -> str:
    """The statement as a QR carries it, about two thirds of its JSON."""
    values = json.loads(payload)
    text = "\n".join(str(values[field]) for field in FIELDS)
    return QR_PREFIX + base45.encode(signature + text.encode())


def read(text: str) -> Statement:
    """The statement in a QR's text, in an answer of the API or in `payload`, line feed, signature.

    Raises ValueError (Chinese reason) for anything else.
    """
    text = text.strip().removeprefix("\ufeff")
    if len(text) > MOST_CHARACTERS:
        raise ValueError("内容太长，不是合格证")
    if text.startswith(QR_PREFIX):
        return _unpacked(text)
    try:
        answer = json.loads(text)
        return Statement(str(answer["payload"]), decode_bytes(answer["signature"]))
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise ValueError("读不懂：要合格证二维码的文字，或含有 payload 和 signature 的 JSON") from None


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _unpacked(text: str) -> Statement:
    try:
        data = base45.decode(text.removeprefix(QR_PREFIX))
        values: list[Any] = data[SIGNATURE_BYTES:].decode().split("\n")
        payload = dict(zip(FIELDS, values, strict=True))
        return Statement(canonical(payload | {"v": int(payload["v"])}), data[:SIGNATURE_BYTES])
    except (ValueError, UnicodeDecodeError):
        raise ValueError("二维码不完整或不是合格证") from None
