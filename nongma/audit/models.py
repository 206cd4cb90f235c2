from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from nongma.lib.ids import uuid7
from nongma.regions.spans import EVERYWHERE, Span

BY_ROW = ("origin.imported", "origin.superseded")
"""Actions that an import writes once for each row: a log of thousands, read under the import."""


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


def first_key(at: datetime) -> UUID:
    """The smallest UUIDv7 of a moment."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def kind_of(target: Any) -> str:
    """What the log calls a kind of record: `origin`, `certificate`."""
    return str(target._meta.model_name)


def id_of(target: Any) -> str:
    """What the log calls one record: its uid, or its key when it has none."""
    return str(getattr(target, "uid", target.pk))
