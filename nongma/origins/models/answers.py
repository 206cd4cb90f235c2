"""How many decisions and corrections came in time, by person and month (审核、改正及时率)."""

from django.db import models

from nongma.accounts.models import User


class AnswerCount(models.Model):
    """What one person answered in one month in one county: counted up in the transaction of each answer."""

    class Kind(models.TextChoices):
        REVIEW = "review", "审核"
        CORRECT = "correct", "改正"

    user = models.ForeignKey(User, models.PROTECT, verbose_name="人员", related_name="+", db_index=False)
    kind = models.CharField("事项", max_length=8, choices=Kind.choices)
    month = models.DateField("月份", help_text="办理的月份，写成 1 日")
    county = models.BigIntegerField("县")
    on_time = models.PositiveIntegerField("按时", default=0)
    late = models.PositiveIntegerField("逾期", default=0)

    class Meta:
        verbose_name = "审核和改正及时率"
        verbose_name_plural = "审核和改正及时率"
        ordering = ("month", "county", "user", "kind")
        constraints = [
            models.UniqueConstraint(fields=("county", "month", "kind", "user"), name="origins_answer_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.month:%Y-%m}"
