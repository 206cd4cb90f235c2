import json
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models.operators import Operator, OperatorMember


class RevisionQuerySet(models.QuerySet["Revision"]):
    def visible_to(self, user: User) -> Self:
        """Changes that the user may see: of operators in the agency's region, or of the user's own."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def waiting(self) -> Self:
        """Changes that somebody has to decide on."""
        return self.filter(state=Revision.State.WAITING)


class Revision(models.Model):
    """A change of an approved operator's name, number, type or place, that takes effect by review (变更申请).

    `before` and `after` hold the inputs of the fields that change, as JSON, encrypted: they may tell of a person.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待审核"
        APPROVED = "approved", "已通过"
        RETURNED = "returned", "不同意"
        WITHDRAWN = "withdrawn", "已撤回"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="revisions")
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+")
    fields = ArrayField(models.CharField(max_length=20), verbose_name="改动的项目")
    before_json = EncryptedTextField("改动前")
    after_json = EncryptedTextField("改动后")
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey(User, models.PROTECT, verbose_name="申请人", related_name="+")
    asked_at = models.DateTimeField("申请时间", auto_now_add=True)
    due_on = models.DateField("审核期限")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="审核人", related_name="+")
    decided_at = models.DateTimeField("审核时间", null=True)
    note = models.CharField("审核意见", max_length=200, blank=True)

    objects = RevisionQuerySet.as_manager()

    class Meta:
        verbose_name = "主体变更申请"
        verbose_name_plural = "主体变更申请"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("operator",), condition=Q(state="waiting"), name="registry_revision_one_waiting"
            )
        ]
        indexes = [models.Index(fields=("due_on", "id"), condition=Q(state="waiting"), name="registry_revision_due")]

    def __str__(self) -> str:
        return f"{self.operator}：{self.get_state_display()}"

    @property
    def before(self) -> dict[str, Any]:
        """The inputs that change, as they stood when the change was asked for."""
        return dict(json.loads(self.before_json))

    @property
    def after(self) -> dict[str, Any]:
        """The inputs that change, as they are wanted; the region by its code."""
        return dict(json.loads(self.after_json))
