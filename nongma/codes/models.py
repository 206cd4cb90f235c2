from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from nongma.lib.ids import uuid7


class CodeRange(models.Model):
    """Consecutive serials that stand for one subject (码段): serials `start` to `stop - 1`."""

    class Kind(models.TextChoices):
        OPERATOR = "operator", "主体码"
        BASE = "base", "基地码"
        LOT = "lot", "批次码"
        CERTIFICATE = "certificate", "合格证码"
        ITEM = "item", "单品码"

    class State(models.TextChoices):
        ACTIVE = "active", "有效"
        VOID = "void", "作废"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    start = models.BigIntegerField("起始序号", unique=True)
    stop = models.BigIntegerField("结束序号（不含）")
    kind = models.CharField("种类", max_length=12, choices=Kind.choices)
    subject = models.UUIDField("所指对象", db_index=True)
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.ACTIVE)
    created_at = models.DateTimeField("发码时间", auto_now_add=True)

    class Meta:
        verbose_name = "码段"
        verbose_name_plural = "码段"
        ordering = ("start",)
        constraints = [
            models.CheckConstraint(
                condition=Q(start__gte=0) & Q(stop__gt=F("start")) & Q(stop__lte=10**12), name="codes_range_order"
            ),
            ExclusionConstraint(
                name="codes_range_apart",
                expressions=[
                    (
                        Func(
                            F("start"),
                            F("stop"),
                            Value("[)"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    )
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.start}–{self.stop - 1}"


class Scan(models.Model):
    """One look at a code by a shopper, a buyer or an officer (扫码). Append-only, no personal data."""

    pk = models.CompositePrimaryKey("serial", "id")
    serial = models.BigIntegerField("序号")
    id = models.UUIDField(default=uuid7, editable=False)
    kind = models.CharField("种类", max_length=12)
    at = models.DateTimeField("时间")
    answer = models.CharField("结果", max_length=12)

    class Meta:
        verbose_name = "扫码记录"
        verbose_name_plural = "扫码记录"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.serial}"
