from typing import ClassVar

from django.db import models

from nongma.accounts.models.people import User
from nongma.lib.fields import decrypt, encrypt


def renewed(stored: bytes) -> bytes:
    """A kept answer under the newest key."""
    return encrypt(decrypt(bytes(stored).decode())).encode()


class IdempotencyKey(models.Model):
    """The first answer to a request that carried an `Idempotency-Key`, given again for the same key and body."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, help_text="方法、地址和内容的 SHA-256")
    status = models.SmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField()
    at = models.DateTimeField(auto_now_add=True)

    encrypted: ClassVar = {"body": renewed}

    class Meta:
        verbose_name = "幂等键"
        verbose_name_plural = "幂等键"
        constraints = [models.UniqueConstraint(fields=("user", "key"), name="accounts_idempotency_once")]
        indexes = [models.Index(fields=("at",), name="accounts_idempotency_at")]

    def __str__(self) -> str:
        return self.key
