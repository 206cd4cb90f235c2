from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Left
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry
from nongma.codes.codec import encode
from nongma.lib.fields import EncryptedTextField
from nongma.lib.grams import NameGrams, grams_of
from nongma.lib.ids import uuid7
from nongma.lib.masking import mask_address, mask_id, mask_name, mask_phone
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS

COUNTY_WIDTH = WIDTHS[Region.Level.COUNTY]


class OperatorKind(models.TextChoices):
    """What an operator does in the trade (主体类型); one operator may do several things."""

    ENTERPRISE = "enterprise", "农产品生产企业"
    COOPERATIVE = "cooperative", "农民专业合作社"
    FAMILY_FARM = "family_farm", "家庭农场"
    HOUSEHOLD = "household", "农户"
    BROKER = "broker", "农村经纪人"
    PURCHASER = "purchaser", "收购单位"
    WHOLESALE_MARKET = "wholesale_market", "批发市场"
    RETAILER = "retailer", "零售市场/商超"
    PROCESSOR = "processor", "加工"
    LOGISTICS = "logistics", "仓储物流"
    E_COMMERCE = "e_commerce", "电商平台"
    INPUT_DEALER = "input_dealer", "农资经营"


PERSONS = (OperatorKind.HOUSEHOLD, OperatorKind.BROKER)
"""Who goes by a person's name unless licensed."""

KIND_INDEXES = [
    models.Index(fields=("region", "id"), condition=Q(kinds__contains=[kind.value]), name=f"registry_is_{kind.value}")
    for kind in OperatorKind
]


class OperatorQuerySet(models.QuerySet["Operator"]):
    def visible_to(self, user: User) -> Self:
        """Operators that the user may see: those of the agency's region, or the user's own."""
        if user.is_operator:
            return self.filter(pk__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def editable_by(self, user: User) -> Self:
        """Operators that the user may change."""
        if user.is_operator:
            return self.filter(pk__in=OperatorMember.objects.owners().operators_of(user))
        return self.visible_to(user)

    def named(self, text: str) -> Self:
        """Operators whose name holds the text; a single character must begin it, as a surname does."""
        if len(text) == 1:
            return self.alias(first=Left("name", 1)).filter(first=text)
        found = self.alias(grams=NameGrams("name")).filter(grams__contains=grams_of(text))
        return found.filter(name__contains=text) if len(text) > 2 else found

    def firms(self) -> Self:
        """Operators whose name is no person's (`registry.names.is_person`)."""
        return self.exclude(Q(uscc=None) & Q(kinds__overlap=PERSONS))

    def waiting(self) -> Self:
        """Operators that somebody has to decide on."""
        return self.filter(status=Operator.Status.SUBMITTED)


class Operator(models.Model):
    """Whoever grows, buys, sells, stores or processes produce and is registered for it (主体)."""

    Kind = OperatorKind

    class Status(models.TextChoices):
        IMPORTED = "imported", "待认领"
        SUBMITTED = "submitted", "待审核"
        APPROVED = "approved", "已通过"
        RETURNED = "returned", "已退回"
        SUSPENDED = "suspended", "已停用"
        CANCELLED = "cancelled", "已注销"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    serial = models.BigIntegerField("主体码序号", unique=True)
    kinds = ArrayField(models.CharField(max_length=20, choices=OperatorKind.choices), verbose_name="主体类型")
    name = models.CharField("名称", max_length=100)
    uscc = models.CharField("统一社会信用代码", max_length=18, null=True, blank=True, unique=True)
    id_number = EncryptedTextField("身份证号", index="id_index", blank=True, default="")
    id_index = models.BinaryField("身份证号索引", null=True, unique=True, max_length=16)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+")
    address = EncryptedTextField("地址", blank=True, default="")
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    industries = ArrayField(
        models.CharField(max_length=10, choices=Industry.choices), verbose_name="行业", default=list, blank=True
    )
    contact = models.CharField("联系人", max_length=60, blank=True)
    phone = EncryptedTextField("手机", index="phone_index", blank=True, default="")
    phone_index = models.BinaryField("手机索引", null=True, max_length=16)
    status = models.CharField("状态", max_length=12, choices=Status.choices)
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="审核人", related_name="+"
    )
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    review_note = models.CharField("审核意见", max_length=200, blank=True)
    review_faults = models.JSONField("要改的项目", default=dict, db_default={}, blank=True)
    due_on = models.DateField("审核期限", null=True, blank=True)
    stopped_for = models.CharField("停用或注销原因", max_length=200, blank=True, default="", db_default="")
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name="并入", related_name="merged"
    )
    created_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="登记人", related_name="+")
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    large_for = models.CharField("为什么算规模主体", max_length=300, blank=True, default="", db_default="")
    confirmed_on = models.DateField("最近修改或确认日期", null=True, blank=True)
    used_on = models.DateField("最近用码日期", null=True, blank=True)

    objects = OperatorQuerySet.as_manager()

    class Meta:
        verbose_name = "主体"
        verbose_name_plural = "主体"
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=Q(kinds__len__gt=0), name="registry_operator_has_kind"),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(status="cancelled"), name="registry_operator_merged_is_cancelled"
            ),
            models.CheckConstraint(
                condition=Q(longitude=None, latitude=None) | (Q(longitude__isnull=False) & Q(latitude__isnull=False)),
                name="registry_operator_point_whole",
            ),
            models.UniqueConstraint(
                "phone_index", "name", F("region_id") / COUNTY_WIDTH, name="registry_operator_once"
            ),
        ]
        indexes = [
            models.Index(fields=("region", "id"), name="registry_operator_place"),
            models.Index(fields=("status", "region", "id"), name="registry_operator_status"),
            models.Index(fields=("due_on", "id"), condition=Q(status="submitted"), name="registry_operator_due"),
            models.Index(fields=("region", "id"), condition=~Q(large_for=""), name="registry_operator_large"),
            GinIndex(NameGrams("name"), name="registry_operator_grams"),
            # A surname has a twentieth of a nation: the other index would read it whole.
            models.Index(Left("name", 1), "region", "id", name="registry_operator_first"),
            *KIND_INDEXES,
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("registry:operator", args=[self.code])

    @property
    def code(self) -> str:
        """The 20 digits of the 主体码."""
        return encode(self.serial)

    @property
    def masked_contact(self) -> str:
        """The contact's name as most people may see it."""
        return mask_name(self.contact)

    @property
    def masked_phone(self) -> str:
        """The phone as most people may see it."""
        return mask_phone(self.phone)

    @property
    def is_unlicensed(self) -> bool:
        """Whether it has no 统一社会信用代码 on file: its address may be where somebody lives, whatever its name."""
        return not self.uscc

    @property
    def shown_address(self) -> str:
        """The address as most people may see it: masked unless it is in the public register, as a firm's is."""
        return mask_address(self.address) if self.is_unlicensed else self.address

    @property
    def masked_id_number(self) -> str:
        """The ID number as most people may see it."""
        return mask_id(self.id_number)

    @property
    def tone(self) -> str:
        """The colour of the status on screen."""
        return STATUS_TONES[Operator.Status(self.status)]

    @property
    def kind_names(self) -> str:
        """The kinds in words: 农民专业合作社、收购单位."""
        return "、".join(OperatorKind(kind).label for kind in self.kinds)

    @property
    def industry_names(self) -> str:
        """The industries in words: 种植业、渔业."""
        return "、".join(Industry(industry).label for industry in self.industries)


NOT_TRADING = {Operator.Status.SUSPENDED, Operator.Status.CANCELLED}
STATUS_TONES = {
    Operator.Status.IMPORTED: "blue",
    Operator.Status.SUBMITTED: "amber",
    Operator.Status.APPROVED: "green",
    Operator.Status.RETURNED: "amber",
    Operator.Status.SUSPENDED: "red",
    Operator.Status.CANCELLED: "grey",
}


class OperatorMemberQuerySet(models.QuerySet["OperatorMember"]):
    def open(self) -> Self:
        """Who acts for an operator now; the rest is history."""
        return self.filter(to_at=None)

    def owners(self) -> Self:
        """The 负责人 of now."""
        return self.open().filter(role=OperatorMember.Role.OWNER)

    def operators_of(self, user: User) -> "models.QuerySet[OperatorMember, Any]":
        """The keys of the operators that a person acts for now: for `operator__in`."""
        return self.open().filter(user=user).values("operator")


class OperatorMember(models.Model):
    """A person of an operator, from one moment to another (主体人员); a new role is a new row, none is deleted."""

    class Role(models.TextChoices):
        OWNER = "owner", "负责人"
        STAFF = "staff", "员工"

    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="members")
    user = models.ForeignKey(User, models.PROTECT, verbose_name="人员", related_name="operator_memberships")
    role = models.CharField("角色", max_length=8, choices=Role.choices)
    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    from_at = models.DateTimeField("开始时间", default=timezone.now)
    to_at = models.DateTimeField("结束时间", null=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="办理结束的人", related_name="+")

    objects = OperatorMemberQuerySet.as_manager()

    class Meta:
        verbose_name = "主体人员"
        verbose_name_plural = "主体人员"
        constraints = [
            models.UniqueConstraint(
                fields=("operator", "user"), condition=Q(to_at=None), name="registry_member_open_once"
            ),
            models.CheckConstraint(
                condition=Q(to_at=None) | Q(to_at__gte=F("from_at")), name="registry_member_ends_after"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}（{self.operator}）"
