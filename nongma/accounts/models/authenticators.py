from base64 import b32decode

from django_otp.plugins.otp_totp.models import TOTPDevice

from nongma.lib.fields import decrypt


class Authenticator(TOTPDevice):
    """An application on a person's phone that shows one-time codes (动态口令); its secret lies encrypted."""

    class Meta:
        proxy = True
        verbose_name = "动态口令"
        verbose_name_plural = "动态口令"

    @property
    def bin_key(self) -> bytes:
        """The secret as django-otp reckons and draws with it; `key` holds it encrypted."""
        return b32decode(decrypt(self.key))
