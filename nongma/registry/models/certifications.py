from datetime import date, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.lib.ids import uuid7
from nongma.registry.models.operators import Operator, OperatorMember

ENDING_WITHIN = timedelta(days=60)


class Standing(models.TextChoices):
    """What a certification is worth on a day."""

    VALID = "valid", "有效"
    ENDING = "ending", "即将到期"
    COMING = "coming", "未生效"
    EXPIRED = "expired", "已过期"
    WITHDRAWN = "withdrawn", "已撤销"

    @property
    def tone(self) -> str:
        """The colour on screen."""
        return {"valid": "green", "ending": "amber", "expired": "red"}.get(self.value, "grey")


def _place_of_file(certification: "Certification", filename: str) -> str:
    suffix = filename.rpartition(".")[2].lower()
    return f"certifications/{certification.created_on:%Y%m}/{certification.uid}.{suffix}"


class CertificationQuerySet(models.QuerySet["Certification"]):
    def visible_to(self, user: User) -> Self:
        """Certifications that the user may see: of operators in the agency's region, or of the user's own."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("operator__region_id"))

    def valid(self, on: date) -> Self:
        """Those that hold on a day."""
        return self.filter(Q(to_on=None) | Q(to_on__gte=on), from_on__lte=on, withdrawn_on=None)


class Certification(models.Model):
    """A certification that an operator holds for some of its products (认证)."""

    class Kind(models.TextChoices):
        GREEN = "green", "绿色食品"
        ORGANIC = "organic", "有机农产品"
        GEOGRAPHICAL = "geographical", "农产品地理标志"
        NOTABLE = "notable", "名特优新农产品"
        GAP = "gap", "良好农业规范（GAP）"
        OTHER = "other", "其他"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="certifications")
    kind = models.CharField("认证类型", max_length=14, choices=Kind.choices)
    name = models.CharField("认证名称", max_length=60, blank=True, help_text="其他认证写名称")
    number = models.CharField("证书编号", max_length=60)
    issuer = models.CharField("发证机构", max_length=100, blank=True)
    products = models.ManyToManyField(Product, verbose_name="认证产品", related_name="+")
    from_on = models.DateField("有效期起")
    to_on = models.DateField("有效期止", null=True, blank=True)
    withdrawn_on = models.DateField("撤销日期", null=True, blank=True)
    withdrawn_for = models.CharField("撤销原因", max_length=200, blank=True)
    file = models.FileField("证书文件", upload_to=_place_of_file, blank=True)
    file_digest = models.BinaryField("证书文件摘要", max_length=32, null=True)
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="核验人", related_name="+"
    )
    confirmed_on = models.DateField("核验日期", null=True, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, verbose_name="登记人", related_name="+")
    created_on = models.DateField("登记日期")

    objects = CertificationQuerySet.as_manager()

    class Meta:
        verbose_name = "认证"
        verbose_name_plural = "认证"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=("operator", "kind", "number"), name="registry_certification_once"),
            models.CheckConstraint(
                condition=Q(to_on=None) | Q(to_on__gte=F("from_on")), name="registry_certification_span"
            ),
        ]
        indexes = [
            models.Index(fields=("to_on", "id"), condition=Q(withdrawn_on=None), name="registry_certification_end")
        ]

    def __str__(self) -> str:
        return f"{self.shown_kind} {self.number}"

    @property
    def shown_kind(self) -> str:
        """The kind in words; of another kind its own name."""
        return self.name if self.kind == self.Kind.OTHER and self.name else self.get_kind_display()

    @property
    def product_names(self) -> str:
        """The products in words: 豇豆、辣椒."""
        return "、".join(product.name for product in self.products.all())

    def standing(self, on: date) -> "Standing":
        """What it is worth on a day."""
        if self.withdrawn_on:
            return Standing.WITHDRAWN
        if self.to_on and self.to_on < on:
            return Standing.EXPIRED
        if self.from_on > on:
            return Standing.COMING
        return Standing.ENDING if self.to_on and self.to_on <= on + ENDING_WITHIN else Standing.VALID
