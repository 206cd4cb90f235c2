import json
from typing import Any, Self

from django.db import models
from django.db.models import Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models.operators import Operator


class ClaimQuerySet(models.QuerySet["Claim"]):
    def visible_to(self, user: User) -> Self:
        """Claims of operators in the agency's region, or the user's own."""
        if user.is_operator:
            return self.filter(user=user)
        return self.filter(scope_of(user).query("region_id"))

    def revoked(self) -> Self:
        """Claims that were taken back: their person was not the owner."""
        return self.filter(state=Claim.State.REVOKED)

    def waiting(self) -> Self:
        """Claims that somebody has to decide on."""
        return self.filter(state=Claim.State.WAITING)


class Claim(models.Model):
    """A person says that an operator which an import put on file is theirs (认领).

    Whose proved phone stands on it takes it at once (`PROVED`), and `before_json` keeps what was imported, encrypted.
    A false one is taken back by the county (`REVOKED`), and its person claims that operator by phone no more.
    Who registered anew and met it another way waits for the county, with the new registration beside (`fresh`).
    """

    class State(models.TextChoices):
        PROVED = "proved", "手机号相符，已认领"
        WAITING = "waiting", "待核实"
        APPROVED = "approved", "已核实，已并入"
        RETURNED = "returned", "不是同一个"
        REVOKED = "revoked", "认领不实，已收回"

    class MetBy(models.TextChoices):
        PHONE = "phone", "手机号"
        USCC = "uscc", "统一社会信用代码"
        ID_NUMBER = "id_number", "身份证号"
        NAME = "name", "名称"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="claims")
    fresh = models.OneToOneField(Operator, models.PROTECT, null=True, verbose_name="新登记的主体", related_name="+")
    user = models.ForeignKey(User, models.PROTECT, verbose_name="认领人", related_name="+")
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+", db_index=False)
    met_by = models.CharField("凭什么", max_length=10, choices=MetBy.choices)
    before_json = EncryptedTextField("认领前", blank=True, default="")
    state = models.CharField("状态", max_length=10, choices=State.choices)
    asked_at = models.DateTimeField("认领时间", auto_now_add=True)
    due_on = models.DateField("核实期限", null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="核实人", related_name="+")
    decided_at = models.DateTimeField("核实时间", null=True)
    note = models.CharField("原因", max_length=200, blank=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = "主体认领"
        verbose_name_plural = "主体认领"
        ordering = ("id",)
        indexes = [
            models.Index(fields=("due_on", "id"), condition=Q(state="waiting"), name="registry_claim_due"),
            models.Index(fields=("-decided_at",), condition=Q(state="revoked"), name="registry_claim_revoked"),
        ]

    def __str__(self) -> str:
        return f"{self.operator}：{self.get_state_display()}"

    @property
    def before(self) -> dict[str, Any]:
        """What the import had put on file, for a claim by phone."""
        return dict(json.loads(self.before_json)) if self.before_json else {}
