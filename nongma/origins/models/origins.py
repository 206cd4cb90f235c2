"""A line of 附件1 (产地溯源信息): where one product of one season comes from."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Industry, Product, Unit
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models import Base, Operator, OperatorMember


class OriginQuerySet(models.QuerySet["Origin"]):
    def visible_to(self, user: User) -> Self:
        """Records that the user may see: those in the agency's region, or of the user's own operators."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def current(self) -> Self:
        """Records that no later one has taken the place of."""
        return self.exclude(state=Origin.State.SUPERSEDED)


CURRENT = ~Q(state="superseded")
ON_MAP = Q(quadkey__isnull=False) & CURRENT
COUNTED = ("quadkey", "product", "state", "scale", "on_sale_on", "off_sale_on")
"""Carried by the indexes, so that tiles and lists filter and count without touching a row (docs/adr/0008)."""


class Origin(models.Model):
    """Where one product of one season comes from: a line of 附件1 (产地溯源信息)."""

    class State(models.TextChoices):
        TO_LOCATE = "to_locate", "待定位"
        SUBMITTED = "submitted", "待审核"
        APPROVED = "approved", "已通过"
        RETURNED = "returned", "已退回"
        SUPERSEDED = "superseded", "已更新"

    class Certification(models.TextChoices):
        GREEN = "green", "绿色"
        ORGANIC = "organic", "有机"
        GEOGRAPHICAL = "geographical", "地标"
        OTHER = "other", "其他"

    class Method(models.TextChoices):
        OPEN_FIELD = "open_field", "露地"
        PROTECTED = "protected", "设施"

    class TraceMethod(models.TextChoices):
        CERTIFICATE = "certificate", "承诺达标合格证"
        TRACE_CODE = "trace_code", "追溯码"
        EAR_TAG = "ear_tag", "耳标"
        QUARANTINE = "quarantine", "动物检疫合格证"
        PACKAGE_MARK = "package_mark", "包装标识"
        OTHER = "other", "其他"

    class LocatedWith(models.TextChoices):
        DEVICE = "device", "手机定位"
        MAP = "map", "地图上点选"
        TYPED = "typed", "手工填写"
        SHEET = "sheet", "表格导入"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="种养殖主体", related_name="origins")
    base = models.ForeignKey(Base, models.PROTECT, verbose_name="基地", related_name="origins")
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+", db_index=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="基地地址", related_name="+", db_index=False)
    alias = models.CharField("别名", max_length=40, blank=True)
    certifications = ArrayField(
        models.CharField(max_length=12, choices=Certification.choices), verbose_name="产品认证类型", default=list
    )
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    quadkey = models.BigIntegerField("四叉树键", null=True, blank=True)
    contact = models.CharField("联系人", max_length=60)
    phone = EncryptedTextField("联系方式")
    scale = models.DecimalField("种养规模", max_digits=14, decimal_places=2)
    unit = models.CharField("规模单位", max_length=8, choices=Unit.choices)
    scale_typed = models.CharField(
        "填报的规模", max_length=30, blank=True, default="", db_default="", help_text="折算成亩以前，如 200.00 平方米"
    )
    on_sale_on = models.DateField("上市时间", null=True, blank=True)
    off_sale_on = models.DateField("下市时间", null=True, blank=True)
    methods = ArrayField(models.CharField(max_length=12, choices=Method.choices), verbose_name="生产方式", default=list)
    trace_methods = ArrayField(models.CharField(max_length=12, choices=TraceMethod.choices), verbose_name="追溯方式")
    credit = models.CharField("信用等级", max_length=10, blank=True)
    grid_name = models.CharField("网格员", max_length=60)
    grid_phone = EncryptedTextField("网格员联系方式")
    collector_name = models.CharField("信息采集员", max_length=60)
    collector_phone = EncryptedTextField("信息采集员联系方式")
    state = models.CharField("状态", max_length=12, choices=State.choices)
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, verbose_name="更新自", related_name="superseded_by"
    )
    identity = models.BinaryField("同一性摘要", max_length=16, help_text="主体、地址、产品、茬口")
    fingerprint = models.BinaryField("内容摘要", max_length=16)
    collected_by = models.ForeignKey(User, models.PROTECT, verbose_name="录入人", related_name="+", db_index=False)
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="审核人", related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    return_reason = models.CharField("退回原因", max_length=200, blank=True)
    import_job = models.ForeignKey(
        "origins.ImportJob",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="导入批次",
        related_name="origins",
        db_index=False,
    )
    import_row = models.IntegerField("表内行号", null=True, blank=True)
    located_with = models.CharField(
        "定位方式", max_length=8, choices=LocatedWith.choices, blank=True, default="", db_default=""
    )
    accuracy_m = models.DecimalField("定位精度（米）", max_digits=8, decimal_places=1, null=True, blank=True)
    device_longitude = models.DecimalField("采集时手机经度", max_digits=9, decimal_places=6, null=True, blank=True)
    device_latitude = models.DecimalField("采集时手机纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    planted_on = models.DateField("移栽定植时间", null=True, blank=True)
    confirmed_on = models.DateField("最近核实日期", null=True, blank=True, help_text="核实过，没有变化")
    due_on = models.DateField("办理期限", null=True, blank=True, help_text="待审核：审核到；已退回：改正到")
    created_at = models.DateTimeField("采集时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    objects = OriginQuerySet.as_manager()

    class Meta:
        verbose_name = "产地溯源信息"
        verbose_name_plural = "产地溯源信息"
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(longitude__isnull=False, latitude__isnull=False, quadkey__isnull=False)
                | Q(longitude=None, latitude=None, quadkey=None, state__in=("to_locate", "superseded")),
                name="origins_origin_located",
            ),
            models.CheckConstraint(condition=Q(scale__gt=0), name="origins_origin_scale"),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(return_reason=""), name="origins_origin_return_reason"
            ),
            models.UniqueConstraint(
                fields=("identity",), condition=~Q(state="superseded"), name="origins_origin_current_once"
            ),
        ]
        indexes = [
            models.Index(fields=("region", "id"), include=COUNTED, condition=CURRENT, name="origins_origin_place"),
            models.Index(fields=("state", "region", "id"), condition=CURRENT, name="origins_origin_state"),
            models.Index(
                fields=("quadkey",), include=("id", "region", *COUNTED[1:]), condition=ON_MAP, name="origins_origin_map"
            ),
            models.Index(
                fields=("product", "quadkey"),
                include=("id", "region", *COUNTED[2:]),
                condition=CURRENT,
                name="origins_origin_product_map",
            ),
            models.Index(
                fields=("due_on", "region"),
                include=("state",),
                condition=Q(due_on__isnull=False),
                name="origins_origin_due",
            ),
            models.Index(
                fields=("scale", "id"), include=("quadkey", "region"), condition=CURRENT, name="origins_origin_scale"
            ),
            models.Index(
                fields=("import_job", "import_row"), condition=Q(import_job__isnull=False), name="origins_origin_sheet"
            ),
            models.Index(
                fields=("collected_by", "created_at"),
                condition=Q(device_longitude__isnull=False),
                name="origins_origin_track",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operator} {self.product}"

    def get_absolute_url(self) -> str:
        return reverse("origins:record", args=[self.uid])

    @property
    def point(self) -> str:
        """Longitude and latitude as 附件1 writes them."""
        return f"{self.longitude},{self.latitude}" if self.quadkey is not None else ""

    @property
    def is_crop(self) -> bool:
        """Whether it has a season: 上下市时间、生产方式、移栽定植时间 are a crop's alone (附件1, notes 8 and 9)."""
        return self.product.industry == Industry.PLANTING

    @property
    def certification_names(self) -> str:
        return "、".join(Origin.Certification(value).label for value in self.certifications)

    @property
    def method_names(self) -> str:
        return "、".join(Origin.Method(value).label for value in self.methods)

    @property
    def trace_method_names(self) -> str:
        return "、".join(Origin.TraceMethod(value).label for value in self.trace_methods)

    @property
    def days_over(self) -> int:
        """How many days a reviewer or a collector is behind the deadline; 0 in time, and where nothing waits."""
        if self.due_on is None or self.state not in (Origin.State.SUBMITTED, Origin.State.RETURNED):
            return 0
        return max(0, (timezone.localdate() - self.due_on).days)

    @property
    def tone(self) -> str:
        """The colour that goes with the state's word."""
        return {"submitted": "amber", "approved": "green", "returned": "red", "to_locate": "blue"}.get(
            self.state, "grey"
        )
