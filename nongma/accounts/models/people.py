from datetime import date, timedelta
from functools import cached_property
from typing import ClassVar, NamedTuple, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from nongma.accounts.models.agencies import Agency
from nongma.accounts.models.third_parties import ThirdParty
from nongma.lib.fields import EncryptedTextField
from nongma.lib.grams import NameGrams, grams_of
from nongma.lib.ids import uuid7
from nongma.lib.masking import mask_phone
from nongma.regions.models import Region
from nongma.regions.spans import Span, span_of


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


ROLE_INDEXES = [
    models.Index(
        fields=("place", "id"), condition=models.Q(roles__contains=[role.value]), name=f"accounts_user_{role.value}"
    )
    for role in Role
    if role != Role.OPERATOR
]


class Standing(NamedTuple):
    """A role that somebody has today: in which range, at an agency of which kind; an operator's person has neither."""

    role: Role
    span: Span | None
    kind: Agency.Kind | None


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: "User") -> Self:
        """People whose accounts the person looks after: of the agencies overseen, and operators' people of the area."""
        own = user.administers
        if any(agency.oversees_all for agency in own):
            return self
        query = models.Q(pk__in=())
        for agency in own:
            if agency.kind != Agency.Kind.SUPERVISION:
                query |= models.Q(agency=agency)
                continue
            start, stop = agency.span
            same = Agency.objects.filter(models.Q(pk=agency.pk) | models.Q(parent=agency, region=agency.region_id))
            query |= models.Q(place__range=(start + 1, stop)) | models.Q(agency__in=list(same))
            query |= models.Q(place=start, is_operator=True)
        return self.filter(query)

    def called(self, text: str) -> Self:
        """People whose name holds the text (a single character must begin it), or whose username begins with it."""
        if text.isascii():
            return self.filter(username__startswith=text)
        found = self.alias(grams=NameGrams("name")).filter(grams__contains=grams_of(text))
        return found.filter(name__contains=text) if len(text) > 2 else found


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def visible_to(self, user: "User") -> UserQuerySet:
        """As the queryset's."""
        return self.get_queryset().visible_to(user)

    def called(self, text: str) -> UserQuerySet:
        """As the queryset's."""
        return self.get_queryset().called(text)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """A person who signs in (人员)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    username = models.CharField("用户名", max_length=60, unique=True)
    name = models.CharField("姓名", max_length=60)
    agency = models.ForeignKey(
        Agency,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="所在机构",
        help_text="管理这个账号的机构；主体人员没有",
        related_name="people",
    )
    third_party = models.ForeignKey(
        ThirdParty, models.PROTECT, null=True, blank=True, verbose_name="第三方机构", related_name="people"
    )
    place = models.BigIntegerField("所在地", null=True, help_text="所在机构或主体的区划代码，名单按它读")
    phone = EncryptedTextField("手机", index="phone_index", blank=True, default="")
    phone_index = models.BinaryField("手机索引", null=True, max_length=16)
    phone_proved_at = models.DateTimeField(
        "手机证实时间", null=True, blank=True, help_text="本人用发到这个号码的验证码证实过；换号以后重新证实"
    )
    email = EncryptedTextField("邮箱", blank=True, default="")
    is_active = models.BooleanField("启用", default=True, help_text="注销的账号不再启用")
    suspended_at = models.DateTimeField("停用时间", null=True, blank=True)
    suspended_for = models.CharField("停用原因", max_length=200, blank=True)
    suspended_level = models.SmallIntegerField("停用机关层级", choices=Region.Level.choices, null=True, blank=True)
    is_operator = models.BooleanField("是主体人员", default=False)
    is_demo = models.BooleanField("演示账号", default=False)
    must_change_password = models.BooleanField(
        "须修改密码", default=False, help_text="密码是管理员给的，本人改过之前什么都不能做"
    )
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role.choices),
        verbose_name="在任角色",
        default=list,
        db_default=[],
        blank=True,
        help_text="没有离任的职务的角色，名单按它筛选；服务写任职时一起写",
    )
    has_totp = models.BooleanField("已启用动态口令", default=False)
    epoch = models.IntegerField("登录批次", default=0, help_text="加一，这个人的所有登录和令牌立即失效")
    trained_on = models.DateField("最近培训日期", null=True, blank=True)
    created_at = models.DateTimeField("创建时间", auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = "用户"
        verbose_name_plural = "用户"
        constraints = [
            models.UniqueConstraint(Upper("username"), name="accounts_username_once"),
            models.CheckConstraint(
                condition=models.Q(agency=None) | models.Q(is_operator=False), name="accounts_user_one_side"
            ),
            models.CheckConstraint(
                condition=models.Q(phone_proved_at=None) | models.Q(phone_index__isnull=False),
                name="accounts_user_proved_phone",
            ),
        ]
        indexes = [
            models.Index(fields=("place", "id"), name="accounts_user_place"),
            models.Index(fields=("name", "id"), name="accounts_user_name"),
            models.Index(fields=("last_login", "id"), name="accounts_user_seen"),
            models.Index(fields=("phone_index",), name="accounts_user_phone"),
            models.Index(
                fields=("place", "id"), condition=models.Q(suspended_at__isnull=False), name="accounts_user_suspended"
            ),
            models.Index(fields=("place", "id"), condition=models.Q(is_active=False), name="accounts_user_closed"),
            models.Index(
                fields=("place", "id"), condition=models.Q(must_change_password=True), name="accounts_user_unclaimed"
            ),
            models.Index(
                fields=("place",),
                condition=models.Q(agency__isnull=False, is_active=True),
                name="accounts_user_counted",
            ),
            GinIndex(NameGrams("name"), name="accounts_user_grams"),
            *ROLE_INDEXES,
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("accounts:person", args=[self.uid])

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """What sessions and tokens carry a mark of: it changes with the password and with `epoch`."""
        salt = "nongma.accounts.models.User"
        return salted_hmac(salt, f"{self.epoch}:{self.password}", secret=secret, algorithm="sha256").hexdigest()

    @property
    def masked_phone(self) -> str:
        """The phone as most people may see it."""
        return mask_phone(self.phone)

    @property
    def is_open(self) -> bool:
        """Whether the account is not closed; a demo person's, whose password everybody knows, in the demo only."""
        return self.is_active and (settings.DEMO or not self.is_demo)

    @property
    def is_suspended(self) -> bool:
        """Whether the person, or the whole agency, is cut off for now."""
        return self.suspended_at is not None or (self.agency is not None and self.agency.is_suspended)

    @property
    def state_label(self) -> str:
        """How the account stands, in a word."""
        return self._shown_state[1]

    @property
    def state_tone(self) -> str:
        """The colour of that word."""
        return self._shown_state[0]

    @property
    def _shown_state(self) -> tuple[str, str]:
        if not self.is_active:
            return "grey", "已注销"
        if self.suspended_at:
            return "red", "已停用"
        if self.is_suspended:
            return "red", "机构已停用"
        if self.must_change_password:
            return "amber", "等本人修改密码"
        return "green", "在用"

    @property
    def may_sign_in(self) -> bool:
        """Whether the account is open, and neither the person nor the agency is suspended."""
        return self.is_open and not self.is_suspended

    @cached_property
    def administers(self) -> list[Agency]:
        """The agencies whose 平台管理员 the person is today, read once for a user object."""
        posts = self.memberships.active(timezone.localdate()).filter(role=Role.ADMINISTRATOR)
        return [post.agency for post in posts.filter(agency__suspended_at=None).select_related("agency__region")]

    @cached_property
    def standing(self) -> tuple[Standing, ...]:
        """How the person stands today, read once for a user object (so once a request).

        Who collects for a third party stands in the townships that it is authorised for today.
        """
        today = timezone.localdate()
        posts = self.memberships.active(today).filter(agency__suspended_at=None)
        held = [
            Standing(Role(role), span_of(code), Agency.Kind(kind))
            for role, code, kind in posts.values_list("role", "agency__region_id", "agency__kind")
        ]
        if self.third_party_id:
            towns = ThirdParty.towns_on(self.third_party_id, today)
            held += [Standing(Role.COLLECTOR, span_of(code), Agency.Kind.SUPERVISION) for code in towns]
        if self.is_operator:
            held.append(Standing(Role.OPERATOR, None, None))
        return tuple(held)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self, on: date) -> Self:
        """Posts held on a day."""
        return self.filter(from_on__lte=on).filter(models.Q(to_on=None) | models.Q(to_on__gte=on))


class Membership(models.Model):
    """A post that a person holds at an agency, from one day to another (任职)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="人员", related_name="memberships")
    agency = models.ForeignKey(Agency, models.PROTECT, verbose_name="机构", related_name="memberships", db_index=False)
    role = models.CharField("角色", max_length=20, choices=Role.choices)
    from_on = models.DateField("任职日期")
    to_on = models.DateField(
        "离任日期", null=True, blank=True, help_text="任职的最后一天；当天任命当天离任的是前一天，当即失效"
    )
    follows = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="接任",
        help_text="交接时，上一位的任职",
        related_name="followed_by",
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "任职"
        verbose_name_plural = "任职"
        constraints = [
            models.UniqueConstraint(
                fields=("user", "agency", "role"), condition=models.Q(to_on=None), name="accounts_membership_once"
            ),
            models.CheckConstraint(
                condition=models.Q(to_on=None) | models.Q(to_on__gte=models.F("from_on") - timedelta(days=1)),
                name="accounts_membership_dates",
            ),
            models.UniqueConstraint(
                fields=("agency",),
                condition=models.Q(role=Role.ADMINISTRATOR, to_on=None),
                name="accounts_one_administrator",
            ),
        ]
        indexes = [
            models.Index(fields=("agency", "role", "from_on"), name="accounts_membership_post"),
            models.Index(fields=("role", "user"), condition=models.Q(to_on=None), name="accounts_membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.get_role_display()}"

    @property
    def ended_on(self) -> date | None:
        """The last day as people read it: that of a post that began and ended on one day."""
        return max(self.to_on, self.from_on) if self.to_on else None
