"""Which record a line of 附件1 is about, and whether it says anything new; the same wherever it was typed."""

from nongma.lib.fields import digest_of
from nongma.origins.importing.judging import JudgedLine
from nongma.registry.models import COUNTY_WIDTH

KEY_BYTES = 12
PLACE_BYTES = 4


def key_of(one: JudgedLine) -> bytes:
    """The key of the records that a line may be about, 12 bytes."""
    return _key_of(one, (one.line.on_sale or "")[:7])


def key_a_year_before(one: JudgedLine) -> bytes | None:
    """The key of the 茬 before this one, of a line with a point that names its season."""
    on_sale = one.line.on_sale
    if not on_sale or one.longitude is None:
        return None
    return _key_of(one, f"{int(on_sale[:4]) - 1:04d}{on_sale[4:7]}")


def _key_of(one: JudgedLine, season: str) -> bytes:
    line = one.line
    parts = (one.region_code // COUNTY_WIDTH, line.name, line.phone, one.region_code, one.product_id, season)
    return digest_of("\x1f".join(map(str, parts)))[:KEY_BYTES]


def fingerprint_of(one: JudgedLine) -> bytes:
    """The content of a line but for its point, 16 bytes."""
    line = one.line
    parts = (
        line.name, line.kind, line.industry, one.product_id, line.alias, line.certifications, one.region_code,
        line.contact, line.phone, line.scale, line.unit, line.on_sale, line.off_sale, line.methods, line.traces,
        line.credit, line.grid_name, line.grid_phone, line.collector, line.collector_phone,
    )  # fmt: skip
    return digest_of("\x1f".join(map(str, parts)))


def identity_of(one: JudgedLine, *, key: bytes = b"", fingerprint: bytes = b"") -> bytes:
    """The key, and what tells records of one key apart: the point, or the content where there is none; 16 bytes.

    `key` and `fingerprint` of the line, where they have been made already.
    """
    if one.longitude is None:
        place = fingerprint or fingerprint_of(one)
    else:
        place = digest_of(f"{one.longitude},{one.latitude}")
    return (key or key_of(one)) + place[:PLACE_BYTES]
