"""Personal data at rest: encrypted with the newest field key, read with all, found again by a keyed hash.

A value names its key: `<id>.<base64>`. One without a name, as written before keys had names, is of the oldest key.
"""

import base64
import functools
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection, models

from nongma.lib import keys

FIELD_KEY, OLD_KEYS, DIGEST_KEY = "NONGMA_FIELD_KEY", "NONGMA_FIELD_KEYS_OLD", "NONGMA_DIGEST_KEY"
NONCE_BYTES = 12
ID_LETTERS = 8
TURN = (0x6669_656C, 0)


class KeyRing:
    """The field keys as they were at one moment, newest first."""

    def __init__(self, raw: tuple[bytes, ...]) -> None:
        self.keys = raw
        self.ids = [key_id(key) for key in raw]
        self.newest = self.ids[0]
        self.ciphers = {name: AESGCM(key) for name, key in zip(self.ids, raw, strict=True)}

    def split(self, stored: str) -> tuple[str, str]:
        """The name of a value's key, and the rest of it."""
        name, dot, rest = stored.partition(".")
        return (name, rest) if dot else (self.ids[-1], stored)


def key_id(key: bytes) -> str:
    """The short name of a key, which tells nothing of it."""
    return hashlib.sha256(b"nongma field key id" + key).hexdigest()[:ID_LETTERS]


_held: tuple[Any, KeyRing] | None = None


def ring(*, anew: bool = False) -> KeyRing:
    """The keys: read again when the key file is another than the one that was read last, or `anew`."""
    global _held
    stamp = keys.stamp(settings.DATA, FIELD_KEY)
    if _held is None or anew or _held[0] != stamp:
        _held = stamp, KeyRing(keys.ring(settings.DATA, FIELD_KEY, OLD_KEYS, 32))
    return _held[1]


def hold_keys() -> None:
    """Let no key be added until this transaction ends.

    What makes sure that an index is on file once begins with this: whoever wrote with the keys of before has
    committed when the new key writes, so a look-up by all keys sees it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", TURN)


def encrypt_bytes(raw: bytes) -> str:
    """Bytes under AES-256-GCM with the newest key: its name, and URL-safe base64 of nonce and ciphertext."""
    return _sealed(ring(), raw)


def _sealed(held: KeyRing, raw: bytes) -> str:
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + held.ciphers[held.newest].encrypt(nonce, raw, b"")
    return f"{held.newest}.{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt_bytes(stored: str) -> bytes:
    """The bytes that `encrypt_bytes` hid; raises `cryptography.exceptions.InvalidTag` when the key is not held."""
    held = _held[1] if _held else ring()
    name, rest = held.split(stored)
    if name not in held.ciphers:
        held = ring(anew=True)
        if name not in held.ciphers:
            raise InvalidTag
    raw = base64.urlsafe_b64decode(rest)
    return held.ciphers[name].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], b"")


def encrypt(text: str) -> str:
    """A text as `encrypt_bytes` hides it."""
    return encrypt_bytes(text.encode())


def decrypt(stored: str) -> str:
    """The text that `encrypt` hid; raises as `decrypt_bytes`."""
    return decrypt_bytes(stored).decode()


def blind_index(text: str) -> bytes:
    """The keyed hash to write beside an encrypted value (16 bytes of HMAC-SHA-256), of the newest key."""
    return _hashed(ring().keys[0], text)


def blind_indexes(text: str) -> list[bytes]:
    """The keyed hashes of a value by all keys, newest first: to look it up, also while keys are changed."""
    return [_hashed(key, text) for key in ring().keys]


def encrypt_many(texts: Iterable[str]) -> list[str]:
    """Texts as `encrypt` hides each, the keys looked up once; an empty one stays empty."""
    held = ring()
    return [_sealed(held, text.encode()) if text else "" for text in texts]


def blind_index_many(texts: Iterable[str]) -> list[bytes | None]:
    """The `blind_index` of each text, the keys looked up once; None of an empty one."""
    newest = ring().keys[0]
    return [_hashed(newest, text) if text else None for text in texts]


def blind_indexes_many(texts: Iterable[str]) -> list[list[bytes]]:
    """The `blind_indexes` of each text, the keys looked up once."""
    held = ring().keys
    return [[_hashed(key, text) for key in held] for text in texts]


def digest_of(text: str) -> bytes:
    """A keyed hash (16 bytes) of what is compared and never encrypted beside it; the same whatever the field key is."""
    return _hashed(_digest_key(), text)


def _hashed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")[:16]


@functools.cache
def _digest_key() -> bytes:
    given = keys.given(settings.DATA, DIGEST_KEY)
    return keys.raw_key(given, DIGEST_KEY, 32) if given else ring().keys[-1]


if TYPE_CHECKING:
    TextField = models.TextField[Any, Any]
else:
    TextField = models.TextField


class EncryptedTextField(TextField):
    """Text that the database holds encrypted. It can't be searched: name the column of a blind index beside it.

    `index`: that column, which comes after this one; `indexed_as` makes the text that is hashed from the text and the
    columns `index_with`. Saving the text writes its index, so that both are of one key.
    """

    def __init__(
        self,
        *args: Any,
        index: str = "",
        index_with: tuple[str, ...] = (),
        indexed_as: Callable[..., str] = str,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.index, self.index_with, self.indexed_as = index, index_with, indexed_as

    def clone(self) -> "EncryptedTextField":
        copy: EncryptedTextField = super().clone()
        copy.index, copy.index_with, copy.indexed_as = self.index, self.index_with, self.indexed_as
        return copy

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if self.index:
            setattr(model_instance, self.index, self.index_of(value, model_instance) if value else None)
        return value

    def index_of(self, text: str, row: object) -> bytes:
        """The blind index of a text of a row, or of what holds its columns `index_with`, by the newest key."""
        return blind_index(self.indexed_as(text, *(getattr(row, name) for name in self.index_with)))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value
