"""Personal data at rest: encrypted with the field key, found again by a keyed hash."""

import base64
import functools
import hmac
import os
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

from nongma.lib import keys

NONCE_BYTES = 12


@functools.cache
def _key() -> bytes:
    return keys.key_bytes(settings.DATA, "NONGMA_FIELD_KEY", 32)


@functools.cache
def _cipher() -> AESGCM:
    return AESGCM(_key())


def encrypt(text: str) -> str:
    """The text under AES-256-GCM, as URL-safe base64 of nonce and ciphertext."""
    nonce = os.urandom(NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + _cipher().encrypt(nonce, text.encode(), b"")).decode()


def decrypt(stored: str) -> str:
    """The text that `encrypt` hid; raises `cryptography.exceptions.InvalidTag` when the key is not the same."""
    raw = base64.urlsafe_b64decode(stored)
    return _cipher().decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], b"").decode()


def blind_index(text: str) -> bytes:
    """A keyed hash by which an encrypted value is found again (16 bytes of HMAC-SHA-256)."""
    return hmac.digest(_key(), text.encode(), "sha256")[:16]


if TYPE_CHECKING:
    TextField = models.TextField[Any, Any]
else:
    TextField = models.TextField


class EncryptedTextField(TextField):
    """Text that the database holds encrypted. It can't be searched: keep a `blind_index` beside it."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value
