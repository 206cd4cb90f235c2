from typing import Self

from django.db import models

from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.registry.models.operators import Operator


class PhoneCode(models.Model):
    """A code sent to a phone, by which its holder registers or signs in (短信验证码)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    phone_index = models.BinaryField("手机索引", max_length=16)
    digest = models.BinaryField("验证码摘要", max_length=32)
    sent_at = models.DateTimeField("发送时间", auto_now_add=True)
    expires_at = models.DateTimeField("有效到")
    wrong = models.PositiveSmallIntegerField("输错次数", default=0)
    used_at = models.DateTimeField("使用时间", null=True)
    outgoing_uid = models.UUIDField("短信编号", null=True, help_text="答对了，这条短信不再占网络地址的限额")

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


class KnownTry(models.Model):
    """A try of a person to register or change what turned out to be on file (撞上已登记的主体); counted for a day."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name="人员", related_name="+", db_index=False)
    network = models.GenericIPAddressField("来源网络", null=True)
    at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = "查重"
        verbose_name_plural = "查重"
        ordering = ("id",)
        indexes = [
            models.Index(fields=("user", "at"), name="registry_known_try_account"),
            models.Index(fields=("network", "at"), name="registry_known_try_network"),
            models.Index(fields=("at",), name="registry_known_try_age"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.at:%Y-%m-%d %H:%M}"


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


class ProduceManager(models.Manager["Produce"]):
    def get_queryset(self) -> models.QuerySet["Produce"]:
        return super().get_queryset().select_related("product")


class Produce(models.Model):
    """What an operator said at its registration that it grows or keeps, and how much (产品和规模)."""

    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="produce", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+")
    scale = models.DecimalField("规模", max_digits=12, decimal_places=2, null=True)
    unit = models.CharField("单位", max_length=8, choices=Unit.choices)

    objects = ProduceManager()

    class Meta:
        verbose_name = "产品和规模"
        verbose_name_plural = "产品和规模"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=("operator", "product"), name="registry_produce_once"),
            models.CheckConstraint(
                condition=models.Q(scale=None) | models.Q(scale__gt=0), name="registry_produce_some"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product}（{self.operator}）"


class LicenceQuerySet(models.QuerySet["Licence"]):
    def current(self) -> Self:
        """The photos that stand; those that a newer one replaced stay for who asks what was reviewed."""
        return self.filter(replaced_at=None)


class Licence(models.Model):
    """A photo of an operator's licence (营业执照照片), sealed on the disk."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="licences", db_index=False)
    photo = models.FileField("照片", upload_to="licences/%Y%m")
    digest = models.BinaryField("SHA-256", max_length=32)
    uploaded_by = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    replaced_at = models.DateTimeField("换下时间", null=True)

    objects = LicenceQuerySet.as_manager()

    class Meta:
        verbose_name = "执照照片"
        verbose_name_plural = "执照照片"
        ordering = ("id",)
        indexes = [models.Index(fields=("operator", "id"), name="registry_licence_of_operator")]
        constraints = [
            models.UniqueConstraint(
                fields=("operator",), condition=models.Q(replaced_at=None), name="registry_licence_one_current"
            )
        ]

    def __str__(self) -> str:
        return f"{self.operator}"
