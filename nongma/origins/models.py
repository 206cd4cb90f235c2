from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.accounts.queries import done_by
from nongma.accounts.wholes import WholeJob
from nongma.catalogue.models import Product, Unit
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models import Base, Operator, OperatorMember


class OriginQuerySet(models.QuerySet["Origin"]):
    def visible_to(self, user: User) -> Self:
        """Records that the user may see: those in the agency's region, or of the user's own operators."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def current(self) -> Self:
        """Records that no later one has taken the place of."""
        return self.exclude(state=Origin.State.SUPERSEDED)


CURRENT = ~Q(state="superseded")
ON_MAP = Q(quadkey__isnull=False) & CURRENT
COUNTED = ("quadkey", "product", "state", "scale", "on_sale_on", "off_sale_on")
"""Carried by the indexes, so that tiles and lists filter and count without touching a row (docs/adr/0008)."""


class Origin(models.Model):
    """Where one product of one season comes from: a line of 附件1 (产地溯源信息)."""

    class State(models.TextChoices):
        TO_LOCATE = "to_locate", "待定位"
        SUBMITTED = "submitted", "待审核"
        APPROVED = "approved", "已通过"
        RETURNED = "returned", "已退回"
        SUPERSEDED = "superseded", "已更新"

    class Certification(models.TextChoices):
        GREEN = "green", "绿色"
        ORGANIC = "organic", "有机"
        GEOGRAPHICAL = "geographical", "地标"
        OTHER = "other", "其他"

    class Method(models.TextChoices):
        OPEN_FIELD = "open_field", "露地"
        PROTECTED = "protected", "设施"

    class TraceMethod(models.TextChoices):
        CERTIFICATE = "certificate", "承诺达标合格证"
        TRACE_CODE = "trace_code", "追溯码"
        EAR_TAG = "ear_tag", "耳标"
        QUARANTINE = "quarantine", "动物检疫合格证"
        PACKAGE_MARK = "package_mark", "包装标识"
        OTHER = "other", "其他"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="种养殖主体", related_name="origins")
    base = models.ForeignKey(Base, models.PROTECT, verbose_name="基地", related_name="origins")
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+", db_index=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="基地地址", related_name="+", db_index=False)
    alias = models.CharField("别名", max_length=40, blank=True)
    certifications = ArrayField(
        models.CharField(max_length=12, choices=Certification.choices), verbose_name="产品认证类型", default=list
    )
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True, blank=True)
    quadkey = models.BigIntegerField("四叉树键", null=True, blank=True)
    contact = models.CharField("联系人", max_length=60)
    phone = EncryptedTextField("联系方式")
    scale = models.DecimalField("种养规模", max_digits=14, decimal_places=2)
    unit = models.CharField("规模单位", max_length=8, choices=Unit.choices)
    on_sale_on = models.DateField("上市时间", null=True, blank=True)
    off_sale_on = models.DateField("下市时间", null=True, blank=True)
    methods = ArrayField(models.CharField(max_length=12, choices=Method.choices), verbose_name="生产方式", default=list)
    trace_methods = ArrayField(models.CharField(max_length=12, choices=TraceMethod.choices), verbose_name="追溯方式")
    credit = models.CharField("信用等级", max_length=10, blank=True)
    grid_name = models.CharField("网格员", max_length=60)
    grid_phone = EncryptedTextField("网格员联系方式")
    collector_name = models.CharField("信息采集员", max_length=60)
    collector_phone = EncryptedTextField("信息采集员联系方式")
    state = models.CharField("状态", max_length=12, choices=State.choices)
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, verbose_name="更新自", related_name="superseded_by"
    )
    identity = models.BinaryField("同一性摘要", max_length=16, help_text="主体、地址、产品、茬口")
    fingerprint = models.BinaryField("内容摘要", max_length=16)
    collected_by = models.ForeignKey(User, models.PROTECT, verbose_name="录入人", related_name="+", db_index=False)
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="审核人", related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    return_reason = models.CharField("退回原因", max_length=200, blank=True)
    import_job = models.ForeignKey(
        "origins.ImportJob", models.PROTECT, null=True, blank=True, verbose_name="导入批次", related_name="origins"
    )
    import_row = models.IntegerField("表内行号", null=True, blank=True)
    created_at = models.DateTimeField("采集时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    objects = OriginQuerySet.as_manager()

    class Meta:
        verbose_name = "产地溯源信息"
        verbose_name_plural = "产地溯源信息"
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(longitude__isnull=False, latitude__isnull=False, quadkey__isnull=False)
                | Q(longitude=None, latitude=None, quadkey=None, state__in=("to_locate", "superseded")),
                name="origins_origin_located",
            ),
            models.CheckConstraint(condition=Q(scale__gt=0), name="origins_origin_scale"),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(return_reason=""), name="origins_origin_return_reason"
            ),
            models.UniqueConstraint(
                fields=("identity",), condition=~Q(state="superseded"), name="origins_origin_current_once"
            ),
        ]
        indexes = [
            models.Index(fields=("region", "id"), include=COUNTED, condition=CURRENT, name="origins_origin_place"),
            models.Index(fields=("state", "region", "id"), condition=CURRENT, name="origins_origin_state"),
            models.Index(
                fields=("quadkey",), include=("id", "region", *COUNTED[1:]), condition=ON_MAP, name="origins_origin_map"
            ),
            models.Index(
                fields=("product", "quadkey"),
                include=("id", "region", *COUNTED[2:]),
                condition=CURRENT,
                name="origins_origin_product_map",
            ),
            models.Index(
                fields=("scale", "id"), include=("quadkey", "region"), condition=CURRENT, name="origins_origin_scale"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operator} {self.product}"

    def get_absolute_url(self) -> str:
        return reverse("origins:record", args=[self.uid])

    @property
    def point(self) -> str:
        """Longitude and latitude as 附件1 writes them."""
        return f"{self.longitude},{self.latitude}" if self.quadkey is not None else ""

    @property
    def certification_names(self) -> str:
        return "、".join(Origin.Certification(value).label for value in self.certifications)

    @property
    def method_names(self) -> str:
        return "、".join(Origin.Method(value).label for value in self.methods)

    @property
    def trace_method_names(self) -> str:
        return "、".join(Origin.TraceMethod(value).label for value in self.trace_methods)

    @property
    def tone(self) -> str:
        """The colour that goes with the state's word."""
        return {"submitted": "amber", "approved": "green", "returned": "red", "to_locate": "blue"}.get(
            self.state, "grey"
        )


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def visible_to(self, user: User) -> Self:
        """A person's own imports, and those that the holders of the person's posts before made in their time."""
        return self.filter(done_by(user))


class ImportJob(models.Model):
    """One uploaded workbook of 附件1 and how far its rows are (批量导入)."""

    class Status(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "导入中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="上传人", related_name="+")
    file = models.FileField("文件", upload_to="imports/%Y%m")
    filename = models.CharField("文件名", max_length=200)
    size_bytes = models.BigIntegerField("大小（字节）")
    digest = models.BinaryField("SHA-256", max_length=32)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.QUEUED)
    message = models.CharField("说明", max_length=500, blank=True)
    total = models.IntegerField("行数", default=0)
    last_row = models.IntegerField("已处理到的行号", default=0)
    accepted = models.IntegerField("通过", default=0)
    to_locate = models.IntegerField("待定位", default=0)
    unchanged = models.IntegerField("已有", default=0)
    rejected = models.IntegerField("有误", default=0)
    attempts = models.SmallIntegerField("运行次数", default=0)
    created_at = models.DateTimeField("上传时间", auto_now_add=True)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)
    rows_removed_at = models.DateTimeField("逐行问题删除时间", null=True, blank=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        verbose_name = "批量导入"
        verbose_name_plural = "批量导入"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("user", "-id"), name="origins_import_user"),
            models.Index(fields=("finished_at",), condition=Q(rows_removed_at=None), name="origins_import_age"),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("origins:import-job", args=[self.uid])


class ImportRow(models.Model):
    """A row of an import that needs a person: what is wrong in which cell (导入问题)."""

    job = models.ForeignKey(ImportJob, models.PROTECT, verbose_name="导入", related_name="rows")
    row = models.IntegerField("行号")
    outcome = models.CharField("结果", max_length=12, choices=[("to_locate", "待定位"), ("rejected", "有误")])
    faults = models.JSONField("问题", help_text="[{field, code, message}]")

    class Meta:
        verbose_name = "导入问题"
        verbose_name_plural = "导入问题"
        ordering = ("job", "row")
        constraints = [models.UniqueConstraint(fields=("job", "row"), name="origins_import_row_once")]

    def __str__(self) -> str:
        return f"第 {self.row} 行"


class ReviewJob(WholeJob):
    """A decision on everything that a filter finds, when that is too much for one request (批量审核)."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", "通过"
        RETURN = "return", "退回"

    verdict = models.CharField("决定", max_length=8, choices=Verdict.choices)
    reason = models.CharField("退回原因", max_length=200, blank=True)
    until = models.DateTimeField("截至", help_text="页面打开的时间：之后改动过的记录不在其中")
    decided = models.IntegerField("已处理", default=0)

    class Meta:
        verbose_name = "批量审核"
        verbose_name_plural = "批量审核"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(verdict="return") | ~Q(reason=""), name="origins_review_job_return_reason"
            )
        ]
        indexes = [
            models.Index(
                fields=("moved_at",), condition=Q(status__in=("queued", "running")), name="origins_review_unfinished"
            ),
            models.Index(fields=("finished_at",), name="origins_review_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} {self.description}"

    @property
    def handled(self) -> int:
        return self.decided


def _counted(key: str, label: str) -> models.GeneratedField:
    """One number of `OriginCell.counts` as a column that the database keeps."""
    number = Cast(KeyTextTransform(key, "counts"), models.IntegerField())
    return models.GeneratedField(
        expression=Coalesce(number, Value(0)),
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=label,
    )


class OriginCell(models.Model):
    """How many origins of one county lie in one map cell, by filter value: what a wide tile is drawn from.

    Derived: recounted from `Origin` for the cells that changed, never added to. `level` is the zoom at which the
    cell is one tile, `cell` its quadkey prefix (`quadkey >> 2 * (24 - level)`), `counts` maps `""` (all),
    `p<product id>`, `i<industry>`, `s<state>` and `m<YYYYMM>` (on sale in that month) to numbers. `bands` are the
    scales that occur, as places in `cells.SCALES` from 1, `reached` how many origins have at least each. What every
    unfiltered tile asks of each cell stands in columns of its own: taking a number out of `counts` costs a microsecond.
    """

    pk = models.CompositePrimaryKey("level", "cell", "county")
    level = models.SmallIntegerField("层级")
    cell = models.BigIntegerField("格")
    county = models.BigIntegerField("县")
    counts = models.JSONField("数量")
    whole = _counted("", "全部")
    returned = _counted(f"s{Origin.State.RETURNED}", "已退回")
    submitted = _counted(f"s{Origin.State.SUBMITTED}", "待审核")
    approved = _counted(f"s{Origin.State.APPROVED}", "已通过")
    bands = ArrayField(models.IntegerField(), verbose_name="规模级别")
    reached = ArrayField(models.IntegerField(), verbose_name="达到各级规模的数量")

    class Meta:
        verbose_name = "地图格"
        verbose_name_plural = "地图格"

    def __str__(self) -> str:
        return f"{self.level}/{self.cell}"


class DirtyCell(models.Model):
    """A level-12 map cell whose origins changed and that waits for its recount. Append-only until recounted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    cell = models.BigIntegerField("格")
    county = models.BigIntegerField("县")

    class Meta:
        verbose_name = "待重算的地图格"
        verbose_name_plural = "待重算的地图格"

    def __str__(self) -> str:
        return str(self.cell)
