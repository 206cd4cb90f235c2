"""Signatures that anyone can check without us: Ed25519 (RFC 8032), keys published as JWK (RFC 8037).

The secret is `NONGMA_SIGNING_KEY` (32 bytes). When it is replaced, the public half of the old one goes into
`NONGMA_SIGNING_KEYS_RETIRED`, so that what it signed can still be checked; docs/operate.md says how.
"""

import base64
import binascii
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from nongma.lib import keys

KEY_ID_LENGTH = 16
PUBLIC_BYTES = 32

Keys = Mapping[str, Ed25519PublicKey]


class Signed(NamedTuple):
    """A signature and the key that made it."""

    signature: bytes
    key_id: str


def current_key_id() -> str:
    """The id of the key that signs now, which the text to be signed may name."""
    return _secret()[1]


def sign(text: str) -> Signed:
    """Sign the text's UTF-8 bytes with the current key."""
    secret, key_id = _secret()
    return Signed(secret.sign(text.encode()), key_id)


def is_signed(text: str, signature: bytes, key_id: str, known: Keys) -> bool:
    """Whether one of the known keys, the one named, made the signature of this text."""
    key = known.get(key_id)
    if key is None:
        return False
    try:
        key.verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def public_keys() -> Keys:
    """The keys of this platform by id: the current one and the retired ones."""
    found = {_secret()[1]: _secret()[0].public_key()}
    for text in settings.RETIRED_SIGNING_KEYS:
        key = _public(text)
        found[key_id(key)] = key
    return found


def key_set() -> dict[str, Any]:
    """The public keys as a JWK set (RFC 7517), current one first."""
    return {"keys": [_jwk(key) | {"kid": name, "use": "sig", "alg": "EdDSA"} for name, key in public_keys().items()]}


def read_key_set(text: str) -> Keys:
    """The Ed25519 keys of a JWK set; each is known by its own thumbprint, whatever `kid` the set claims.

    Raises ValueError when the text is no JWK set.
    """
    try:
        members = json.loads(text)["keys"]
        found = [_public(member["x"]) for member in members if member["kty"] == "OKP" and member["crv"] == "Ed25519"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError("这不是公钥文件（JWK 集合）") from error
    return {key_id(key): key for key in found}


def key_id(key: Ed25519PublicKey) -> str:
    """The first characters of the key's JWK thumbprint (RFC 7638)."""
    canonical = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":"))
    return encode_bytes(hashlib.sha256(canonical.encode()).digest())[:KEY_ID_LENGTH]


def encode_bytes(data: bytes) -> str:
    """URL-safe base64 without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_bytes(text: str) -> bytes:
    """The bytes of `encode_bytes`; raises ValueError on other text."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"不是 base64url 文本：{text[:20]}") from error


@functools.cache
def _secret() -> tuple[Ed25519PrivateKey, str]:
    key = Ed25519PrivateKey.from_private_bytes(keys.key_bytes(settings.DATA, "NONGMA_SIGNING_KEY", 32))
    return key, key_id(key.public_key())


def _public(text: str) -> Ed25519PublicKey:
    raw = decode_bytes(text)
    if len(raw) != PUBLIC_BYTES:
        raise ValueError(f"公钥要 {PUBLIC_BYTES} 字节：{text[:20]}")
    return Ed25519PublicKey.from_public_bytes(raw)


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": encode_bytes(key.public_bytes_raw())}
