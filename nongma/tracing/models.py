from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product, Unit
from nongma.codes.codec import encode
from nongma.lib.ids import uuid7
from nongma.regions.models import Region
from nongma.registry.models import Base, Operator, OperatorMember
from nongma.tracing.holdings import HoldingQuerySet


class LotQuerySet(HoldingQuerySet["Lot"]):
    def watched_by(self, user: User) -> Self:
        """Lots that the user may freeze: of the area where a post allows it. An operator's own people have none."""
        return self.filter(scope_of(user, Action.RECALL_LOTS).query("region_id"))

    def recallable_by(self, user: User) -> Self:
        """Lots that the user may recall: the watched ones, or those of the user's own operators."""
        return self.editable_by(user) if user.is_operator else self.watched_by(user)

    def in_state(self, state: str | None) -> Self:
        """Lots in one state; all of them without one."""
        if state == Lot.State.RECALLED:
            return self.exclude(recalled_at=None)
        if state == Lot.State.FROZEN:
            return self.filter(recalled_at=None).exclude(frozen_at=None)
        return self.filter(recalled_at=None, frozen_at=None) if state else self


class Lot(models.Model):
    """A quantity of one product that is handled as one (批次; ISO 22005 lot).

    `region` is the operator's, kept here so that a county's list is one index range. `base` is where it was grown,
    handed on to what is split off or sold; None when it comes from several places. `bought` says whether any of it was
    bought, which decides whose promise its certificate carries.
    """

    class Kind(models.TextChoices):
        HARVEST = "harvest", "采收"
        PURCHASE = "purchase", "收购"
        MIX = "mix", "混装"
        SPLIT = "split", "分装"
        PACK = "pack", "包装"
        PROCESS = "process", "加工"

    class State(models.TextChoices):
        """Whether it may be handled. Never stored."""

        USABLE = "usable", "正常"
        FROZEN = "frozen", "已冻结"
        RECALLED = "recalled", "已召回"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    serial = models.BigIntegerField("批次码序号", unique=True)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="主体", related_name="lots", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+", db_index=False)
    unit = models.CharField("单位", max_length=8, choices=Unit.choices)
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="行政区划", related_name="+", db_index=False)
    base = models.ForeignKey(Base, models.PROTECT, null=True, blank=True, verbose_name="基地", related_name="lots")
    bought = models.BooleanField("来自收购", default=False)
    made_on = models.DateField("日期")
    frozen_at = models.DateTimeField("冻结时间", null=True, blank=True)
    freeze_reason = models.CharField("冻结原因", max_length=200, blank=True)
    recalled_at = models.DateTimeField("召回时间", null=True, blank=True)
    recall_reason = models.CharField("召回原因", max_length=200, blank=True)
    recalled_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="随之召回的批次",
        related_name="recalled_with",
        db_index=False,
    )
    created_by = models.ForeignKey(User, models.PROTECT, verbose_name="登记人", related_name="+", db_index=False)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = LotQuerySet.as_manager()

    class Meta:
        verbose_name = "批次"
        verbose_name_plural = "批次"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(recalled_at=None, recall_reason="", recalled_from=None)
                | (Q(recalled_at__isnull=False) & ~Q(recall_reason="")),
                name="tracing_lot_recalled_whole",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at=None, freeze_reason="") | (Q(frozen_at__isnull=False) & ~Q(freeze_reason="")),
                name="tracing_lot_frozen_whole",
            ),
        ]
        indexes = [
            models.Index(fields=("operator", "-id"), name="tracing_lot_operator"),
            models.Index(fields=("region", "-id"), name="tracing_lot_region"),
            models.Index(fields=("product", "region", "-id"), name="tracing_lot_product"),
            *(
                models.Index(fields=(whose, "-id"), condition=condition, name=f"tracing_lot_{state}_{whose}")
                for state, condition in (
                    ("recalled", Q(recalled_at__isnull=False)),
                    ("frozen", Q(frozen_at__isnull=False, recalled_at=None)),
                )
                for whose in ("operator", "region")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} {self.made_on}"

    def get_absolute_url(self) -> str:
        return reverse("tracing:lot", args=[self.code])

    @property
    def url(self) -> str:
        """What its QR carries."""
        return f"{settings.PUBLIC_URL}/t/{self.code}"

    @property
    def code(self) -> str:
        """The printed code (批次码), 20 digits."""
        return encode(self.serial)

    @property
    def state(self) -> State:
        """Whether it may be handled."""
        if self.recalled_at:
            return self.State.RECALLED
        return self.State.FROZEN if self.frozen_at else self.State.USABLE

    @property
    def tone(self) -> str:
        """The colour of the state on screen."""
        return {self.State.USABLE: "green", self.State.FROZEN: "amber", self.State.RECALLED: "red"}[self.state]


class LotLink(models.Model):
    """How much of one lot went into another (来源去向). A lot comes from earlier ones only: no way round."""

    parent = models.ForeignKey(Lot, models.PROTECT, verbose_name="来源批次", related_name="outgoing")
    child = models.ForeignKey(Lot, models.PROTECT, verbose_name="去向批次", related_name="incoming", db_index=False)
    quantity = models.DecimalField("数量", max_digits=14, decimal_places=3)

    class Meta:
        verbose_name = "来源去向"
        verbose_name_plural = "来源去向"
        constraints = [
            models.UniqueConstraint(fields=("child", "parent"), name="tracing_link_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="tracing_link_quantity"),
            models.CheckConstraint(condition=Q(child__gt=F("parent")), name="tracing_link_onward"),
        ]

    def __str__(self) -> str:
        return f"{self.parent} → {self.child}"


class LotEntry(models.Model):
    """One line of a lot's ledger (台账): the signed quantities of a lot add up to its balance."""

    class Reason(models.TextChoices):
        HARVEST = "harvest", "采收"
        SPLIT = "split", "分装"
        MIX = "mix", "混装"
        TRANSFER = "transfer", "交易"
        LOSS = "loss", "损耗"

    lot = models.ForeignKey(Lot, models.PROTECT, verbose_name="批次", related_name="entries")
    quantity = models.DecimalField("数量", max_digits=14, decimal_places=3)
    reason = models.CharField("原因", max_length=10, choices=Reason.choices)
    cause = models.UUIDField("凭据", null=True, blank=True)
    actor = models.ForeignKey(User, models.PROTECT, verbose_name="经手人", related_name="+", db_index=False)
    at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = "台账"
        verbose_name_plural = "台账"
        ordering = ("id",)
        constraints = [models.CheckConstraint(condition=~Q(quantity=0), name="tracing_entry_not_zero")]

    def __str__(self) -> str:
        return f"{self.quantity:+} {self.get_reason_display()}"


class TransferQuerySet(models.QuerySet["Transfer"]):
    def visible_to(self, user: User) -> Self:
        """Transfers that the user may see: with a side in the agency's region, or with one of the user's operators."""
        if user.is_operator:
            own = Operator.objects.filter(pk__in=OperatorMember.objects.operators_of(user))
            return self.filter(Q(seller__in=own) | Q(buyer__in=own))
        scope = scope_of(user)
        return self.filter(scope.query("seller__region_id") | scope.query("buyer__region_id"))


class Transfer(models.Model):
    """Produce that changed hands (交易): part or all of a lot, to another operator or an unregistered buyer."""

    class State(models.TextChoices):
        DELIVERED = "delivered", "已交付"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    lot = models.ForeignKey(Lot, models.PROTECT, verbose_name="批次", related_name="transfers")
    seller = models.ForeignKey(Operator, models.PROTECT, verbose_name="销售方", related_name="sales", db_index=False)
    buyer = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, verbose_name="购买方", related_name="purchases"
    )
    buyer_name = models.CharField("未登记的购买方", max_length=100, blank=True)
    received = models.OneToOneField(
        Lot, models.PROTECT, null=True, blank=True, verbose_name="购买方批次", related_name="received_by"
    )
    quantity = models.DecimalField("数量", max_digits=14, decimal_places=3)
    state = models.CharField("状态", max_length=12, choices=State.choices)
    created_by = models.ForeignKey(User, models.PROTECT, verbose_name="经手人", related_name="+", db_index=False)
    created_at = models.DateTimeField("时间", auto_now_add=True)

    objects = TransferQuerySet.as_manager()

    class Meta:
        verbose_name = "交易"
        verbose_name_plural = "交易"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="tracing_transfer_quantity"),
            models.CheckConstraint(
                condition=(Q(buyer__isnull=False, received__isnull=False, buyer_name=""))
                | (Q(buyer=None, received=None) & ~Q(buyer_name="")),
                name="tracing_transfer_one_buyer",
            ),
            models.CheckConstraint(
                condition=Q(buyer=None) | ~Q(buyer=F("seller")), name="tracing_transfer_between_two"
            ),
        ]
        indexes = [models.Index(fields=("seller", "-id"), name="tracing_transfer_seller")]

    def __str__(self) -> str:
        return f"{self.seller} → {self.buyer or self.buyer_name}"


class TraceEvent(models.Model):
    """What happened to a lot, when, where, why and by whom (追溯事件; EPCIS event). Append-only.

    Read by lot, so the lot's serial leads the key; a cluster can spread the table by it as it stands.
    """

    class Step(models.TextChoices):
        HARVESTED = "harvested", "采收"
        SPLIT = "split", "分装"
        MIXED = "mixed", "混装"
        SOLD = "sold", "销售"
        BOUGHT = "bought", "收购"
        LOST = "lost", "损耗"
        CERTIFIED = "certified", "开具合格证"
        REVOKED = "revoked", "合格证作废"
        FROZEN = "frozen", "冻结"
        UNFROZEN = "unfrozen", "解除冻结"
        RECALLED = "recalled", "召回"

    pk = models.CompositePrimaryKey("lot_serial", "id")
    lot_serial = models.BigIntegerField("批次码序号")
    id = models.UUIDField(default=uuid7, editable=False)
    step = models.CharField("业务步骤", max_length=20, choices=Step.choices)
    at = models.DateTimeField("时间")
    region_code = models.BigIntegerField("地点", null=True)
    operator_uid = models.UUIDField("主体", null=True)
    details = models.JSONField("内容", default=dict)

    class Meta:
        verbose_name = "追溯事件"
        verbose_name_plural = "追溯事件"

    def __str__(self) -> str:
        return f"{self.step} {self.at:%Y-%m-%d}"
