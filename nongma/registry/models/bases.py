from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.codes.codec import encode
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.lib.masking import mask_address
from nongma.regions.models import Region
from nongma.registry.models.operators import Operator, OperatorMember

UNMEASURED = Q(outline=None, outline_mu=None)
MEASURED = Q(outline__isnull=False) & Q(outline_mu__isnull=False) & Q(outline_mu__gt=0)


class Outlined(models.Model):
    """Land with a border that somebody drew or walked; the area in it is derived."""

    outline = models.JSONField("轮廓", null=True, blank=True)
    outline_mu = models.DecimalField("轮廓面积（亩）", max_digits=12, decimal_places=2, null=True, blank=True)
    area_mu = models.DecimalField("面积（亩）", max_digits=12, decimal_places=2, null=True, blank=True)
    closed_on = models.DateField("停用日期", null=True, blank=True)

    class Meta:
        abstract = True


class BaseQuerySet(models.QuerySet["Base"]):
    def visible_to(self, user: User) -> Self:
        """Bases that the user may see: those in the agency's region, or of the user's own operators."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def editable_by(self, user: User) -> Self:
        """Bases that the user may change: of what the agency sees those whose operator it may change too."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.owners().operators_of(user))
        return self.visible_to(user).filter(scope_of(user).query("operator__region_id"))

    def in_use(self) -> Self:
        """Bases that are not closed."""
        return self.filter(closed_on=None)


class Base(Outlined):
    """A place where an operator grows or raises produce (基地)."""

    class Soil(models.TextChoices):
        LOAM = "loam", "壤土"
        SAND = "sand", "砂土"
        CLAY = "clay", "黏土"
        PADDY = "paddy", "水稻土"
        SALINE = "saline", "盐碱土"
        NONE = "none", "不用土（水面、圈舍、基质）"

    class Water(models.TextChoices):
        RIVER = "river", "江河水"
        RESERVOIR = "reservoir", "水库、湖泊水"
        WELL = "well", "井水"
        TAP = "tap", "自来水"
        RAIN = "rain", "雨水，不灌溉"
        SEA = "sea", "海水"

    class Facility(models.TextChoices):
        OPEN = "open", "露地"
        TUNNEL = "tunnel", "塑料大棚"
        GREENHOUSE = "greenhouse", "温室"
        POND = "pond", "池塘"
        CAGE = "cage", "网箱、围栏"
        SHED = "shed", "圈舍"

    class Nearby(models.TextChoices):
        """What may pollute a base, within a kilometre of it (周边污染源)."""

        FACTORY = "factory", "工矿企业"
        ROAD = "road", "公路干线、铁路"
        WASTE = "waste", "垃圾场、废品站"
        SEWAGE = "sewage", "生活或工业污水"
        LIVESTOCK = "livestock", "规模养殖场"
        OTHER = "other", "其他"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    serial = models.BigIntegerField("基地码序号", unique=True)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="bases")
    name = models.CharField("名称", max_length=100)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+")
    address = EncryptedTextField("详细地址", blank=True, default="")
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    quadkey = models.BigIntegerField("四叉树键", null=True, blank=True)
    soil = models.CharField("土壤", max_length=10, choices=Soil.choices, blank=True, default="", db_default="")
    water = models.CharField("用水", max_length=10, choices=Water.choices, blank=True, default="", db_default="")
    facility = models.CharField(
        "设施类型", max_length=10, choices=Facility.choices, blank=True, default="", db_default=""
    )
    nearby = ArrayField(
        models.CharField(max_length=10, choices=Nearby.choices), verbose_name="周边污染源", null=True, blank=True
    )
    environment = models.CharField("环境说明", max_length=200, blank=True, default="", db_default="")
    varieties = models.CharField("品种", max_length=100, blank=True, default="", db_default="")
    measures = models.CharField("技术措施", max_length=500, blank=True, default="", db_default="")
    keeper = models.CharField("责任人", max_length=60, blank=True, default="", db_default="")
    closed_for = models.CharField("停用原因", max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = BaseQuerySet.as_manager()

    class Meta:
        verbose_name = "基地"
        verbose_name_plural = "基地"
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(longitude=None, latitude=None, quadkey=None)
                | (Q(longitude__isnull=False) & Q(latitude__isnull=False) & Q(quadkey__isnull=False)),
                name="registry_base_point_whole",
            ),
            models.CheckConstraint(condition=Q(area_mu=None) | Q(area_mu__gt=0), name="registry_base_area"),
            models.CheckConstraint(
                condition=Q(outline=None, outline_mu=None)
                | (Q(outline__isnull=False) & Q(outline_mu__isnull=False) & Q(outline_mu__gt=0)),
                name="registry_base_outline_measured",
            ),
            models.CheckConstraint(
                condition=(Q(closed_on=None) & Q(closed_for="")) | (Q(closed_on__isnull=False) & ~Q(closed_for="")),
                name="registry_base_closed_for",
            ),
            models.UniqueConstraint(
                fields=("operator", "region", "quadkey"), condition=Q(closed_on=None), name="registry_base_open_once"
            ),
        ]
        indexes = [
            models.Index(fields=("region", "id"), name="registry_base_place"),
            models.Index(
                fields=("quadkey",),
                condition=Q(outline__isnull=False, quadkey__isnull=False, closed_on=None),
                name="registry_base_outlined",
            ),
            models.Index(fields=("closed_on", "id"), condition=Q(closed_on__isnull=False), name="registry_base_closed"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("registry:base", args=[self.operator.code, self.code])

    @property
    def shown_address(self) -> str:
        """The address as most people may see it: masked where the operator's is."""
        return mask_address(self.address) if self.operator.is_unlicensed else self.address

    @property
    def code(self) -> str:
        """The 20 digits of the 基地码."""
        return encode(self.serial)

    @property
    def nearby_names(self) -> str:
        """The sources of pollution in words; empty where nobody has looked."""
        if self.nearby is None:
            return ""
        return labels_of(Base.Nearby, self.nearby) or "一公里内没有污染源"

    @property
    def measure_lines(self) -> list[str]:
        """The technical measures, one by one."""
        return self.measures.splitlines()


class Plot(Outlined):
    """A field or pond of a base with a border and a crop of its own (地块)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    base = models.ForeignKey(Base, models.PROTECT, verbose_name="基地", related_name="plots")
    name = models.CharField("名称或编号", max_length=60)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, verbose_name="产品", related_name="+")
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    class Meta:
        verbose_name = "地块"
        verbose_name_plural = "地块"
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=Q(area_mu=None) | Q(area_mu__gt=0), name="registry_plot_area"),
            models.CheckConstraint(
                condition=Q(outline=None, outline_mu=None)
                | (Q(outline__isnull=False) & Q(outline_mu__isnull=False) & Q(outline_mu__gt=0)),
                name="registry_plot_outline_measured",
            ),
            models.UniqueConstraint(
                fields=("base", "name"), condition=Q(closed_on=None), name="registry_plot_open_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


def labels_of(choices: type[models.TextChoices], values: Iterable[str]) -> str:
    """Several choices in words: 工矿企业、其他."""
    return "、".join(str(choices(value).label) for value in values)
