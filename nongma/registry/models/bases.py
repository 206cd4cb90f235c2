from typing import Self

from django.db import models
from django.db.models import Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.codes.codec import encode
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.lib.masking import mask_address
from nongma.regions.models import Region
from nongma.registry.models.operators import Operator


class BaseQuerySet(models.QuerySet["Base"]):
    def visible_to(self, user: User) -> Self:
        """Bases that the user may see: those in the agency's region, or of the user's own operators."""
        if user.is_operator:
            return self.filter(operator__members__user=user)
        return self.filter(scope_of(user).query("region_id"))


class Base(models.Model):
    """A place where an operator grows or raises produce (基地)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    serial = models.BigIntegerField("基地码序号", unique=True)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="bases")
    name = models.CharField("名称", max_length=100)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+")
    address = EncryptedTextField("详细地址", blank=True, default="")
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    quadkey = models.BigIntegerField("四叉树键", null=True, blank=True)
    area_mu = models.DecimalField("面积（亩）", max_digits=12, decimal_places=2, null=True, blank=True)
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
            models.UniqueConstraint(fields=("operator", "region", "quadkey"), name="registry_base_once"),
        ]
        indexes = [models.Index(fields=("region", "id"), name="registry_base_place")]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_address(self) -> str:
        """The address as most people may see it: masked where the operator's is."""
        return mask_address(self.address) if self.operator.is_unlicensed else self.address

    @property
    def code(self) -> str:
        """The 20 digits of the 基地码."""
        return encode(self.serial)
