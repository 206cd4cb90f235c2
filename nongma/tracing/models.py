from typing import Self

from django.db import models
from django.db.models import F, Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.lib.ids import uuid7
from nongma.registry.models import Base, Operator


class LotQuerySet(models.QuerySet["Lot"]):
    def visible_to(self, user: User) -> Self:
        """Lots that the user may see: those of the agency's region, or of the user's own operators."""
        if user.is_operator:
            return self.filter(operator__members__user=user)
        return self.filter(scope_of(user).query("operator__region_id"))

    def editable_by(self, user: User) -> Self:
        """Lots that the user may change: those of the user's own operators."""
        return self.filter(operator__members__user=user)


class Lot(models.Model):
    """A quantity of one product that is handled as one (批次; ISO 22005 lot)."""

    class Kind(models.TextChoices):
        HARVEST = "harvest", "采收"
        PURCHASE = "purchase", "收购"
        MIX = "mix", "混装"
        SPLIT = "split", "分装"
        PACK = "pack", "包装"
        PROCESS = "process", "加工"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    serial = models.BigIntegerField("批次码序号", unique=True)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="lots")
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+")
    unit = models.CharField("单位", max_length=8, choices=Unit.choices)
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    base = models.ForeignKey(Base, models.PROTECT, null=True, blank=True, verbose_name="基地", related_name="lots")
    made_on = models.DateField("日期")
    frozen_at = models.DateTimeField("冻结时间", null=True, blank=True)
    recalled_at = models.DateTimeField("召回时间", null=True, blank=True)
    recall_reason = models.CharField("召回原因", max_length=200, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, verbose_name="登记人", related_name="+")
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = LotQuerySet.as_manager()

    class Meta:
        verbose_name = "批次"
        verbose_name_plural = "批次"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(recalled_at=None) | ~Q(recall_reason=""), name="tracing_lot_recall_reason"
            ),
        ]
        indexes = [models.Index(fields=("operator", "-id"), name="tracing_lot_operator")]

    def __str__(self) -> str:
        return f"{self.product} {self.made_on}"


class LotLink(models.Model):
    """How much of one lot went into another (来源去向)."""

    parent = models.ForeignKey(Lot, models.PROTECT, verbose_name="来源批次", related_name="outgoing")
    child = models.ForeignKey(Lot, models.PROTECT, verbose_name="去向批次", related_name="incoming")
    quantity = models.DecimalField("数量", max_digits=14, decimal_places=3)

    class Meta:
        verbose_name = "来源去向"
        verbose_name_plural = "来源去向"
        constraints = [
            models.UniqueConstraint(fields=("child", "parent"), name="tracing_link_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="tracing_link_quantity"),
            models.CheckConstraint(condition=~Q(parent=F("child")), name="tracing_link_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.parent} → {self.child}"


class LotEntry(models.Model):
    """One line of a lot's ledger (台账): the signed quantities of a lot add up to its balance."""

    class Reason(models.TextChoices):
        HARVEST = "harvest", "采收"
        SPLIT = "split", "分装"
        MIX = "mix", "混装"
        TRANSFER = "transfer", "交易"
        LOSS = "loss", "损耗"

    lot = models.ForeignKey(Lot, models.PROTECT, verbose_name="批次", related_name="entries")
    quantity = models.DecimalField("数量", max_digits=14, decimal_places=3)
    reason = models.CharField("原因", max_length=10, choices=Reason.choices)
    cause = models.UUIDField("凭据", null=True, blank=True)
    actor = models.ForeignKey(User, models.PROTECT, verbose_name="经手人", related_name="+")
    at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = "台账"
        verbose_name_plural = "台账"
        ordering = ("id",)
        constraints = [models.CheckConstraint(condition=~Q(quantity=0), name="tracing_entry_not_zero")]

    def __str__(self) -> str:
        return f"{self.quantity:+} {self.get_reason_display()}"


class TraceEvent(models.Model):
    """What happened to a lot, when, where, why and by whom (追溯事件; EPCIS event). Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lot_serial = models.BigIntegerField("批次码序号")
    step = models.CharField("业务步骤", max_length=20)
    at = models.DateTimeField("时间")
    region_code = models.BigIntegerField("地点", null=True)
    operator_uid = models.UUIDField("主体", null=True)
    details = models.JSONField("内容", default=dict)

    class Meta:
        verbose_name = "追溯事件"
        verbose_name_plural = "追溯事件"
        indexes = [models.Index(fields=("lot_serial", "id"), name="tracing_event_lot")]

    def __str__(self) -> str:
        return f"{self.step} {self.at:%Y-%m-%d}"
