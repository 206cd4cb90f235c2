from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models.operators import Operator, OperatorMember


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def visible_to(self, user: User) -> Self:
        """Notices that the user may see: of operators in the agency's region, or to the user's own."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def open(self) -> Self:
        """Those that are not settled."""
        return self.filter(state__in=Correction.OPEN)


class Correction(models.Model):
    """A notice to an operator to put its record in the directory right by a day (督促整改通知书)."""

    class Matter(models.TextChoices):
        MISSING = "missing", "必要信息缺失"
        STALE = "stale", "信息更新不及时"
        WRONG = "wrong", "内容不准确"
        UNCODED = "uncoded", "有码没有用"

    class State(models.TextChoices):
        SENT = "sent", "待整改"
        ANSWERED = "answered", "待确认"
        RETURNED = "returned", "退回重改"
        DONE = "done", "已整改"
        WITHDRAWN = "withdrawn", "已撤回"

    OPEN = (State.SENT, State.ANSWERED, State.RETURNED)

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="corrections")
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+")
    matter = models.CharField("事由", max_length=8, choices=Matter.choices)
    fields = ArrayField(models.CharField(max_length=12), verbose_name="涉及的项目", default=list)
    finding = models.CharField("问题", max_length=300)
    demand = models.CharField("整改要求", max_length=300)
    due_on = models.DateField("整改期限")
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.SENT)
    sent_by = models.ForeignKey(User, models.PROTECT, verbose_name="发出人", related_name="+")
    sent_at = models.DateTimeField("发出时间", auto_now_add=True)
    answer = models.CharField("整改情况", max_length=500, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="答复人", related_name="+")
    answered_at = models.DateTimeField("答复时间", null=True)
    note = models.CharField("意见", max_length=200, blank=True)
    settled_at = models.DateTimeField("办结时间", null=True)
    # A number, so that the sending may go when its time is over and the notices stay as they are.
    sending = models.UUIDField("批量发出", null=True, editable=False)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = "督促整改通知"
        verbose_name_plural = "督促整改通知"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("operator", "matter"),
                condition=Q(state__in=("sent", "answered", "returned")),
                name="registry_correction_one_open",
            ),
            models.UniqueConstraint(
                fields=("sending", "operator"), condition=Q(sending__isnull=False), name="registry_correction_sent_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("done", "withdrawn"), settled_at__isnull=False)
                | Q(state__in=("sent", "answered", "returned"), settled_at=None),
                name="registry_correction_settled",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("answered", "done")) | ~Q(answer=""), name="registry_correction_answered"
            ),
        ]
        indexes = [
            models.Index(
                fields=("due_on", "id"),
                condition=Q(state__in=("sent", "answered", "returned")),
                name="registry_correction_due",
            ),
            models.Index(fields=("region", "id"), name="registry_correction_place"),
        ]

    def __str__(self) -> str:
        return f"{self.operator}：{self.get_matter_display()}"

    def get_absolute_url(self) -> str:
        return reverse("registry:correction", args=[self.operator.code, self.uid])

    @property
    def is_open(self) -> bool:
        """Whether it is not settled."""
        return self.state in Correction.OPEN

    @property
    def tone(self) -> str:
        """The colour of the state on screen."""
        return {"sent": "amber", "answered": "blue", "returned": "red", "done": "green"}.get(self.state, "grey")
