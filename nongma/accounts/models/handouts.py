from typing import Self

from django.db import models
from django.urls import reverse

from nongma.accounts.models.agencies import Agency
from nongma.accounts.models.people import User
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7


class HandoutQuerySet(models.QuerySet["Handout"]):
    def visible_to(self, user: User) -> Self:
        """A person's own hand-outs, and those that the holders of the person's posts before made in their time.

        The slips of the latter stay with whoever made them (`handouts.slips.waiting_slips`).
        """
        from nongma.accounts.queries import done_by

        return self.filter(done_by(user))


class Handout(models.Model):
    """Accounts of agencies and people handed out by a spreadsheet (批量分配账号), and how far it is."""

    class Status(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "分配中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    file = models.FileField("文件", upload_to="handouts/%Y%m")
    filename = models.CharField("文件名", max_length=200)
    digest = models.BinaryField("SHA-256", max_length=32)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.QUEUED)
    message = models.CharField("说明", max_length=500, blank=True)
    total = models.IntegerField("行数", default=0)
    last_row = models.IntegerField("已处理到的行号", default=0)
    created = models.IntegerField("新账号", default=0)
    changed = models.IntegerField("新机构或新职务", default=0, help_text="没有新账号、只建了机构或加了职务的行")
    unchanged = models.IntegerField("已有", default=0)
    rejected = models.IntegerField("有误", default=0)
    agencies = models.IntegerField("新机构", default=0)
    attempts = models.SmallIntegerField("运行次数", default=0)
    created_at = models.DateTimeField("上传时间", auto_now_add=True)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    rows_removed_at = models.DateTimeField("逐行结果删除时间", null=True, blank=True)
    slips_cleared_at = models.DateTimeField("密码条清除时间", null=True, blank=True)

    objects = HandoutQuerySet.as_manager()

    class Meta:
        verbose_name = "批量分配账号"
        verbose_name_plural = "批量分配账号"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("user", "-id"), name="accounts_handout_user"),
            models.Index(
                fields=("created_at",),
                condition=models.Q(slips_cleared_at=None),
                name="accounts_handout_slips",
            ),
            models.Index(
                fields=("finished_at",), condition=models.Q(rows_removed_at=None), name="accounts_handout_age"
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("accounts:handout", args=[self.uid])


class HandoutRow(models.Model):
    """One row of a hand-out: the account that it made, or what is wrong (批量分配的一行).

    The first password stands here, encrypted, until its slip is done with.
    """

    handout = models.ForeignKey(Handout, models.PROTECT, verbose_name="批量分配", related_name="rows", db_index=False)
    row = models.IntegerField("行号")
    user = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="账号", related_name="+")
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, verbose_name="机构", related_name="+", db_index=False)
    first_password = EncryptedTextField("初始密码", blank=True, default="")
    faults = models.JSONField("问题", default=list, help_text="[{field, code, message}]")

    class Meta:
        verbose_name = "批量分配的一行"
        verbose_name_plural = "批量分配的一行"
        ordering = ("handout", "row")
        constraints = [models.UniqueConstraint(fields=("handout", "row"), name="accounts_handout_row_once")]
        indexes = [
            models.Index(
                fields=("handout", "row"), condition=~models.Q(first_password=""), name="accounts_handout_password"
            )
        ]

    def __str__(self) -> str:
        return f"第 {self.row} 行"


class UsernameSeries(models.Model):
    """The running number of the usernames that begin alike (用户名编号): taken under its row lock, so never twice."""

    prefix = models.CharField("开头", max_length=20, primary_key=True)
    last = models.IntegerField("最后的编号", default=0)

    class Meta:
        verbose_name = "用户名编号"
        verbose_name_plural = "用户名编号"

    def __str__(self) -> str:
        return f"{self.prefix}{self.last:04}"
