"""Answers as they go out: the shopper's page in two languages, the same as data, and the pages that say no."""

import base64
import functools
import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.template.loader import get_template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from nongma.codes.models import CodeRange
from nongma.lib.signing import is_signed, public_keys
from nongma.public import words
from nongma.public.negotiation import Form, Language
from nongma.public.places import county_map
from nongma.public.queries import GONE, MOST_SCANS_COUNTED, Held, Party, Place, Promise, State, Subject

STYLE = (Path(__file__).parent / "templates" / "public" / "style.css").read_text(encoding="utf-8").strip()
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
MARK = f"data:image/svg+xml,{quote((settings.ROOT / 'static' / 'nongma' / 'mark.svg').read_text().strip())}"
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
TYPED_PLACEHOLDER = "@" * 20
STATUSES = {"false": 404, "unknown": 404, "malformed": 404, "ask": 200, "busy": 503, "error": 500}

logger = logging.getLogger("nongma.public")


@dataclass(frozen=True)
class Answer:
    """One answer: status, headers and body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def subject_answer(subject: Subject, form: Form, language: Language) -> Answer:
    """What a known code shows; 410 when it must no longer be relied on."""
    status = 410 if subject.state in GONE else 200
    if form is Form.HTML:
        return _answer(status, form, language, subject_page(subject, language).encode())
    data = subject_data(subject)
    if status == 410:
        what, meaning = words.BANNERS[Language.CHINESE][subject.state]
        data = _problem(status, subject.state, what, subject.reason or meaning) | data
    return _answer(status, form, language, _json(data))


def plain_answer(page: str, form: Form, language: Language, typed: str = "") -> Answer:
    """A page that tells of no subject: false, unknown, malformed, ask or error. `typed` stands in its field."""
    if form is Form.JSON and page == "ask":
        page = "malformed"
    status = STATUSES[page]
    if form is Form.JSON:
        what, meaning = words.BANNERS[Language.CHINESE][page]
        return _answer(status, form, language, _json(_problem(status, f"code_{page}", what, meaning)))
    return _answer(status, form, language, _plain_page(page, language, typed).encode(errors="replace"))


def coded_parts(page: str, language: Language) -> tuple[Answer, bytes, bytes]:
    """A plain page cut where its 20 digits stand, so that a million codes cost no rendering."""
    whole = plain_answer(page, Form.HTML, language, TYPED_PLACEHOLDER)
    before, after = whole.body.split(TYPED_PLACEHOLDER.encode())
    return whole, before, after


def subject_page(subject: Subject, language: Language) -> str:
    """The page of a known code."""
    w = words.WORDS[language]
    certificate, origin = subject.certificate, subject.origin
    banner = _banner_of(subject)
    context = _frame(banner, language) | {
        "heading": _product(subject, language) or subject.operator.name,
        "reason": subject.reason,
        "product": _product(subject, language),
        "alias": subject.alias,
        "quantity": _amount(subject.quantity, subject.unit, language),
        "made_label": words.LOT_KINDS[language].get(subject.lot_kind, w["made_on"]),
        "made_on": subject.made_on.isoformat() if subject.made_on else "",
        "certificate": certificate,
        "parties": _parties(subject, language),
        "held": [(_held_name(one, language), one) for one in subject.held],
        "products": w["separator"].join(subject.products),
        "origin": origin,
        "code": _grouped(subject.code),
        "kind": words.KINDS[language][subject.kind],
        "office": f"/operators/{subject.code}/" if subject.kind is CodeRange.Kind.OPERATOR else "",
        "lot_code": _grouped(subject.lot_code) if subject.lot_code != subject.code else [],
        "journey": [(words.STEPS[language][step.step], step.on.isoformat(), step.place) for step in subject.journey],
        "scanned": _scanned(subject, w),
    }
    if certificate is not None:
        context |= {
            "promises": _promises(certificate, language),
            "basis": certificate.basis_text if language is Language.CHINESE else words.BASES[certificate.basis],
            "issued_on": _day(certificate.issued_at),
            "revoked_on": _day(certificate.revoked_at),
            "certificate_code": _grouped(certificate.code),
            "certificate_state": words.CERTIFICATE_STATES[language][certificate.state],
            "holds": certificate.state is State.VALID,
            "signed": _is_signed(certificate),
        }
    if origin is not None:
        context |= {
            "map": _map(origin),
            "area": f"{_plain(origin.area_mu)} {w['mu']}" if origin.area_mu else "",
            "methods": _labels(words.METHODS, origin.methods, language),
            "certifications": _labels(words.CERTIFICATIONS, origin.certifications, language),
        }
    return get_template("public/subject.html").render(context)


def subject_data(subject: Subject) -> dict[str, Any]:
    """The same as data."""
    origin, certificate = subject.origin, subject.certificate
    return {
        "kind": subject.kind.value,
        "state": subject.state.value,
        "state_label": words.BANNERS[Language.CHINESE][_banner_of(subject)][0],
        "reason": subject.reason,
        "trace_code": subject.code,
        "url": f"{settings.PUBLIC_URL}/t/{subject.code}",
        "product": subject.product or None,
        "product_code": subject.product_code or None,
        "alias": subject.alias,
        "quantity": _plain(subject.quantity) or None,
        "unit": subject.unit or None,
        "lot": {"code": subject.lot_code, "kind": subject.lot_kind, "made_on": subject.made_on}
        if subject.lot_code
        else None,
        "operator": _party_data(subject.operator),
        "grower": _party_data(subject.grower or subject.operator),
        "origin": {
            "path": origin.path,
            "region": str(origin.region),
            "base": origin.base,
            "longitude": origin.longitude,
            "latitude": origin.latitude,
            "area_mu": _plain(origin.area_mu) or None,
            "varieties": origin.varieties,
            "measures": origin.measures,
            "methods": origin.methods,
            "certifications": origin.certifications,
        }
        if origin
        else None,
        "certificate": _certificate_data(certificate, subject.unit) if certificate else None,
        "certifications": [
            {
                "kind": one.kind,
                "name": _held_name(one, Language.CHINESE),
                "number": one.number,
                "valid_until": one.to_on,
                "confirmed": one.confirmed,
            }
            for one in subject.held
        ],
        "products": subject.products,
        "journey": [{"step": step.step, "on": step.on, "place": step.place} for step in subject.journey],
        "scans": {"count": subject.scans, "first_at": subject.first_scan},
    }


def problem_answer(status: int, code: str, title: str, detail: str) -> Answer:
    """A problem document (RFC 9457) that stands for no page."""
    return _answer(status, Form.JSON, Language.CHINESE, _json(_problem(status, code, title, detail)))


def _party_data(party: Party) -> dict[str, Any]:
    return {
        "code": party.code,
        "name": party.name,
        "kinds": party.kinds,
        "place": party.place,
        "contact": party.contact,
        "phone": party.phone,
    }


def _certificate_data(certificate: Promise, unit: str) -> dict[str, Any]:
    return {
        "code": certificate.code,
        "state": certificate.state.value,
        "quantity": _plain(certificate.quantity),
        "unit": unit,
        "issued_on": _day(certificate.issued_at),
        "basis": certificate.basis,
        "basis_label": certificate.basis_text,
        "promises": certificate.promises,
        "revoked_on": _day(certificate.revoked_at) or None,
        "revoke_reason": certificate.revoke_reason,
        "signature_valid": _is_signed(certificate),
        "key_id": certificate.key_id,
    }


def _banner_of(subject: Subject) -> str:
    """Which banner stands on top: that of the state, or of what kind of good it is."""
    if subject.state is not State.VALID:
        return subject.state
    if subject.kind in {CodeRange.Kind.OPERATOR, CodeRange.Kind.BASE}:
        return subject.kind.value
    return State.VALID if subject.certificate else "uncertified"


def _frame(banner: str, language: Language) -> dict[str, Any]:
    tone = words.TONES.get(banner, words.GOOD)
    return {
        "w": words.WORDS[language],
        "mark": MARK,
        "style": mark_safe(STYLE),  # noqa: S308 (our own file)
        "tone": tone,
        "icon": words.ICONS[tone],
        "banner": words.BANNERS[language][banner],
        "helplines": settings.HELPLINES,
    }


def _plain_page(page: str, language: Language, typed: str) -> str:
    return get_template("public/page.html").render(_frame(page, language) | {"typed": typed})


def _parties(subject: Subject, language: Language) -> list[tuple[str, Party, str]]:
    """Who grew it, and who issued the certificate when that is somebody else."""
    w = words.WORDS[language]
    if subject.grower is None:
        label = w["grower"] if subject.product else w["operator"]
        found = [(label, subject.operator)]
    else:
        found = [(w["grower"], subject.grower), (w["issuer"], subject.operator)]
    return [(label, party, _labels(words.OPERATOR_KINDS, party.kinds, language)) for label, party in found]


def _held_name(held: Held, language: Language) -> str:
    return held.name or words.HELD[language][held.kind]


def _promises(certificate: Promise, language: Language) -> list[str]:
    if language is Language.CHINESE:
        return certificate.promises
    return [words.PROMISES.get(promise, promise) for promise in certificate.promises]


def _product(subject: Subject, language: Language) -> str:
    if language is Language.ENGLISH and subject.product_english:
        return f"{subject.product_english} ({subject.product})"
    return subject.product


def _scanned(subject: Subject, w: words.Words) -> str:
    """How often the code was looked at: a package whose code many have seen before may be a copy."""
    if not subject.first_scan:
        return w["scanned_once"]
    count = w["many"] if subject.scans >= MOST_SCANS_COUNTED else w["times"]
    first = timezone.localtime(subject.first_scan)
    return w["scanned"].format(count=count.format(count=subject.scans), first=f"{first:%Y-%m-%d %H:%M}")


def _map(origin: Place) -> SafeString:
    if origin.longitude is None or origin.latitude is None:
        return SafeString("")
    return county_map(origin.region, origin.longitude, origin.latitude, origin.path)


def _amount(quantity: Decimal | None, unit: str, language: Language) -> str:
    return f"{_plain(quantity)} {words.UNITS[language].get(unit, unit)}" if quantity is not None else ""


def _plain(number: Decimal | None) -> str:
    """A decimal without idle zeros: 10.500 → 10.5."""
    if number is None:
        return ""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _grouped(code: str) -> list[str]:
    """The code in fours, as people read digits out."""
    return [code[start : start + 4] for start in range(0, len(code), 4)]


def _labels(of: dict[Language, words.Words], values: Iterable[str], language: Language) -> str:
    return words.WORDS[language]["separator"].join(of[language].get(value, value) for value in values)


def _day(moment: datetime | None) -> str:
    return timezone.localdate(moment).isoformat() if moment else ""


def _problem(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:nongma:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [],
    }


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, default=str).encode()


@functools.cache
def _headers(status: int, form: Form, language: Language) -> list[tuple[bytes, bytes]]:
    kinds = {Form.HTML: b"text/html; charset=utf-8", Form.JSON: b"application/json"}
    problem = form is Form.JSON and status >= 400
    headers = [
        (b"content-type", b"application/problem+json" if problem else kinds[form]),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept, Accept-Language"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", POLICY.encode()),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    if form is Form.HTML:
        headers.append((b"content-language", language.value.encode()))
    else:
        headers.append((b"access-control-allow-origin", b"*"))
    if settings.SECURE:
        headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    if status == 503:
        headers.append((b"retry-after", b"5"))
    return headers


def _answer(status: int, form: Form, language: Language, body: bytes) -> Answer:
    length = (b"content-length", str(len(body)).encode())
    return Answer(status, [*_headers(status, form, language), length], body)


def _is_signed(certificate: Promise) -> bool:
    """Whether one of this platform's keys signed what stands on file: a row changed by hand is found out."""
    if not is_signed(certificate.payload, certificate.signature, certificate.key_id, public_keys()):
        return False
    signed = json.loads(certificate.payload)
    return (signed["code"], signed["quantity"], signed["basis"]) == (
        certificate.code,
        _plain(certificate.quantity),
        certificate.basis,
    )
