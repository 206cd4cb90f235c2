"""Checking a certificate without a network, a database or a secret (离线验证)."""

import enum
import json
from dataclasses import dataclass
from typing import Any

from nongma.certificates.payload import FIELDS, read
from nongma.lib.signing import Keys, is_signed


class Finding(enum.StrEnum):
    """What the check of a signature found."""

    GENUINE = "genuine"
    UNREADABLE = "unreadable"
    UNKNOWN_KEY = "unknown_key"
    FORGED = "forged"


REASONS = {
    Finding.GENUINE: "签名有效：内容自开具后未被改动。是否已作废或召回，联网后以扫码结果为准",
    Finding.UNKNOWN_KEY: "签名的密钥不在公钥文件中：请更新公钥文件，或它不是本平台开具的",
    Finding.FORGED: "签名与内容不符：内容被改动过，或是伪造的",
}


@dataclass(frozen=True)
class Verdict:
    """The answer of a check; `fields` are what was signed, empty unless it is genuine."""

    finding: Finding
    reason: str
    fields: dict[str, Any]

    @property
    def genuine(self) -> bool:
        return self.finding == Finding.GENUINE


def verify(text: str, known: Keys) -> Verdict:
    """Check a statement against public keys: whether we signed it, not whether it was revoked since."""
    try:
        statement = read(text)
    except ValueError as error:
        return Verdict(Finding.UNREADABLE, str(error), {})
    try:
        fields = json.loads(statement.payload)
        name = fields["kid"]
        if not set(FIELDS) <= fields.keys() or not isinstance(name, str):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Verdict(Finding.UNREADABLE, "签名内容不是合格证", {})
    if name not in known:
        return _verdict(Finding.UNKNOWN_KEY)
    if not is_signed(statement.payload, statement.signature, name, known):
        return _verdict(Finding.FORGED)
    return _verdict(Finding.GENUINE, fields)


def _verdict(finding: Finding, fields: dict[str, Any] | None = None) -> Verdict:
    return Verdict(finding, REASONS[finding], fields or {})
