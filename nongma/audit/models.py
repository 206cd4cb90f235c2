from django.db import models

from nongma.lib.ids import uuid7


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

    class Meta:
        verbose_name = "审计记录"
        verbose_name_plural = "审计记录"
        ordering = ("id",)
        indexes = [
            models.Index(fields=("target_kind", "target_id", "id"), name="audit_entry_target"),
            models.Index(fields=("actor_id", "id"), name="audit_entry_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action}"


class Seal(models.Model):
    """A sealed batch of audit entries: their Merkle root, chained to the seal before (审计封存)."""

    number = models.BigIntegerField("序号", primary_key=True)
    entry_ids = models.JSONField("封存的记录")
    root = models.BinaryField("根摘要")
    previous = models.BinaryField("上一封存摘要")
    digest = models.BinaryField("本封存摘要")
    sealed_at = models.DateTimeField("封存时间")

    class Meta:
        verbose_name = "审计封存"
        verbose_name_plural = "审计封存"
        ordering = ("number",)

    def __str__(self) -> str:
        return f"封存 {self.number}"
