from typing import TYPE_CHECKING, Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.urls import reverse
from django.utils import timezone

from nongma.lib.grams import NameGrams, grams_of
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.regions.spans import EVERYWHERE, Span, span_of

if TYPE_CHECKING:
    from nongma.accounts.models.people import User


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


class ContactState(models.TextChoices):
    """How far an agency's entry in the register of 附件2 is (联系方式状态)."""

    MISSING = "missing", "未填写"
    INCOMPLETE = "incomplete", "不完整"
    DRAFT = "draft", "待上报"
    REPORTED = "reported", "已上报"
    CHANGED = "changed", "改后未报"


class AgencyQuerySet(models.QuerySet["Agency"]):
    def visible_to(self, user: "User") -> Self:
        """Agencies whose accounts the person looks after (`Agency.oversees`)."""
        own = user.administers
        if any(agency.oversees_all for agency in own):
            return self
        query = models.Q(pk__in=())
        for agency in own:
            query |= agency.overseen
        return self.filter(query)

    def inside(self, span: Span) -> Self:
        """Agencies of the divisions of a span."""
        return self.filter(region_id__gte=span.start, region_id__lte=span.stop)

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
    suspended_level = models.SmallIntegerField("停用机关层级", choices=Region.Level.choices, null=True, blank=True)
    contact_state = models.CharField(
        "工作联系方式",
        max_length=10,
        choices=ContactState.choices,
        default=ContactState.MISSING,
        editable=False,
        help_text="附件2填到哪一步，随联系方式一起改",
    )
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
            models.Index(fields=("department", "region", "id"), name="accounts_agency_department"),
            models.Index(fields=("name", "id"), name="accounts_agency_name"),
            models.Index(fields=("created_at", "id"), name="accounts_agency_created"),
            models.Index(
                fields=("region", "id"), condition=models.Q(administrator=None), name="accounts_agency_vacant"
            ),
            models.Index(
                fields=("region", "id"),
                condition=models.Q(suspended_at__isnull=False),
                name="accounts_agency_suspended",
            ),
            models.Index(
                fields=("contact_state", "region", "id"),
                condition=models.Q(kind="supervision"),
                name="accounts_agency_contact",
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

    @property
    def oversees_all(self) -> bool:
        """Whether it is the country's 监管 agency."""
        return self.kind == Agency.Kind.SUPERVISION and self.region_id == EVERYWHERE.start

    @property
    def overseen(self) -> models.Q:
        """The agencies that `oversees` answers yes for, as a filter."""
        query = models.Q(pk=self.pk)
        if self.kind == Agency.Kind.SUPERVISION:
            start, stop = self.span
            query |= models.Q(parent=self.pk) | models.Q(region_id__gt=start, region_id__lte=stop)
        return query

    def oversees(self, other: "Agency") -> bool:
        """Whether its administrator looks after the accounts of the other: its own; a 监管 agency's also those of the
        divisions inside its own, and the 监测 and 执法 agencies of its own division."""
        if self.pk == other.pk or self.oversees_all:
            return True
        if self.kind != Agency.Kind.SUPERVISION:
            return False
        inside = self.region_id != other.region_id and self.span.covers(other.span)
        return inside or other.parent_id == self.pk
