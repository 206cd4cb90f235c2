from base64 import b32decode
from typing import ClassVar

from django_otp.plugins.otp_totp.models import TOTPDevice

from nongma.lib.fields import decrypt_bytes, encrypt_bytes

TEXT_BYTES = 32


def secret_of(stored: str) -> bytes:
    """The 20 bytes of a secret, which earlier was kept as 32 characters of base32."""
    raw = decrypt_bytes(stored)
    return b32decode(raw) if len(raw) == TEXT_BYTES else raw


def renewed(stored: str) -> str:
    """The same secret under the newest key; as bytes, as 80 characters hold no longer text with the name of a key."""
    return encrypt_bytes(secret_of(stored))


class Authenticator(TOTPDevice):
    """An application on a person's phone that shows one-time codes (动态口令); its secret lies encrypted."""

    encrypted: ClassVar = {"key": renewed}

    class Meta:
        proxy = True
        verbose_name = "动态口令"
        verbose_name_plural = "动态口令"

    @property
    def bin_key(self) -> bytes:
        """The secret as django-otp reckons and draws with it; `key` holds it encrypted."""
        return secret_of(self.key)
