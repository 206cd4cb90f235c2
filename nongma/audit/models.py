from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.lookups import IsNull

from nongma.lib.ids import uuid7
from nongma.regions.spans import EVERYWHERE, Span

BY_ROW = ("origin.imported", "origin.superseded", "operator.loaded", "operator.taken_back")
"""Actions that an upload writes once for each row: a log of thousands, read under the upload or its records."""


class EntryQuerySet(models.QuerySet["Entry"]):
    def of(self, target: models.Model) -> Self:
        """What happened to one record."""
        return self.filter(target_kind=kind_of(target), target_id=id_of(target))

    def within(self, spans: Iterable[Span]) -> Self:
        """Entries of places inside the spans; only who sees the whole country sees entries of no place."""
        known = list(spans)
        if EVERYWHERE in known:
            return self
        places = models.Q(pk__in=())
        for span in known:
            places |= models.Q(region_code__range=(span.start, span.stop))
        return self.filter(places)

    def deeds(self) -> Self:
        """What people did one by one, without what an import wrote row by row."""
        return self.exclude(action__in=BY_ROW)

    def between(self, start: datetime, stop: datetime) -> Self:
        """Entries written from `start` up to, not including, `stop`: their keys are in the order of time."""
        return self.filter(pk__gte=first_key(start), pk__lt=first_key(stop))


class Entry(models.Model):
    """One line of the audit log (审计): who did what, on what, when and from where. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField("时间")
    actor_id = models.BigIntegerField("操作人", null=True)
    actor_name = models.CharField("操作人姓名", max_length=60, blank=True)
    action = models.CharField("操作", max_length=60)
    target_kind = models.CharField("对象类型", max_length=40)
    target_id = models.CharField("对象编号", max_length=60)
    region_code = models.BigIntegerField("行政区划", null=True)
    details = models.JSONField("内容", default=dict)
    address = models.GenericIPAddressField("来源地址", null=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "审计记录"
        verbose_name_plural = "审计记录"
        ordering = ("id",)
        indexes = [
            models.Index(fields=("target_kind", "target_id", "id"), name="audit_entry_target"),
            models.Index(fields=("actor_id", "id"), name="audit_entry_actor"),
            models.Index(fields=("region_code", "id"), name="audit_entry_region"),
            # Between two deeds there may lie the rows of a province.
            models.Index(fields=("id",), condition=~models.Q(action__in=BY_ROW), name="audit_entry_deeds"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action}"


class Unsealed(models.Model):
    """An entry that waits for the next seal (待封存). Written with the entry, gone when it is sealed."""

    entry_id = models.UUIDField("审计记录", primary_key=True)

    class Meta:
        verbose_name = "待封存记录"
        verbose_name_plural = "待封存记录"

    def __str__(self) -> str:
        return str(self.entry_id)


class Seal(models.Model):
    """A sealed batch of audit entries: their Merkle root, chained to the seal before (审计封存)."""

    number = models.BigIntegerField("序号", primary_key=True)
    entry_ids: "models.Field[list[UUID], list[UUID]]" = ArrayField(models.UUIDField(), verbose_name="封存的记录")
    leaves = models.BinaryField("各记录的摘要", help_text="每条 32 字节，次序同封存的记录")
    root = models.BinaryField("根摘要", max_length=32)
    previous = models.BinaryField("上一封存摘要", max_length=32)
    digest = models.BinaryField("本封存摘要", max_length=32)
    sealed_at = models.DateTimeField("封存时间")

    class Meta:
        verbose_name = "审计封存"
        verbose_name_plural = "审计封存"
        ordering = ("number",)
        indexes = [models.Index(fields=("sealed_at",), name="audit_seal_time")]

    def __str__(self) -> str:
        return f"封存 {self.number}"


class Check(models.Model):
    """One check of the whole log against its seals, and what it found (审计核对)."""

    class State(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "核对中"
        DONE = "done", "已完成"
        FAILED = "failed", "没有完成"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    actor_id = models.BigIntegerField("核对人")
    actor_name = models.CharField("核对人姓名", max_length=60)
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.QUEUED)
    anchor_number = models.BigIntegerField("以前记下的序号", null=True)
    anchor_digest = models.BinaryField("以前记下的摘要", max_length=32, null=True)
    seals = models.BigIntegerField("读过的封存", default=0)
    entries = models.BigIntegerField("读过的记录", default=0)
    last_seal = models.BigIntegerField("开始时最后的封存", default=0)
    found = models.IntegerField("问题数", default=0)
    findings = models.JSONField("问题", default=list, help_text="最先的二十处")
    number = models.BigIntegerField("最后的封存", default=0)
    digest = models.BinaryField("最后的封存摘要", max_length=32, default=bytes)
    message = models.CharField("说明", max_length=200, blank=True)
    attempts = models.SmallIntegerField("运行次数", default=0)
    created_at = models.DateTimeField("开始时间", auto_now_add=True)
    finished_at = models.DateTimeField("完成时间", null=True)

    class Meta:
        verbose_name = "审计核对"
        verbose_name_plural = "审计核对"
        ordering = ("-id",)
        constraints = [
            # One at a time: the value is the same in every row that is not finished.
            models.UniqueConstraint(
                IsNull(models.F("finished_at"), True),
                condition=models.Q(finished_at=None),
                name="audit_check_once",
            ),
        ]
        indexes = [models.Index(fields=("finished_at",), name="audit_check_age")]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None

    @property
    def is_sound(self) -> bool:
        return self.state == self.State.DONE and not self.found

    @property
    def anchor(self) -> str:
        """Number and digest of the last seal, to be noted down outside the platform."""
        return f"{self.number}:{bytes(self.digest).hex()}" if self.number else ""


def first_key(at: datetime) -> UUID:
    """The smallest UUIDv7 of a moment."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def kind_of(target: Any) -> str:
    """What the log calls a kind of record: `origin`, `certificate`."""
    return str(target._meta.model_name)


def id_of(target: Any) -> str:
    """What the log calls one record: its uid, or its key when it has none."""
    return str(getattr(target, "uid", target.pk))
