from datetime import date
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import User
from nongma.codes.codec import encode
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models import Operator
from nongma.tracing.holdings import HoldingQuerySet
from nongma.tracing.models import Lot


class Basis(models.TextChoices):
    """What the promise rests on (承诺依据). Source: 承诺达标合格证管理办法 (2025-4)."""

    QUALITY_CONTROL = "quality_control", "质量安全控制符合要求"
    SELF_TEST = "self_test", "自行检测合格"
    COMMISSIONED_TEST = "commissioned_test", "委托检测合格"


class CertificateTemplateQuerySet(models.QuerySet["CertificateTemplate"]):
    def standing(self, on: date) -> Self:
        """Versions in force on a day."""
        return self.filter(valid_from__lte=on).filter(Q(valid_to=None) | Q(valid_to__gte=on))


class CertificateTemplate(models.Model):
    """The wording and layout of the certificate in force from a day on (合格证样式)."""

    code = models.CharField("版本", max_length=20, unique=True)
    title = models.CharField("标题", max_length=60)
    producer_promise = ArrayField(models.CharField(max_length=200), verbose_name="生产者承诺")
    buyer_promise = ArrayField(models.CharField(max_length=200), verbose_name="收购者承诺")
    basis_labels = models.JSONField("承诺依据的写法", help_text="{basis: 该样式上的文字}")
    source = models.CharField("依据", max_length=200)
    verified = models.BooleanField("文字已核对", default=False)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)

    objects = CertificateTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = "合格证样式"
        verbose_name_plural = "合格证样式"
        ordering = ("valid_from",)
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="certificates_template_dates"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def bases(self) -> list[tuple[str, str]]:
        """Each basis with the words for it on this form, in the order of the form."""
        return [(basis, self.basis_labels[basis]) for basis in Basis.values if basis in self.basis_labels]


class CertificateQuerySet(HoldingQuerySet["Certificate"]):
    def in_state(self, state: str | None) -> Self:
        """Certificates in one state; all of them without one."""
        if not state:
            return self
        if state == Certificate.State.REVOKED:
            return self.exclude(revoked_at=None)
        if state == Certificate.State.RECALLED:
            return self.standing().exclude(lot__recalled_at=None)
        sound = self.standing().filter(lot__recalled_at=None)
        if state == Certificate.State.FROZEN:
            return sound.exclude(lot__frozen_at=None)
        return sound.filter(lot__frozen_at=None)

    def standing(self) -> Self:
        """Certificates that nobody revoked, whatever became of the lot."""
        return self.filter(revoked_at=None)


class Certificate(models.Model):
    """A grower's written promise that one lot meets the limits (承诺达标合格证).

    The words that were signed are in `payload`; whether it holds is derived from it and from its lot (`state`).
    `operator` and `region` are the lot's, kept here so that a county's list is one index range.
    """

    class State(models.TextChoices):
        """What a certificate is worth today. Never stored."""

        VALID = "valid", "有效"
        REVOKED = "revoked", "已作废"
        RECALLED = "recalled", "批次已召回"
        FROZEN = "frozen", "批次已冻结"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    serial = models.BigIntegerField("合格证码序号", unique=True)
    lot = models.ForeignKey(Lot, models.PROTECT, verbose_name="批次", related_name="certificates")
    operator = models.ForeignKey(
        Operator, models.PROTECT, verbose_name="主体", related_name="certificates", db_index=False
    )
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+", db_index=False)
    quantity = models.DecimalField("数量", max_digits=14, decimal_places=3)
    template = models.ForeignKey(
        CertificateTemplate, models.PROTECT, verbose_name="样式", related_name="+", db_index=False
    )
    basis = models.CharField("承诺依据", max_length=20, choices=Basis.choices)
    show_phone = models.BooleanField("标签上印完整联系方式", default=False)
    issued_by = models.ForeignKey(User, models.PROTECT, verbose_name="开具人", related_name="+", db_index=False)
    issued_at = models.DateTimeField("开具时间")
    revoked_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="作废人", related_name="+", db_index=False
    )
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
                condition=Q(revoked_at=None, revoked_by=None, revoke_reason="")
                | (Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~Q(revoke_reason="")),
                name="certificates_certificate_revoked_whole",
            ),
        ]
        indexes = [
            models.Index(fields=("operator", "-id"), name="certificates_operator"),
            models.Index(fields=("region", "-id"), name="certificates_region"),
            *(
                models.Index(
                    fields=(whose, "-id"),
                    condition=Q(revoked_at__isnull=False),
                    name=f"certificates_revoked_{whose}",
                )
                for whose in ("operator", "region")
            ),
        ]

    def __str__(self) -> str:
        return f"承诺达标合格证 {self.lot}"

    def get_absolute_url(self) -> str:
        return reverse("certificates:certificate", args=[self.code])

    @property
    def code(self) -> str:
        """The printed code (合格证码), 20 digits."""
        return encode(self.serial)

    @property
    def url(self) -> str:
        """What its QR carries."""
        return f"{settings.PUBLIC_URL}/t/{self.code}"

    @property
    def issued_on(self) -> date:
        return timezone.localdate(self.issued_at)

    @property
    def state(self) -> State:
        """What it is worth today; needs `lot` fetched."""
        if self.revoked_at:
            return self.State.REVOKED
        if self.lot.recalled_at:
            return self.State.RECALLED
        if self.lot.frozen_at:
            return self.State.FROZEN
        return self.State.VALID

    @property
    def tone(self) -> str:
        """The colour of the state on screen."""
        return {self.State.VALID: "green", self.State.FROZEN: "amber"}.get(self.state, "red")

    @property
    def promises(self) -> list[str]:
        """The promise that was made: a buyer's for produce that was bought, else the producer's."""
        return self.template.buyer_promise if self.lot.bought else self.template.producer_promise

    @property
    def basis_text(self) -> str:
        """The basis in the words of its version."""
        return str(self.template.basis_labels.get(self.basis, self.get_basis_display()))
