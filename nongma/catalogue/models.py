from collections.abc import Iterable
from datetime import date
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from nongma.regions.models import Region
from nongma.regions.spans import Span, above


class Industry(models.TextChoices):
    """The industry (所属行业) that 附件1 asks for."""

    PLANTING = "planting", "种植业"
    LIVESTOCK = "livestock", "畜牧业"
    FISHERY = "fishery", "渔业"


class Unit(models.TextChoices):
    """Units in which the scale of growing and the quantity of produce are counted (单位)."""

    MU = "mu", "亩"
    HEAD = "head", "头"
    BIRD = "bird", "只"
    HIVE = "hive", "箱（群）"
    KILOGRAM = "kg", "千克"
    TONNE = "t", "吨"
    EGG = "egg", "枚"
    FISH = "fish", "尾"
    BOX = "box", "箱"
    PIECE = "piece", "件"


class ProductQuerySet(models.QuerySet["Product"]):
    def national(self) -> Self:
        """Products that the whole country collects, without those that a county added."""
        return self.filter(region=None)

    def usable_at(self, code: int) -> Self:
        """What may be collected in a division: the nation's products, and those that its county added and keeps."""
        return self.filter(Q(region=None) | Q(region_id=above(code, Region.Level.COUNTY), ended_on=None))

    def offered_within(self, spans: Iterable[Span]) -> Self:
        """What a person may choose from whose area these are: the nation's, and what the counties in it added."""
        wanted = Q(region=None)
        for span in spans:
            county = above(span.start, Region.Level.COUNTY)
            wanted |= Q(region_id__gte=county, region_id__lte=span.stop, ended_on=None)
        return self.filter(wanted)


class Product(models.Model):
    """A farm product (产品), under our own code until NY/T 3177-2018 codes are verified.

    With a `region` it is what a county collects beside the nation's products (本县增设), until `ended_on`.
    """

    code = models.CharField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=40)
    aliases = ArrayField(models.CharField(max_length=40), verbose_name="别名", default=list, blank=True)
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, verbose_name="增设的县（市、区）", related_name="+"
    )
    ended_on = models.DateField("停用日期", null=True, blank=True)
    english_name = models.CharField("英文名", max_length=60, blank=True)
    industry = models.CharField("所属行业", max_length=10, choices=Industry.choices)
    scale_units = ArrayField(models.CharField(max_length=8, choices=Unit.choices), verbose_name="规模单位")
    trade_units = ArrayField(models.CharField(max_length=8, choices=Unit.choices), verbose_name="交易单位")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="上级")
    nyt3177_code = models.CharField("NY/T 3177-2018 代码", max_length=20, null=True, blank=True)
    is_key = models.BooleanField("重点品种", default=False)
    threshold = models.DecimalField("采集规模", max_digits=12, decimal_places=2, null=True, blank=True)
    threshold_unit = models.CharField("采集规模单位", max_length=8, choices=Unit.choices, blank=True)
    threshold_note = models.CharField("采集规模说明", max_length=100, blank=True)
    growing_days = models.PositiveSmallIntegerField(
        "定植到上市天数", null=True, blank=True, help_text="采集日历据此推算移栽定植的时间"
    )
    growing_source = models.CharField("生长天数依据", max_length=200, blank=True, default="", db_default="")
    source = models.CharField("依据", max_length=200, blank=True)
    verified = models.BooleanField("已核实", default=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = "产品"
        verbose_name_plural = "产品"
        ordering = ("code",)
        constraints = [
            models.CheckConstraint(
                condition=Q(threshold=None, threshold_unit="") | (Q(threshold__gt=0) & ~Q(threshold_unit="")),
                name="catalogue_product_threshold",
            ),
            models.UniqueConstraint(fields=("name",), condition=Q(region=None), name="catalogue_product_name"),
            models.UniqueConstraint(
                fields=("region", "name"),
                condition=Q(region__isnull=False, ended_on=None),
                name="catalogue_product_name_in_county",
            ),
            models.CheckConstraint(
                condition=Q(region=None, ended_on=None) | Q(region__isnull=False, is_key=False),
                name="catalogue_product_of_county",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scale_unit_names(self) -> str:
        """The units of scale, in words: 头、只."""
        return "、".join(Unit(unit).label for unit in self.scale_units)

    @property
    def trade_unit_names(self) -> str:
        """The units of trade, in words: 千克、吨."""
        return "、".join(Unit(unit).label for unit in self.trade_units)


class Substance(models.Model):
    """A pesticide, veterinary drug or other compound (药物)."""

    name = models.CharField("名称", max_length=80, unique=True)
    english_name = models.CharField("英文名", max_length=120, blank=True)
    aliases = ArrayField(models.CharField(max_length=80), verbose_name="别名", default=list, blank=True)

    class Meta:
        verbose_name = "药物"
        verbose_name_plural = "药物"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class BanQuerySet(models.QuerySet["Ban"]):
    def standing(self, on: date) -> Self:
        """Bans in force on a day."""
        return self.filter(valid_from__lte=on).filter(Q(valid_to=None) | Q(valid_to__gte=on))


class Ban(models.Model):
    """A ban or restriction of a substance by an official notice, from one day to another (禁限用).

    `kind` says in what use it stands: the same substance may be banned as a pesticide and as an animal drug.
    """

    class Kind(models.TextChoices):
        PESTICIDE = "pesticide", "农药"
        VETERINARY = "veterinary", "兽药及其他化合物"

    class Degree(models.TextChoices):
        BANNED = "banned", "禁用"
        RESTRICTED = "restricted", "限用"

    substance = models.ForeignKey(Substance, models.PROTECT, verbose_name="药物", related_name="bans")
    kind = models.CharField("类别", max_length=12, choices=Kind.choices)
    degree = models.CharField("程度", max_length=12, choices=Degree.choices)
    scope = models.CharField("范围", max_length=200)
    notice = models.CharField("公告", max_length=100)
    clause = models.CharField("条款", max_length=100, blank=True)
    valid_from = models.DateField("施行日期")
    valid_to = models.DateField("失效日期", null=True, blank=True)
    verified = models.BooleanField("已核实", default=False)

    objects = BanQuerySet.as_manager()

    class Meta:
        verbose_name = "禁限用规定"
        verbose_name_plural = "禁限用规定"
        ordering = ("substance", "valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=("substance", "kind", "degree", "notice", "valid_from"), name="catalogue_ban_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="catalogue_ban_dates"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.substance} {self.get_degree_display()}"
