from datetime import date
from functools import cached_property
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.regions.spans import Span, span_of


class Agency(models.Model):
    """An authority or institution that works on the platform (机构)."""

    class Kind(models.TextChoices):
        SUPERVISION = "supervision", "监管"
        MONITORING = "monitoring", "监测"
        ENFORCEMENT = "enforcement", "执法"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    name = models.CharField("名称", max_length=100)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+")
    level = models.SmallIntegerField("层级", choices=Region.Level.choices)
    kind = models.CharField("类别", max_length=20, choices=Kind.choices)
    department = models.CharField("部门", max_length=40, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="上级机构")
    administrator = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="平台管理员", related_name="+"
    )

    class Meta:
        verbose_name = "机构"
        verbose_name_plural = "机构"
        ordering = ("region_id", "kind", "name")
        constraints = [models.UniqueConstraint(fields=("region", "kind", "name"), name="accounts_agency_once")]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a person is on the platform. docs/manual/roles.md and access.py say what each may do."""

    ADMINISTRATOR = "administrator", "平台管理员"
    REVIEWER = "reviewer", "审核员"
    COLLECTOR = "collector", "信息采集员"
    ANALYST = "analyst", "查询员"
    LABORATORY = "laboratory", "检测员"
    OFFICER = "officer", "执法人员"
    BRAND = "brand", "品牌管理员"
    OPERATOR = "operator", "主体人员"


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """A person who signs in (人员)."""

    username = models.CharField("用户名", max_length=60, unique=True)
    name = models.CharField("姓名", max_length=60)
    is_active = models.BooleanField("启用", default=True)
    is_operator = models.BooleanField("是主体人员", default=False)
    is_demo = models.BooleanField("演示账号", default=False)
    must_change_password = models.BooleanField(
        "须修改密码", default=False, help_text="密码是管理员给的，本人改过之前什么都不能做"
    )
    created_at = models.DateTimeField("创建时间", auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = "用户"
        verbose_name_plural = "用户"

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def may_sign_in(self) -> bool:
        """Whether the account is open; that of a demo person, whose password everybody knows, only in the demo."""
        return self.is_active and (settings.DEMO or not self.is_demo)

    @cached_property
    def standing(self) -> tuple[tuple[Role, Span | None], ...]:
        """Role and range of each post held today, read once for a user object (so once a request)."""
        posts = self.memberships.active(timezone.localdate()).values_list("role", "agency__region_id")
        held: tuple[tuple[Role, Span | None], ...] = tuple((Role(role), span_of(code)) for role, code in posts)
        return (*held, (Role.OPERATOR, None)) if self.is_operator else held


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self, on: date) -> Self:
        """Posts held on a day."""
        return self.filter(from_on__lte=on).filter(models.Q(to_on=None) | models.Q(to_on__gte=on))


class Membership(models.Model):
    """A post that a person holds at an agency, from one day to another (任职)."""

    user = models.ForeignKey(User, models.PROTECT, verbose_name="人员", related_name="memberships")
    agency = models.ForeignKey(Agency, models.PROTECT, verbose_name="机构", related_name="memberships")
    role = models.CharField("角色", max_length=20, choices=Role.choices)
    from_on = models.DateField("任职日期")
    to_on = models.DateField("离任日期", null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "任职"
        verbose_name_plural = "任职"
        constraints = [
            models.UniqueConstraint(
                fields=("user", "agency", "role"), condition=models.Q(to_on=None), name="accounts_membership_once"
            ),
            models.CheckConstraint(
                condition=models.Q(to_on=None) | models.Q(to_on__gte=models.F("from_on")),
                name="accounts_membership_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.get_role_display()}"


class IdempotencyKey(models.Model):
    """The first answer to a request that carried an `Idempotency-Key`, given again for the same key and body."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32, help_text="方法、地址和内容的 SHA-256")
    status = models.SmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "幂等键"
        verbose_name_plural = "幂等键"
        constraints = [models.UniqueConstraint(fields=("user", "key"), name="accounts_idempotency_once")]
        indexes = [models.Index(fields=("at",), name="accounts_idempotency_at")]

    def __str__(self) -> str:
        return self.key
