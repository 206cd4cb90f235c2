"""What does not look right in a record by itself (疑点), found by the worker and judged by the reviewer."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.lib.ids import uuid7
from nongma.origins.models.origins import Origin
from nongma.regions.models import Region
from nongma.registry.models import OperatorMember


class DoubtQuerySet(models.QuerySet["Doubt"]):
    def visible_to(self, user: User) -> Self:
        """Doubts about records that the user may see."""
        if user.is_operator:
            return self.filter(origin__operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def open(self) -> Self:
        """Doubts that nobody has judged and that still hold."""
        return self.filter(state=Doubt.State.OPEN)


class Doubt(models.Model):
    """One thing about a record that does not look right, with the figures that say why (疑点). It never blocks.

    `figure` is what the doubt rests on, so that a doubt that was settled is not raised again for the same thing.
    """

    class Kind(models.TextChoices):
        TOWN = "town", "点位像在别的乡镇"
        COUNTY = "county", "点位在县界外"
        OTHER_POINT = "other_point", "与别家点位重合"
        OTHER_BASE = "other_base", "在别家基地里"
        WATER = "water", "点位在水面上"
        URBAN = "urban", "点位在城区里"
        PILE = "pile", "多家挤在一点"
        GRID = "grid", "点位太整齐"
        ACCURACY = "accuracy", "定位不准"
        DEVICE = "device", "采集时不在现场"
        SPEED = "speed", "来不及走到"
        PHONE = "phone", "多户同一手机号"
        SCALE = "scale", "规模反常"
        SEASON = "season", "时间不合理"
        PHOTO = "photo", "照片重复"
        GCJ02 = "gcj02", "像是火星坐标"
        COLUMN = "column", "整列相同"

    class State(models.TextChoices):
        OPEN = "open", "待判"
        RIGHT = "right", "属实"
        WRONG = "wrong", "没有问题"
        GONE = "gone", "不再成立"
        WITHDRAWN = "withdrawn", "已撤下"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    origin = models.ForeignKey(Origin, models.PROTECT, verbose_name="产地溯源信息", related_name="doubts")
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="基地地址", related_name="+", db_index=False)
    kind = models.CharField("种类", max_length=12, choices=Kind.choices)
    text = models.CharField("说明", max_length=300)
    figure = models.CharField("依据的数字", max_length=120)
    other = models.ForeignKey(
        Origin, models.PROTECT, null=True, blank=True, verbose_name="另一条记录", related_name="+", db_index=False
    )
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField("发现时间")
    closed_at = models.DateTimeField("了结时间", null=True, blank=True)
    closed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="判定人", related_name="+", db_index=False
    )
    closed_for = models.CharField("撤下原因", max_length=200, blank=True, default="")

    objects = DoubtQuerySet.as_manager()

    class Meta:
        verbose_name = "疑点"
        verbose_name_plural = "疑点"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("origin", "kind"), condition=Q(state="open"), name="origins_doubt_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="origins_doubt_closed_at",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | (Q(closed_by__isnull=False) & ~Q(closed_for="")),
                name="origins_doubt_withdrawn_for",
            ),
        ]
        indexes = [
            models.Index(fields=("region", "kind", "state"), name="origins_doubt_place"),
            models.Index(fields=("kind", "region", "origin"), condition=Q(state="open"), name="origins_doubt_kind"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def tone(self) -> str:
        """The colour that goes with the state's word."""
        return {"open": "amber", "right": "red", "wrong": "green"}.get(self.state, "grey")


class DoubtMark(models.Model):
    """A record to be looked at, or a county to be counted anew (待查疑点); numbers, so that a mark locks nothing."""

    origin_id = models.BigIntegerField("产地溯源信息", null=True)
    county = models.BigIntegerField("县", null=True)

    class Meta:
        verbose_name = "待查疑点的记录"
        verbose_name_plural = "待查疑点的记录"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.origin_id or self.county}"


class DoubtTally(models.Model):
    """How many doubts of a kind a county has, and how its reviewers judged them (疑点统计). Derived from `Doubt`."""

    kind = models.CharField("种类", max_length=12, choices=Doubt.Kind.choices)
    county = models.BigIntegerField("县")
    waiting = models.IntegerField("待判")
    right = models.IntegerField("属实")
    wrong = models.IntegerField("没有问题")

    class Meta:
        verbose_name = "疑点统计"
        verbose_name_plural = "疑点统计"
        ordering = ("kind", "county")
        constraints = [models.UniqueConstraint(fields=("kind", "county"), name="origins_doubt_tally_once")]

    def __str__(self) -> str:
        return f"{self.county} {self.get_kind_display()}"


class Usual(models.Model):
    """What a division's records of a product usually say (常见值): the middle and spread of scales, the months of sale.

    Counted when a look needs it and the last count is a day old. `middle` and `spread` are the median of the natural
    logarithms of the scales and their median distance from it, `months` how many go on sale in each month.
    """

    region_code = models.BigIntegerField("区划代码")
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+", db_index=False)
    unit = models.CharField("规模单位", max_length=8, choices=Unit.choices)
    records = models.IntegerField("记录数")
    middle = models.FloatField("规模对数的中位数")
    spread = models.FloatField("规模对数的绝对中位差")
    months = ArrayField(models.IntegerField(), size=12, verbose_name="各月上市数")
    counted_at = models.DateTimeField("统计时间")

    class Meta:
        verbose_name = "常见值"
        verbose_name_plural = "常见值"
        ordering = ("region_code", "product")
        constraints = [
            models.UniqueConstraint(fields=("region_code", "product", "unit"), name="origins_usual_once"),
        ]

    def __str__(self) -> str:
        return f"{self.region_code} {self.product_id}"
