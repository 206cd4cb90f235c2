"""Work on many records: uploaded sheets and decisions on a whole (批量导入、批量审核)."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from nongma.accounts.models import User
from nongma.accounts.queries import done_by
from nongma.accounts.wholes import WholeJob
from nongma.lib.ids import uuid7


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def visible_to(self, user: User) -> Self:
        """A person's own imports, and those that the holders of the person's posts before made in their time."""
        return self.filter(done_by(user))


class ImportJob(models.Model):
    """One uploaded workbook of 附件1 and how far its rows are (批量导入)."""

    class Status(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "导入中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+")
    file = models.FileField("文件", upload_to="imports/%Y%m")
    filename = models.CharField("文件名", max_length=200)
    size_bytes = models.BigIntegerField("大小（字节）")
    digest = models.BinaryField("SHA-256", max_length=32)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.QUEUED)
    message = models.CharField("说明", max_length=500, blank=True)
    total = models.IntegerField("行数", default=0)
    last_row = models.IntegerField("已处理到的行号", default=0)
    accepted = models.IntegerField("通过", default=0)
    to_locate = models.IntegerField("待定位", default=0)
    unchanged = models.IntegerField("已有", default=0)
    rejected = models.IntegerField("有误", default=0)
    attempts = models.SmallIntegerField("运行次数", default=0)
    created_at = models.DateTimeField("上传时间", auto_now_add=True)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    rows_removed_at = models.DateTimeField("逐行问题删除时间", null=True, blank=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        verbose_name = "批量导入"
        verbose_name_plural = "批量导入"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("user", "-id"), name="origins_import_user"),
            models.Index(fields=("finished_at",), condition=Q(rows_removed_at=None), name="origins_import_age"),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("origins:import-job", args=[self.uid])


class ImportRow(models.Model):
    """A row of an import that needs a person: what is wrong in which cell (导入问题)."""

    job = models.ForeignKey(ImportJob, models.PROTECT, verbose_name="导入", related_name="rows")
    row = models.IntegerField("行号")
    outcome = models.CharField("结果", max_length=12, choices=[("to_locate", "待定位"), ("rejected", "有误")])
    faults = models.JSONField("问题", help_text="[{field, code, message}]")

    class Meta:
        verbose_name = "导入问题"
        verbose_name_plural = "导入问题"
        ordering = ("job", "row")
        constraints = [models.UniqueConstraint(fields=("job", "row"), name="origins_import_row_once")]

    def __str__(self) -> str:
        return f"第 {self.row} 行"


class ReviewJob(WholeJob):
    """A decision on everything that a filter finds, when that is too much for one request (批量审核)."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", "通过"
        RETURN = "return", "退回"

    verdict = models.CharField("决定", max_length=8, choices=Verdict.choices)
    reason = models.CharField("退回原因", max_length=200, blank=True)
    until = models.DateTimeField("截至", help_text="页面打开的时间：之后改动过的记录不在其中")
    decided = models.IntegerField("已处理", default=0)

    class Meta:
        verbose_name = "批量审核"
        verbose_name_plural = "批量审核"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(verdict="return") | ~Q(reason=""), name="origins_review_job_return_reason"
            )
        ]
        indexes = [
            models.Index(
                fields=("moved_at",), condition=Q(status__in=("queued", "running")), name="origins_review_unfinished"
            ),
            models.Index(fields=("finished_at",), name="origins_review_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} {self.description}"

    @property
    def handled(self) -> int:
        return self.decided
