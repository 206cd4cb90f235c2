from typing import TYPE_CHECKING, Self

from django.db import models

from nongma.accounts.models.agencies import Agency
from nongma.lib.ids import uuid7

if TYPE_CHECKING:
    from nongma.accounts.models.people import User


class TrainingQuerySet(models.QuerySet["Training"]):
    def visible_to(self, user: "User") -> Self:
        """Those that the person's own agencies held."""
        return self.filter(agency__in=[agency.pk for agency in user.administers])


class Training(models.Model):
    """A training that an agency held, with the people who took part (培训).

    Source: 粤农农办〔2018〕42号, 三（一）.
    """

    class Mode(models.TextChoices):
        ON_SITE = "on_site", "现场"
        REMOTE = "remote", "远程"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    agency = models.ForeignKey(Agency, models.PROTECT, verbose_name="组织机构", related_name="trainings")
    title = models.CharField("培训内容", max_length=100)
    held_on = models.DateField("培训日期")
    mode = models.CharField("方式", max_length=10, choices=Mode.choices)
    created_by = models.ForeignKey("accounts.User", models.PROTECT, verbose_name="登记人", related_name="+")
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = TrainingQuerySet.as_manager()

    class Meta:
        verbose_name = "培训"
        verbose_name_plural = "培训"
        ordering = ("-held_on", "-id")
        indexes = [models.Index(fields=("agency", "-held_on"), name="accounts_training_agency")]

    def __str__(self) -> str:
        return self.title


class Attendance(models.Model):
    """A person who took part in a training (参训)."""

    training = models.ForeignKey(Training, models.PROTECT, verbose_name="培训", related_name="attendances")
    user = models.ForeignKey("accounts.User", models.PROTECT, verbose_name="人员", related_name="attendances")

    class Meta:
        verbose_name = "参训"
        verbose_name_plural = "参训"
        constraints = [models.UniqueConstraint(fields=("training", "user"), name="accounts_attendance_once")]

    def __str__(self) -> str:
        return f"{self.user_id}"


class Target(models.Model):
    """By when an agency's area shall be rolled out (推广时限); divisions below follow it unless they have their own."""

    agency = models.OneToOneField(Agency, models.PROTECT, verbose_name="机构", related_name="target")
    accounts_due_on = models.DateField("账号分配完成日期")
    training_due_on = models.DateField("培训完成日期")
    set_by = models.ForeignKey("accounts.User", models.PROTECT, verbose_name="设定人", related_name="+")
    set_at = models.DateTimeField("设定时间", auto_now=True)

    class Meta:
        verbose_name = "推广时限"
        verbose_name_plural = "推广时限"

    def __str__(self) -> str:
        return f"{self.agency} {self.accounts_due_on}"


class Figures(models.Model):
    """How far one county, or an agency above the counties, has come (推广进度): counted, never added to.

    Suspended agencies and closed accounts are left out.
    """

    region_code = models.BigIntegerField("区划代码", primary_key=True)
    agencies = models.IntegerField("机构", default=0)
    agencies_with_account = models.IntegerField("已分配账号的机构", default=0)
    towns_with_agency = models.IntegerField("有机构的乡镇", default=0)
    people = models.IntegerField("人员账号", default=0)
    people_in_use = models.IntegerField("已登录的人员", default=0)
    people_trained = models.IntegerField("已培训的人员", default=0)
    counted_at = models.DateTimeField("统计时间", auto_now=True)

    class Meta:
        verbose_name = "推广进度"
        verbose_name_plural = "推广进度"

    def __str__(self) -> str:
        return f"{self.region_code:012}"
