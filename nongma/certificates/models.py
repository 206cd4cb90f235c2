from datetime import date
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.lib.ids import uuid7
from nongma.tracing.models import Lot


class Basis(models.TextChoices):
    """What the promise rests on (承诺依据). Source: 承诺达标合格证管理办法 (2025-4)."""

    QUALITY_CONTROL = "quality_control", "质量安全控制符合要求"
    SELF_TEST = "self_test", "自行检测合格"
    COMMISSIONED_TEST = "commissioned_test", "委托检测合格"


class CertificateTemplate(models.Model):
    """The wording and layout of the certificate in force from a day on (合格证样式)."""

    code = models.CharField("版本", max_length=20, unique=True)
    title = models.CharField("标题", max_length=60)
    producer_promise = ArrayField(models.CharField(max_length=200), verbose_name="生产者承诺")
    buyer_promise = ArrayField(models.CharField(max_length=200), verbose_name="收购者承诺")
    source = models.CharField("依据", max_length=200)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)

    class Meta:
        verbose_name = "合格证样式"
        verbose_name_plural = "合格证样式"
        ordering = ("valid_from",)

    def __str__(self) -> str:
        return self.code


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def visible_to(self, user: User) -> Self:
        """Certificates that the user may see: of the agency's region, or of the user's own operators."""
        if user.is_operator:
            return self.filter(lot__operator__members__user=user)
        return self.filter(scope_of(user).query("lot__operator__region_id"))

    def editable_by(self, user: User) -> Self:
        """Certificates that the user may revoke: those of the user's own operators."""
        return self.filter(lot__operator__members__user=user)

    def valid(self, on: date) -> Self:
        """Certificates that hold on a day: issued, not revoked, of a lot that is neither frozen nor recalled."""
        return self.filter(
            issued_at__date__lte=on, revoked_at=None, lot__frozen_at=None, lot__recalled_at=None
        )


class Certificate(models.Model):
    """A grower's written promise that one lot meets the limits (承诺达标合格证)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    serial = models.BigIntegerField("合格证码序号", unique=True)
    lot = models.ForeignKey(Lot, models.PROTECT, verbose_name="批次", related_name="certificates")
    quantity = models.DecimalField("数量", max_digits=14, decimal_places=3)
    template = models.ForeignKey(CertificateTemplate, models.PROTECT, verbose_name="样式", related_name="+")
    basis = models.CharField("承诺依据", max_length=20, choices=Basis.choices)
    issued_by = models.ForeignKey(User, models.PROTECT, verbose_name="开具人", related_name="+")
    issued_at = models.DateTimeField("开具时间")
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name="作废人", related_name="+")
    revoked_at = models.DateTimeField("作废时间", null=True, blank=True)
    revoke_reason = models.CharField("作废原因", max_length=200, blank=True)
    payload = models.TextField("签名内容")
    signature = models.BinaryField("签名")
    key_id = models.CharField("密钥编号", max_length=20)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = "承诺达标合格证"
        verbose_name_plural = "承诺达标合格证"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="certificates_certificate_quantity"),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | ~Q(revoke_reason=""), name="certificates_certificate_revoke_reason"
            ),
        ]
        indexes = [models.Index(fields=("lot", "id"), name="certificates_certificate_lot")]

    def __str__(self) -> str:
        return f"承诺达标合格证 {self.lot}"
