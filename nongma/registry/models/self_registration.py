from django.db import models

from nongma.accounts.models import User
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7


class PhoneCode(models.Model):
    """A code sent to a phone, by which its holder registers or signs in (短信验证码)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    phone_index = models.BinaryField("手机索引", max_length=16)
    digest = models.BinaryField("验证码摘要", max_length=32)
    sent_at = models.DateTimeField("发送时间", auto_now_add=True)
    expires_at = models.DateTimeField("有效到")
    wrong = models.PositiveSmallIntegerField("输错次数", default=0)
    used_at = models.DateTimeField("使用时间", null=True)

    class Meta:
        verbose_name = "短信验证码"
        verbose_name_plural = "短信验证码"
        ordering = ("id",)
        indexes = [
            models.Index(fields=("phone_index", "id"), name="registry_phone_code"),
            models.Index(fields=("sent_at",), name="registry_phone_code_age"),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class Draft(models.Model):
    """What a person has typed of their registration and not sent yet (草稿); encrypted JSON of the form's inputs."""

    user = models.OneToOneField(User, models.CASCADE, verbose_name="人员", related_name="registration_draft")
    inputs_json = EncryptedTextField("内容")
    changed_at = models.DateTimeField("修改时间", auto_now=True)

    class Meta:
        verbose_name = "登记草稿"
        verbose_name_plural = "登记草稿"
        ordering = ("id",)
        indexes = [models.Index(fields=("changed_at",), name="registry_draft_age")]

    def __str__(self) -> str:
        return f"{self.user}"
