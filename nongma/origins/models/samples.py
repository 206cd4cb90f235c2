"""Records drawn at random and looked at one by one, before the rest of what a filter finds is decided (抽查)."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from nongma.accounts.models import User
from nongma.accounts.queries import done_by
from nongma.lib.ids import uuid7
from nongma.origins.models.jobs import ReviewJob
from nongma.origins.models.origins import Origin


class ReviewSampleQuerySet(models.QuerySet["ReviewSample"]):
    def visible_to(self, user: User) -> Self:
        """A person's own samples, and those of the holders of the person's posts before in their time."""
        return self.filter(done_by(user))


class ReviewSample(models.Model):
    """A draw from what a filter found at `until`; the seed gives the same draw again."""

    class Status(models.TextChoices):
        LOOKING = "looking", "抽查中"
        DECIDED = "decided", "已办理"
        DROPPED = "dropped", "已放弃"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="抽查人", related_name="+")
    filters = models.JSONField("筛选条件")
    description = models.CharField("筛选说明", max_length=300)
    until = models.DateTimeField("截至", help_text="页面打开的时间：之后改动过的记录不在其中")
    seed = models.CharField("随机种子", max_length=32)
    total = models.IntegerField("待审核条数")
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.LOOKING)
    verdict = models.CharField(
        "对其余记录的决定", max_length=8, choices=ReviewJob.Verdict.choices, blank=True, default=""
    )
    job_uid = models.UUIDField("批量审核", null=True, unique=True, help_text="批量审核的过程到期删除，抽查保留")
    created_at = models.DateTimeField("抽取时间", auto_now_add=True)
    finished_at = models.DateTimeField("办结时间", null=True)

    objects = ReviewSampleQuerySet.as_manager()

    class Meta:
        verbose_name = "审核抽查"
        verbose_name_plural = "审核抽查"
        ordering = ("-id",)
        indexes = [models.Index(fields=("user", "-id"), name="origins_sample_user")]

    def __str__(self) -> str:
        return f"抽查 {self.description}"

    def get_absolute_url(self) -> str:
        return reverse("origins:sample", args=[self.uid])


class SampledOrigin(models.Model):
    """One record of a draw, and what the reviewer found."""

    class Finding(models.TextChoices):
        WAITING = "", "还没有看"
        RIGHT = "right", "没有问题"
        WRONG = "wrong", "有问题，已退回"
        GONE = "gone", "别人已处理"

    sample = models.ForeignKey(ReviewSample, models.PROTECT, verbose_name="抽查", related_name="drawn", db_index=False)
    origin = models.ForeignKey(Origin, models.PROTECT, verbose_name="记录", related_name="+")
    place = models.SmallIntegerField("序号")
    finding = models.CharField("结果", max_length=8, choices=Finding.choices, blank=True, default="")
    looked_at = models.DateTimeField("看的时间", null=True)

    class Meta:
        verbose_name = "抽中的记录"
        verbose_name_plural = "抽中的记录"
        ordering = ("sample", "place")
        constraints = [
            models.UniqueConstraint(fields=("sample", "place"), name="origins_sampled_place"),
            models.UniqueConstraint(fields=("sample", "origin"), name="origins_sampled_once"),
            models.CheckConstraint(
                condition=Q(finding="", looked_at=None) | ~Q(finding="") & Q(looked_at__isnull=False),
                name="origins_sampled_looked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place}. {self.origin}"

    @property
    def tone(self) -> str:
        """The colour that goes with the finding's word."""
        return {"right": "green", "wrong": "red", "gone": "grey"}.get(self.finding, "amber")
