from typing import Self

from django.db import models
from django.utils import timezone

from nongma.regions.spans import Span, span_of


class RegionQuerySet(models.QuerySet["Region"]):
    def within(self, span: Span) -> Self:
        """The divisions whose code lies in the span."""
        return self.filter(code__range=(span.start, span.stop))

    def current(self) -> Self:
        """Divisions that stand today: not replaced by a later one."""
        return self.filter(valid_to=None)


class Region(models.Model):
    """An administrative division (行政区划), from the country down to a village."""

    class Level(models.IntegerChoices):
        COUNTRY = 0, "全国"
        PROVINCE = 1, "省"
        CITY = 2, "市"
        COUNTY = 3, "县"
        TOWN = 4, "乡镇"
        VILLAGE = 5, "村"

    code = models.BigIntegerField("区划代码", primary_key=True)
    level = models.SmallIntegerField("层级", choices=Level.choices)
    name = models.CharField("名称", max_length=60)
    full_name = models.CharField("全称", max_length=200)
    pinyin = models.CharField("拼音", max_length=200, blank=True)
    initials = models.CharField("拼音首字母", max_length=60, blank=True)
    longitude = models.DecimalField("中心经度", max_digits=9, decimal_places=6, null=True)
    latitude = models.DecimalField("中心纬度", max_digits=9, decimal_places=6, null=True)
    valid_from = models.DateField("启用日期", null=True)
    valid_to = models.DateField("停用日期", null=True)
    replaced_by = models.BigIntegerField("现代码", null=True)

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = "行政区划"
        verbose_name_plural = "行政区划"
        ordering = ("code",)
        # Search reads the first rows of a prefix level by level (queries.search), in whatever collation the server has.
        indexes = [
            models.Index(
                fields=("level", name),
                opclasses=("int2_ops", "varchar_pattern_ops"),
                name=f"regions_region_{name}",
            )
            for name in ("name", "pinyin", "initials")
        ]

    def __str__(self) -> str:
        return self.full_name or self.name

    @property
    def code_text(self) -> str:
        """The code as it is written: 12 digits."""
        return f"{self.code:012}"

    @property
    def span(self) -> Span:
        """Every division code inside this one, itself included."""
        return span_of(self.code)


class RegionLoad(models.Model):
    """A load of the shipped divisions (区划载入), remembered so that the same files are not loaded again."""

    digest = models.CharField("文件摘要", max_length=64, primary_key=True)
    rows = models.IntegerField("条数")
    at = models.DateTimeField("载入时间", default=timezone.now)

    class Meta:
        verbose_name = "区划载入"
        verbose_name_plural = "区划载入"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.rows}"
