"""The county's directory of operators (监管主体目录): who must be in it by which rule, and what is wanting of each."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Unit
from nongma.lib.grams import NameGrams, grams_of
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models.operators import Operator


class ScaleRule(models.Model):
    """From when on and where who counts as operating at scale (规模标准); the nearest division's rule holds.

    `subject` is the code of what the rule is about: an operator's kind, a product, an industry, a certification.
    `threshold` is the least scale, in `unit`; kinds and certifications count as such. `counts` False takes what a
    wider division counts out. Who set it stands in the audit log.
    """

    class Basis(models.TextChoices):
        KIND = "kind", "主体类型"
        PRODUCT = "product", "产品规模"
        INDUSTRY = "industry", "行业规模"
        CERTIFICATION = "certification", "持有认证"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="适用地区", related_name="+")
    basis = models.CharField("标准", max_length=14, choices=Basis.choices)
    subject = models.CharField("对象", max_length=20)
    threshold = models.DecimalField("达到", max_digits=12, decimal_places=2, null=True)
    unit = models.CharField("单位", max_length=8, choices=Unit.choices, blank=True)
    counts = models.BooleanField("算规模主体", default=True)
    valid_from = models.DateField("施行日期")
    valid_to = models.DateField("失效日期", null=True)
    source = models.CharField("依据", max_length=200)
    verified = models.BooleanField("已核实", default=False)

    class Meta:
        verbose_name = "规模标准"
        verbose_name_plural = "规模标准"
        ordering = ("region", "basis", "subject", "valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=("region", "basis", "subject"), condition=Q(valid_to=None), name="registry_rule_one_open"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="registry_rule_dates"
            ),
            models.CheckConstraint(
                condition=Q(basis__in=("product", "industry"), counts=True, threshold__gt=0) & ~Q(unit="")
                | Q(threshold=None, unit=""),
                name="registry_rule_threshold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_basis_display()} {self.subject}"


class DirectoryTerms(models.Model):
    """After how many months a division takes an entry for stale, or a code for unused (更新和用码期限)."""

    region = models.OneToOneField(Region, models.PROTECT, verbose_name="适用地区", related_name="+")
    fresh_months = models.PositiveSmallIntegerField("信息几个月要更新")
    idle_months = models.PositiveSmallIntegerField("几个月没有用码算未赋码")

    class Meta:
        verbose_name = "目录期限"
        verbose_name_plural = "目录期限"
        ordering = ("region",)
        constraints = [
            models.CheckConstraint(
                condition=Q(fresh_months__range=(1, 120), idle_months__range=(1, 120)), name="registry_terms_months"
            )
        ]

    def __str__(self) -> str:
        return f"{self.region}"


class ExpectedQuerySet(models.QuerySet["Expected"]):
    def visible_to(self, user: User) -> Self:
        """Those in the agency's region; people of operators see none."""
        return self.filter(scope_of(user).query("region_id")) if not user.is_operator else self.none()

    def open(self) -> Self:
        """Those that are still on the list."""
        return self.filter(struck_at=None)


class Expected(models.Model):
    """Who has to be in the directory by name, from the market register or a visit (应纳入名单)."""

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="所在地", related_name="+")
    name = models.CharField("名称", max_length=100)
    uscc = models.CharField("统一社会信用代码", max_length=18, null=True, blank=True)
    source = models.CharField("来源", max_length=100)
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, verbose_name="登记的主体", related_name="expected_as"
    )
    added_by = models.ForeignKey(User, models.PROTECT, verbose_name="列入人", related_name="+")
    added_at = models.DateTimeField("列入时间", auto_now_add=True)
    struck_at = models.DateTimeField("移出时间", null=True)
    struck_for = models.CharField("移出原因", max_length=200, blank=True)

    objects = ExpectedQuerySet.as_manager()

    class Meta:
        verbose_name = "应纳入的主体"
        verbose_name_plural = "应纳入的主体"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=("uscc",), condition=Q(struck_at=None), name="registry_expected_uscc"),
            models.UniqueConstraint(
                fields=("name", "region"), condition=Q(struck_at=None), name="registry_expected_once"
            ),
            models.UniqueConstraint(
                fields=("operator",), condition=Q(struck_at=None), name="registry_expected_operator"
            ),
            models.CheckConstraint(
                condition=Q(struck_at=None, struck_for="") | Q(struck_at__isnull=False) & ~Q(struck_for=""),
                name="registry_expected_struck",
            ),
        ]
        indexes = [models.Index(fields=("region", "id"), condition=Q(struck_at=None), name="registry_expected_place")]

    def __str__(self) -> str:
        return self.name


class Uncoded(models.TextChoices):
    """Why an operator counts as having no code in use (未赋码)."""

    UNREGISTERED = "unregistered", "没有登记"
    UNCLAIMED = "unclaimed", "登记了没有认领"
    IDLE = "idle", "有码没有用"


FIELDS = (
    "contact", "phone", "address", "village", "point", "industries", "uscc", "id_number", "produce", "bases",
)  # fmt: skip
"""What may be wanting of an entry; what each type needs is in `directory.fields`."""


class DirectoryEntryQuerySet(models.QuerySet["DirectoryEntry"]):
    def visible_to(self, user: User) -> Self:
        """Entries of the agency's region; people of operators see none."""
        return self.filter(scope_of(user).query("region_id")) if not user.is_operator else self.none()

    def named(self, text: str) -> Self:
        """Entries whose name holds the text."""
        found = self.alias(grams=NameGrams("name")).filter(grams__contains=grams_of(text))
        return found.filter(name__contains=text) if len(text) > 2 else found


class DirectoryEntry(models.Model):
    """One that must be in the directory (目录条目): an operator on file, or an expected one that is missing.

    Derived from the operator, its produce, bases and certifications, the rules and the list of expected ones;
    written by `directory.settling` alone, which brings the counts along.
    """

    operator = models.OneToOneField(
        Operator, models.PROTECT, null=True, verbose_name="主体", related_name="directory_entry"
    )
    expected = models.OneToOneField(Expected, models.PROTECT, null=True, verbose_name="应纳入", related_name="entry")
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+", db_index=False)
    name = models.CharField("名称", max_length=100)
    why = models.CharField("为什么在目录里", max_length=300)
    needs = ArrayField(models.CharField(max_length=12), verbose_name="要填的项目", default=list)
    lacks = ArrayField(models.CharField(max_length=12), verbose_name="缺的项目", default=list)
    stale_on = models.DateField("到这天要更新", null=True)
    is_stale = models.BooleanField("待更新", default=False)
    is_wrong = models.BooleanField("不准确", default=False)
    idle_on = models.DateField("到这天算未用码", null=True)
    uncoded = models.CharField("未赋码", max_length=12, choices=Uncoded.choices, blank=True)

    objects = DirectoryEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "目录条目"
        verbose_name_plural = "目录条目"
        ordering = ("region", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(operator=None, expected__isnull=False) | Q(operator__isnull=False, expected=None),
                name="registry_entry_one_subject",
            ),
        ]
        indexes = [
            models.Index(fields=("region", "id"), name="registry_entry_place"),
            models.Index(fields=("region", "id"), condition=Q(operator=None), name="registry_entry_missing"),
            models.Index(fields=("region", "id"), condition=~Q(lacks=[]), name="registry_entry_incomplete"),
            models.Index(fields=("region", "id"), condition=Q(is_stale=True), name="registry_entry_stale"),
            models.Index(fields=("region", "id"), condition=Q(is_wrong=True), name="registry_entry_wrong"),
            models.Index(fields=("region", "id"), condition=~Q(uncoded=""), name="registry_entry_uncoded"),
            models.Index(fields=("stale_on",), condition=Q(is_stale=False), name="registry_entry_stale_on"),
            models.Index(fields=("idle_on",), condition=Q(uncoded=""), name="registry_entry_idle_on"),
            GinIndex(NameGrams("name"), name="registry_entry_grams"),
            *(
                models.Index(fields=("region", "id"), condition=Q(lacks__contains=[field]), name=f"registry_no_{field}")
                for field in FIELDS
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DirectoryCount(models.Model):
    """How many entries of a township or county are what (目录统计): written with the entries, never scanned for.

    `what` is one of `directory.figures.WHATS`, or `need:` or `lack:` with one of `FIELDS`.
    """

    level = models.SmallIntegerField("层级", choices=Region.Level.choices)
    region_code = models.BigIntegerField("区划代码")
    what = models.CharField("项目", max_length=20)
    number = models.PositiveIntegerField("数量")

    class Meta:
        verbose_name = "目录统计"
        verbose_name_plural = "目录统计"
        ordering = ("level", "region_code", "what")
        constraints = [
            models.UniqueConstraint(fields=("level", "region_code", "what"), name="registry_count_once"),
            models.CheckConstraint(condition=Q(number__gt=0), name="registry_count_some"),
        ]

    def __str__(self) -> str:
        return f"{self.region_code} {self.what} {self.number}"


class DirectoryMark(models.Model):
    """An operator or expected one whose entry is to be made anew (待重算); numbers, so that a mark locks nothing."""

    operator_id = models.BigIntegerField("主体", null=True)
    expected_id = models.BigIntegerField("应纳入", null=True)

    class Meta:
        verbose_name = "待重算的目录条目"
        verbose_name_plural = "待重算的目录条目"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.operator_id or self.expected_id}"


class DirectorySweep(models.Model):
    """A division whose operators are all weighed anew, by a rule that changed: how far that is (全区重算)."""

    region = models.OneToOneField(Region, models.PROTECT, verbose_name="地区", related_name="+")
    last_region = models.BigIntegerField("到哪个区划", default=-1)
    last_operator = models.BigIntegerField("到哪个主体", default=0)
    asked_at = models.DateTimeField("提出时间", auto_now=True)

    class Meta:
        verbose_name = "目录重算"
        verbose_name_plural = "目录重算"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.region}"
