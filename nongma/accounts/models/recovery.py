from django.db import models

from nongma.accounts.models.people import User


class RecoveryCode(models.Model):
    """A code on paper that signs a person in once when the phone is lost (恢复码); only its hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name="人员", related_name="recovery_codes")
    digest = models.BinaryField("摘要", max_length=32)
    used_at = models.DateTimeField("使用时间", null=True, blank=True)

    class Meta:
        verbose_name = "恢复码"
        verbose_name_plural = "恢复码"
        constraints = [models.UniqueConstraint(fields=("user", "digest"), name="accounts_recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.user_id}"
