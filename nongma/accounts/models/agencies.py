from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.urls import reverse
from django.utils import timezone

from nongma.lib.grams import NameGrams, grams_of
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.regions.spans import Span, span_of


class Department(models.TextChoices):
    """The branch of agriculture that an agency works in (部门). Source: 粤农农办〔2018〕42号, 三（二）2."""

    QUALITY_SAFETY = "quality_safety", "质量安全"
    ENFORCEMENT = "enforcement", "执法"
    LIVESTOCK = "livestock", "畜牧兽医"
    FISHERY = "fishery", "水产品"
    PLANTING = "planting", "种植业"
    PROCESSING = "processing", "加工"
    MANAGEMENT = "management", "经营管理"
    MARKET_INFORMATION = "market_information", "市场信息"
    SCIENCE_EDUCATION = "science_education", "科技教育"
    INPUTS = "inputs", "农业投入品管理"
    CERTIFICATION = "certification", "产品认证管理"


class AgencyQuerySet(models.QuerySet["Agency"]):
    def inside(self, span: Span) -> Self:
        """Agencies of the divisions of a span."""
        return self.filter(region_id__range=(span.start, span.stop))

    def named(self, text: str) -> Self:
        """Agencies whose name holds the text; a single character must begin it."""
        found = self.alias(grams=NameGrams("name")).filter(grams__contains=grams_of(text))
        return found.filter(name__contains=text) if len(text) > 2 else found


class Agency(models.Model):
    """An authority or institution that works on the platform (机构)."""

    class Kind(models.TextChoices):
        SUPERVISION = "supervision", "监管"
        MONITORING = "monitoring", "监测"
        ENFORCEMENT = "enforcement", "执法"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    name = models.CharField("名称", max_length=100)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+", db_index=False)
    level = models.SmallIntegerField("层级", choices=Region.Level.choices)
    kind = models.CharField("类别", max_length=20, choices=Kind.choices)
    department = models.CharField("部门", max_length=20, choices=Department.choices, default=Department.QUALITY_SAFETY)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="上级机构",
        help_text="分配这个机构账号的监管机构",
        related_name="children",
    )
    administrator = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="平台管理员", related_name="+"
    )
    suspended_at = models.DateTimeField("停用时间", null=True, blank=True)
    suspended_for = models.CharField("停用原因", max_length=200, blank=True)
    created_at = models.DateTimeField("建立时间", default=timezone.now, editable=False)

    objects = AgencyQuerySet.as_manager()

    class Meta:
        verbose_name = "机构"
        verbose_name_plural = "机构"
        ordering = ("region_id", "id")
        constraints = [models.UniqueConstraint(fields=("region", "kind", "name"), name="accounts_agency_once")]
        indexes = [
            models.Index(fields=("region", "id"), name="accounts_agency_place"),
            models.Index(fields=("kind", "region", "id"), name="accounts_agency_kind"),
            models.Index(fields=("level", "region", "id"), name="accounts_agency_level"),
            models.Index(fields=("name", "id"), name="accounts_agency_name"),
            models.Index(
                fields=("region", "id"), condition=models.Q(administrator=None), name="accounts_agency_vacant"
            ),
            models.Index(
                fields=("region", "id"),
                condition=models.Q(suspended_at__isnull=False),
                name="accounts_agency_suspended",
            ),
            GinIndex(NameGrams("name"), name="accounts_agency_grams"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("accounts:agency", args=[self.uid])

    @property
    def span(self) -> Span:
        """Every division that the agency works in."""
        return span_of(self.region_id)

    @property
    def is_suspended(self) -> bool:
        return self.suspended_at is not None
