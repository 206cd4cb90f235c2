"""Who is above the threshold and has no record on file (漏采): found from the registry, county by county."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.lib.ids import uuid7
from nongma.origins.models.origins import Origin
from nongma.regions.models import Region
from nongma.registry.models import Operator, ScaleRule


class MissedQuerySet(models.QuerySet["Missed"]):
    def visible_to(self, user: User) -> Self:
        """Those in the agency's region; people of operators see none."""
        return self.filter(scope_of(user).query("region_id")) if not user.is_operator else self.none()

    def open(self) -> Self:
        """Those that nobody has excused and that have not been collected since."""
        collected = Origin.objects.current().filter(operator=OuterRef("operator"), product=OuterRef("product"))
        return self.filter(~Exists(collected), waived_at=None)


class Missed(models.Model):
    """An operator that declares as much of a product as has to be collected, and none is (漏采).

    Derived by `missed.finding`, but for the excuse (`waived_*`), which a person gives and which stays.
    """

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="+", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+", db_index=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+", db_index=False)
    scale = models.DecimalField("登记的规模", max_digits=12, decimal_places=2)
    unit = models.CharField("单位", max_length=8, choices=Unit.choices)
    rule = models.ForeignKey(ScaleRule, models.PROTECT, verbose_name="规模标准", related_name="+", db_index=False)
    found_on = models.DateField("发现日期")
    waived_at = models.DateTimeField("免采时间", null=True)
    waived_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="免采人", related_name="+")
    waived_for = models.CharField("免采原因", max_length=200, blank=True, default="")

    objects = MissedQuerySet.as_manager()

    class Meta:
        verbose_name = "漏采"
        verbose_name_plural = "漏采"
        ordering = ("region", "id")
        constraints = [
            models.UniqueConstraint(fields=("operator", "product"), name="origins_missed_once"),
            models.CheckConstraint(
                condition=Q(waived_at=None, waived_by=None, waived_for="")
                | Q(waived_at__isnull=False, waived_by__isnull=False) & ~Q(waived_for=""),
                name="origins_missed_waived",
            ),
        ]
        indexes = [
            models.Index(fields=("region", "id"), condition=Q(waived_at=None), name="origins_missed_place"),
            models.Index(fields=("region", "id"), condition=Q(waived_at__isnull=False), name="origins_missed_excused"),
            models.Index(
                fields=("product", "region", "id"), condition=Q(waived_at=None), name="origins_missed_product"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operator} {self.product}"


class MissedCheck(models.Model):
    """When a county's operators were last compared with its records (漏采核对)."""

    county = models.OneToOneField(Region, models.PROTECT, primary_key=True, verbose_name="县", related_name="+")
    checked_at = models.DateTimeField("核对时间")

    class Meta:
        verbose_name = "漏采核对"
        verbose_name_plural = "漏采核对"

    def __str__(self) -> str:
        return f"{self.county} {self.checked_at:%Y-%m-%d %H:%M}"
