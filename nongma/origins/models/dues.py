"""The collection calendar (采集日历): what is to be recorded again, by when, by whom, and what came of it."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from nongma.accounts.access import scope_of
from nongma.accounts.models import User
from nongma.catalogue.models import Product
from nongma.origins.models.origins import Origin
from nongma.regions.models import Region
from nongma.registry.models import Base, Operator, OperatorMember

OPEN = Q(outcome="")
"""Literal, since indexes are made of it: a due that nothing has come of yet."""
CLOSED = ~Q(outcome="")


class DueQuerySet(models.QuerySet["Due"]):
    def visible_to(self, user: User) -> Self:
        """Dues that the user may see: those in the agency's region, or of the user's own operators."""
        if user.is_operator:
            return self.filter(operator__in=OperatorMember.objects.operators_of(user))
        return self.filter(scope_of(user).query("region_id"))

    def open(self) -> Self:
        """Those that nothing has come of yet, whenever they begin."""
        return self.filter(OPEN)


class Due(models.Model):
    """One record of 附件1 that has to be made anew: from when, by when, and what came of it (采集任务).

    Of each current origin one row at most is open; a record that takes the origin's place takes the row over, or closes
    it (`due.calendar`). Nothing rolls a row from month to month: one that stood open over several deadlines missed
    each of them, which `due.tally` reckons from its dates.
    """

    class Rhythm(models.TextChoices):
        MONTHLY = "monthly", "每月"
        SEASON = "season", "每茬"

    class Outcome(models.TextChoices):
        OPEN = "", "待采集"
        COLLECTED = "collected", "已采集"
        UNCHANGED = "unchanged", "无变化"
        ENDED = "ended", "不再种养"
        LAPSED = "lapsed", "已失效"

    class Cause(models.TextChoices):
        NONE = "", "—"
        BASE_CLOSED = "base_closed", "基地已停用"
        OPERATOR_STOPPED = "operator_stopped", "主体已停用或注销"
        BELOW_SCALE = "below_scale", "没有达到采集规模"

    origin = models.ForeignKey(Origin, models.PROTECT, verbose_name="上次采集", related_name="dues", db_index=False)
    operator = models.ForeignKey(Operator, models.PROTECT, verbose_name="种养殖主体", related_name="+", db_index=False)
    base = models.ForeignKey(Base, models.PROTECT, verbose_name="基地", related_name="+", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, verbose_name="产品", related_name="+", db_index=False)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="基地地址", related_name="+", db_index=False)
    rhythm = models.CharField("频次", max_length=8, choices=Rhythm.choices)
    opens_on = models.DateField("从哪天起采集")
    due_on = models.DateField("采集期限")
    collector = models.ForeignKey(User, models.PROTECT, verbose_name="采集人", related_name="+", db_index=False)
    outcome = models.CharField("结果", max_length=9, choices=Outcome.choices, blank=True, default="", db_default="")
    cause = models.CharField("失效原因", max_length=16, choices=Cause.choices, blank=True, default="", db_default="")
    reason = models.CharField("不再种养的原因", max_length=200, blank=True, default="", db_default="")
    met_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="办理人", related_name="+", db_index=False
    )
    met_on = models.DateField("办理日期", null=True, blank=True)

    objects = DueQuerySet.as_manager()

    class Meta:
        verbose_name = "采集任务"
        verbose_name_plural = "采集任务"
        ordering = ("region", "due_on", "id")
        constraints = [
            models.UniqueConstraint(fields=("origin",), condition=OPEN, name="origins_due_open_once"),
            models.CheckConstraint(condition=Q(due_on__gte=F("opens_on")), name="origins_due_dates"),
            models.CheckConstraint(
                condition=Q(outcome="", met_on=None, met_by=None) | (CLOSED & Q(met_on__isnull=False)),
                name="origins_due_met",
            ),
            models.CheckConstraint(
                condition=Q(outcome="lapsed") & ~Q(cause="") | ~Q(outcome="lapsed") & Q(cause=""),
                name="origins_due_cause",
            ),
            models.CheckConstraint(condition=~Q(outcome="ended") | ~Q(reason=""), name="origins_due_reason"),
        ]
        indexes = [
            models.Index(
                fields=("region", "due_on", "id"),
                include=("opens_on", "product", "collector"),
                condition=OPEN,
                name="origins_due_place",
            ),
            models.Index(fields=("collector", "due_on"), condition=OPEN, name="origins_due_collector"),
            models.Index(fields=("operator", "due_on"), condition=OPEN, name="origins_due_operator"),
            # What lists are read by and a day's prompts are counted from, without touching a row.
            models.Index(
                fields=("due_on", "region", "id"),
                include=("opens_on", "collector", "rhythm", "product"),
                condition=OPEN,
                name="origins_due_soonest",
            ),
            models.Index(fields=("opens_on", "region"), include=("collector",), condition=OPEN, name="origins_due_new"),
            models.Index(fields=("region", "met_on", "id"), condition=CLOSED, name="origins_due_done"),
            models.Index(fields=("origin",), condition=Q(outcome__in=("ended", "lapsed")), name="origins_due_stopped"),
        ]

    def __str__(self) -> str:
        return f"{self.operator} {self.product} {self.due_on}"

    @property
    def why(self) -> str:
        """Why nothing is due any more, of one that ended or lapsed."""
        return self.reason or (str(self.get_cause_display()) if self.cause else "")

    @property
    def is_overdue(self) -> bool:
        return not self.outcome and self.due_on < timezone.localdate()

    @property
    def is_waiting(self) -> bool:
        """Whether it is to be collected now, in time or not."""
        return not self.outcome and self.opens_on <= timezone.localdate()

    @property
    def standing(self) -> str:
        """How it stands today, in words: 还有 3 天, 漏采 2 个月."""
        today = timezone.localdate()
        if self.outcome:
            return str(self.get_outcome_display())
        if today < self.opens_on:
            return "还没开始"
        if today <= self.due_on:
            left = (self.due_on - today).days
            return f"还有 {left} 天" if left else "今天是最后一天"
        if self.rhythm == Due.Rhythm.MONTHLY:
            missed = (today.year - self.due_on.year) * 12 + today.month - self.due_on.month
            return f"漏采 {missed} 个月"
        return f"逾期 {(today - self.due_on).days} 天"

    @property
    def tone(self) -> str:
        """The colour that goes with how it stands."""
        if self.outcome:
            return "grey" if self.outcome in {Due.Outcome.ENDED, Due.Outcome.LAPSED} else "green"
        return "red" if self.is_overdue else "amber" if self.is_waiting else "grey"


class CollectionTerms(models.Model):
    """A division's deadlines of collecting and reviewing (采集期限), in days; the nearest division's hold.

    A deadline is written into the row that it is for, so that new terms change none that has passed; who set which
    stands in the audit log.
    """

    region = models.OneToOneField(Region, models.PROTECT, verbose_name="适用地区", related_name="+")
    planting_days = models.PositiveSmallIntegerField("移栽定植后几天内采集")
    review_days = models.PositiveSmallIntegerField("提交后几天内审核")
    correct_days = models.PositiveSmallIntegerField("退回后几天内改正")
    town_after = models.PositiveSmallIntegerField("逾期几天后提示乡镇")
    county_after = models.PositiveSmallIntegerField("逾期几天后提示县级")

    class Meta:
        verbose_name = "采集期限"
        verbose_name_plural = "采集期限"
        ordering = ("region",)
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    planting_days__range=(1, 120),
                    review_days__range=(1, 60),
                    correct_days__range=(1, 60),
                    town_after__range=(1, 60),
                    county_after__range=(1, 60),
                    county_after__gte=F("town_after"),
                ),
                name="origins_terms_days",
            )
        ]

    def __str__(self) -> str:
        return f"{self.region}"


class DueSweep(models.Model):
    """A division whose dues are all reckoned anew, and how far that is (采集日历重算).

    `place` is a number, not a key: the country stands for itself before divisions are loaded.
    """

    place = models.BigIntegerField("地区", unique=True)
    last_region = models.BigIntegerField("到哪个区划", default=-1, db_default=-1)
    last_origin = models.BigIntegerField("到哪条记录", default=0, db_default=0)
    asked_at = models.DateTimeField("提出时间", auto_now=True)

    class Meta:
        verbose_name = "采集日历重算"
        verbose_name_plural = "采集日历重算"
        ordering = ("id",)

    def __str__(self) -> str:
        return str(self.place)


class DuePrompt(models.Model):
    """That a person was prompted on a day: never twice at one stage (采集提示)."""

    class Stage(models.TextChoices):
        OPENED = "opened", "开始采集"
        DEADLINE = "deadline", "最后一天"
        TOWN = "town", "逾期提示乡镇"
        COUNTY = "county", "逾期提示县级"

    day = models.DateField("日期")
    stage = models.CharField("环节", max_length=8, choices=Stage.choices)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="人员", related_name="+", db_index=False)
    number = models.PositiveIntegerField("条数")

    class Meta:
        verbose_name = "采集提示"
        verbose_name_plural = "采集提示"
        ordering = ("day", "stage", "user")
        constraints = [models.UniqueConstraint(fields=("day", "stage", "user"), name="origins_prompt_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.stage} {self.user_id}"
