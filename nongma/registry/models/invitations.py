from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from nongma.accounts.models import User
from nongma.lib.fields import EncryptedTextField, blind_indexes
from nongma.lib.ids import uuid7
from nongma.lib.masking import mask_phone
from nongma.registry.models.operators import Operator, OperatorMember


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def waiting(self) -> Self:
        """Those that may still be answered."""
        return self.filter(state=Invitation.State.WAITING, expires_at__gt=timezone.now())

    def sent_to(self, user: User) -> Self:
        """Those to the phone that a person has proved, answered or not."""
        if not user.is_operator or not user.phone_proved_at:
            return self.none()
        return self.filter(phone_index__in=blind_indexes(user.phone))

    def asking(self, user: User) -> Self:
        """Those that a person may answer."""
        return self.sent_to(user).waiting()


class Invitation(models.Model):
    """Somebody is asked by phone to act for an operator, by its owner or an agency (邀请); good for a few days.

    It is to a phone, whoever has it: whether that is on file is told to nobody. Whoever has proved the phone says yes
    or no.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待本人同意"
        ACCEPTED = "accepted", "已同意"
        DECLINED = "declined", "没有同意"
        WITHDRAWN = "withdrawn", "已撤回"
        LAPSED = "lapsed", "已过期"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="invitations")
    role = models.CharField(
        "角色", max_length=8, choices=OperatorMember.Role.choices, default=OperatorMember.Role.STAFF
    )
    name = models.CharField("姓名", max_length=60, blank=True, default="")
    phone = EncryptedTextField("手机", index="phone_index", blank=True, default="")
    phone_index = models.BinaryField("手机索引", max_length=16, null=True)
    user = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="同意的人", related_name="+")
    invited_by = models.ForeignKey(User, models.PROTECT, verbose_name="邀请人", related_name="+")
    invited_at = models.DateTimeField("邀请时间", auto_now_add=True)
    expires_at = models.DateTimeField("有效到")
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.WAITING)
    settled_at = models.DateTimeField("答复或撤回时间", null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = "主体人员邀请"
        verbose_name_plural = "主体人员邀请"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("phone_index", "operator"), condition=Q(state="waiting"), name="registry_invitation_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at=None) | (~Q(state="waiting") & Q(settled_at__isnull=False)),
                name="registry_invitation_settled",
            ),
        ]
        indexes = [
            models.Index(fields=("expires_at",), condition=Q(user=None), name="registry_invitation_age"),
        ]

    def __str__(self) -> str:
        return f"{self.operator}：{self.get_state_display()}"

    @property
    def masked_phone(self) -> str:
        """The phone as most people may see it."""
        return mask_phone(self.phone)

    @property
    def about(self) -> str:
        """What notices of it are kept under."""
        return f"invitation:{self.uid}"
