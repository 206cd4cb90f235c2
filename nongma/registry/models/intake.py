from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from nongma.accounts.models import User
from nongma.accounts.queries import done_by
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.registry.models.operators import Operator


class IntakeQuerySet(models.QuerySet["Intake"]):
    def visible_to(self, user: User) -> Self:
        """A person's own loads, and those that the holders of the person's posts before made in their time."""
        return self.filter(done_by(user))


class Intake(models.Model):
    """One uploaded sheet of operators: checked first, loaded when confirmed, and taken back where it was a mistake
    (批量登记).
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "排队核对"
        CHECKING = "checking", "核对中"
        READY = "ready", "待确认"
        CONFIRMED = "confirmed", "排队登记"
        RUNNING = "running", "登记中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"
        DROPPED = "dropped", "已放弃"
        UNDOING = "undoing", "撤回中"
        UNDONE = "undone", "已撤回"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+")
    file = models.FileField("文件", upload_to="intakes/%Y%m")
    filename = models.CharField("文件名", max_length=200)
    digest = models.BinaryField("SHA-256", max_length=32)
    status = models.CharField("状态", max_length=9, choices=Status.choices, default=Status.QUEUED)
    message = models.CharField("说明", max_length=500, blank=True)
    approves = models.BooleanField("已核实，直接通过", default=False)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="确认人", related_name="+")
    total = models.IntegerField("行数", default=0)
    last_row = models.IntegerField("已处理到的行号", default=0)
    made = models.IntegerField("新登记", default=0)
    unchanged = models.IntegerField("已有，没有变化", default=0)
    differing = models.IntegerField("与已有的不同", default=0)
    doubled = models.IntegerField("表内重复", default=0)
    faulty = models.IntegerField("有误", default=0)
    undone = models.IntegerField("已撤回", default=0)
    undone_to = models.BigIntegerField("已撤回到", default=0)
    undone_for = models.CharField("撤回原因", max_length=200, blank=True)
    attempts = models.SmallIntegerField("运行次数", default=0)
    created_at = models.DateTimeField("上传时间", auto_now_add=True)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    rows_removed_at = models.DateTimeField("逐行结果删除时间", null=True, blank=True)

    objects = IntakeQuerySet.as_manager()

    class Meta:
        verbose_name = "批量登记"
        verbose_name_plural = "批量登记"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("user", "-id"), name="registry_intake_user"),
            models.Index(fields=("digest",), name="registry_intake_digest"),
            models.Index(fields=("finished_at",), condition=Q(rows_removed_at=None), name="registry_intake_age"),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("registry:intake", args=[self.uid])

    @property
    def done(self) -> int:
        """How many rows have been worked through."""
        return self.made + self.unchanged + self.differing + self.doubled + self.faulty


class IntakeRow(models.Model):
    """A row of a load that a person looks at: one that is wrong, differs or is doubled, and the first of the others
    (批量登记的行). What it shows of persons is masked.
    """

    class Outcome(models.TextChoices):
        NEW = "new", "新登记"
        UNCHANGED = "unchanged", "已有，没有变化"
        DIFFERS = "differs", "与已有的不同"
        DOUBLED = "doubled", "表内重复"
        FAULTY = "faulty", "有误"

    intake = models.ForeignKey(Intake, models.PROTECT, verbose_name="批量登记", related_name="rows", db_index=False)
    row = models.IntegerField("行号")
    outcome = models.CharField("结果", max_length=9, choices=Outcome.choices)
    shown = models.JSONField("这一行", help_text="{name, kinds, place, number, phone}")
    faults = models.JSONField("问题", help_text="[{field, code, message, value}]")
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, verbose_name="已有的主体", related_name="+")

    class Meta:
        verbose_name = "批量登记的行"
        verbose_name_plural = "批量登记的行"
        ordering = ("intake", "row")
        constraints = [models.UniqueConstraint(fields=("intake", "row"), name="registry_intake_row_once")]
        indexes = [models.Index(fields=("intake", "outcome", "row"), name="registry_intake_outcome")]

    def __str__(self) -> str:
        return f"第 {self.row} 行"


class IntakeOperator(models.Model):
    """An operator that a load put on file (批量登记的主体)."""

    intake = models.ForeignKey(Intake, models.PROTECT, verbose_name="批量登记", related_name="entries", db_index=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="intakes")
    row = models.IntegerField("行号")
    remark = EncryptedTextField("备注", blank=True, default="")
    undone_at = models.DateTimeField("撤回时间", null=True)

    class Meta:
        verbose_name = "批量登记的主体"
        verbose_name_plural = "批量登记的主体"
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=("intake", "operator"), name="registry_intake_operator_once")]
        indexes = [
            models.Index(fields=("intake", "id"), name="registry_intake_entries"),
            models.Index(fields=("operator",), condition=Q(undone_at__isnull=False), name="registry_intake_undone"),
        ]

    def __str__(self) -> str:
        return f"{self.operator}（{self.intake}）"
