from collections.abc import Mapping

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from nongma.accounts.wholes import WholeJob
from nongma.registry.models.corrections import Correction


class Sending(WholeJob):
    """One notice to put records right for all that a filter of the directory found (批量督促整改).

    `total` are the notices that the officer confirmed, `found` the entries of which the others were left out. The
    entries up to `last_entry` are gone through by place; up to which, `reached_region` and `reached_entry` tell.
    """

    LEFT_OUT = {
        "still_open": "已有没办结的通知",
        "unregistered": "还没有登记",
        "inactive": "停用、注销或迁出",
        "unconcerned": "目录里没有这个问题",
        "unconfirmed": "超出确认的份数",
    }

    matter = models.CharField("事由", max_length=8, choices=Correction.Matter.choices)
    fields = ArrayField(models.CharField(max_length=12), verbose_name="涉及的项目", default=list)
    finding = models.CharField("问题", max_length=300)
    demand = models.CharField("整改要求", max_length=300)
    due_on = models.DateField("整改期限")
    found = models.IntegerField("符合条件的")
    last_entry = models.BigIntegerField("最后一个条目")
    reached_region = models.BigIntegerField("到哪个区划", default=-1)
    reached_entry = models.BigIntegerField("到哪个条目", default=0)
    sent = models.IntegerField("发出", default=0)
    unheard = models.IntegerField("没有人接收的", default=0)
    still_open = models.IntegerField(LEFT_OUT["still_open"], default=0)
    unregistered = models.IntegerField(LEFT_OUT["unregistered"], default=0)
    inactive = models.IntegerField(LEFT_OUT["inactive"], default=0)
    unconcerned = models.IntegerField(LEFT_OUT["unconcerned"], default=0)
    unconfirmed = models.IntegerField(LEFT_OUT["unconfirmed"], default=0)

    class Meta:
        verbose_name = "批量督促整改"
        verbose_name_plural = "批量督促整改"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("user",), condition=Q(status__in=("queued", "running")), name="registry_sending_one_each"
            ),
            models.CheckConstraint(condition=Q(sent__lte=F("total")), name="registry_sending_confirmed"),
        ]
        indexes = [models.Index(fields=("finished_at",), name="registry_sending_age")]

    def __str__(self) -> str:
        return f"{self.get_matter_display()} {self.description}"

    def get_absolute_url(self) -> str:
        return reverse("registry:sending", args=[self.uid])

    @property
    def left_out(self) -> list[tuple[str, int]]:
        """Why some got no notice, and how many."""
        return Sending.reasons({name: getattr(self, name) for name in Sending.LEFT_OUT})

    @staticmethod
    def reasons(counts: Mapping[str, int]) -> list[tuple[str, int]]:
        """Counts of those left out with the reasons in words; those that occur."""
        return [(label, counts[name]) for name, label in Sending.LEFT_OUT.items() if counts.get(name)]

    @property
    def handled(self) -> int:
        return self.sent + sum(count for _, count in self.left_out)

    @property
    def expected(self) -> int:
        return self.found
