from datetime import date, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.lib.fields import EncryptedTextField
from nongma.lib.ids import uuid7
from nongma.regions.spans import EVERYWHERE

DUE_SOON = timedelta(days=3)


class Channel(models.TextChoices):
    """A way out of the platform to a person (发送方式)."""

    SMS = "sms", "短信"
    MAIL = "mail", "邮件"
    WEBHOOK = "webhook", "政务应用"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: User) -> Self:
        """A person's own notices: nobody reads those of another."""
        return self.filter(user=user)

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def due_soon(self, on: date) -> Self:
        """Deadlines of a day and the three after it, read or not."""
        return self.filter(due_on__range=(on, on + DUE_SOON))


class Notice(models.Model):
    """Something that a person is told in the platform (提醒).

    `title` also goes out by text message and mail, so it holds no personal data; `body` stays in the platform.
    """

    class Kind(models.TextChoices):
        PROMPT = "prompt", "待办提示"
        DEADLINE = "deadline", "到期提醒"
        DECISION = "decision", "办理结果"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name="人员", related_name="notices", db_index=False)
    kind = models.CharField("类别", max_length=8, choices=Kind.choices)
    title = models.CharField("标题", max_length=120, help_text="{count} 是件数")
    body = models.CharField("内容", max_length=400, blank=True)
    url = models.CharField("页面", max_length=300, blank=True, help_text="本平台的地址，以 / 开头")
    about = models.CharField("关于", max_length=100, blank=True, help_text="同一件事未读时只有一条")
    count = models.IntegerField("件数", default=1)
    due_on = models.DateField("截止日期", null=True, blank=True)
    created_at = models.DateTimeField("时间", default=timezone.now)
    read_at = models.DateTimeField("读过的时间", null=True, blank=True)
    told_at = models.DateTimeField("发出的时间", null=True, blank=True, help_text="另用短信、邮件告知的时间")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "提醒"
        verbose_name_plural = "提醒"
        ordering = ("-created_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("about", "user"), condition=Q(read_at=None, about__gt=""), name="notices_notice_once"
            ),
            # A notice leads to a page of this platform and nowhere else.
            models.CheckConstraint(condition=Q(url="") | Q(url__regex=r"^/([^/\\]|$)"), name="notices_notice_url"),
        ]
        indexes = [
            models.Index(fields=("user", "-created_at", "-id"), name="notices_notice_list"),
            models.Index(fields=("user", "kind", "-created_at", "-id"), name="notices_notice_kind"),
            models.Index(
                fields=("user", "-created_at", "-id"), condition=Q(read_at=None), name="notices_notice_unread"
            ),
            models.Index(fields=("created_at",), name="notices_notice_age"),
            # What a digest is made of, person by person.
            models.Index(
                fields=("user", "due_on"),
                condition=Q(read_at=None) | Q(due_on__isnull=False),
                name="notices_notice_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.heading

    @property
    def heading(self) -> str:
        """The title with its number."""
        return self.title.replace("{count}", str(self.count))

    @property
    def is_read(self) -> bool:
        return self.read_at is not None

    @property
    def days_left(self) -> int | None:
        """Days until it is due, below zero when it is over; None without a deadline."""
        return (self.due_on - timezone.localdate()).days if self.due_on else None


class Preference(models.Model):
    """By which channels a person is also told, beside the list in the platform (提醒方式)."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, verbose_name="人员", related_name="+")
    prompt_by = ArrayField(models.CharField(max_length=8, choices=Channel.choices), default=list, blank=True)
    deadline_by = ArrayField(models.CharField(max_length=8, choices=Channel.choices), default=list, blank=True)
    decision_by = ArrayField(models.CharField(max_length=8, choices=Channel.choices), default=list, blank=True)
    digest_by = ArrayField(models.CharField(max_length=8, choices=Channel.choices), default=list, blank=True)
    changed_at = models.DateTimeField("修改时间", auto_now=True)

    class Meta:
        verbose_name = "提醒方式"
        verbose_name_plural = "提醒方式"

    def __str__(self) -> str:
        return str(self.user_id)

    def by(self, kind: str) -> list[str]:
        """The channels of one kind of notice, told at once."""
        channels: list[str] = getattr(self, f"{kind}_by")
        return channels


class DigestRun(models.Model):
    """How far the digests of a day are; a run that was cut off goes on behind the last person (每日汇总进度)."""

    day = models.DateField("日期", primary_key=True)
    started_at = models.DateTimeField("开始时间", default=timezone.now)
    last_user = models.BigIntegerField("已处理到的人员", default=0)
    sent = models.IntegerField("份数", default=0)
    finished_at = models.DateTimeField("完成时间", null=True)

    class Meta:
        verbose_name = "每日汇总进度"
        verbose_name_plural = "每日汇总进度"

    def __str__(self) -> str:
        return str(self.day)


class Digest(models.Model):
    """One person's digest of one day: there is never a second (每日汇总)."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name="人员", related_name="+", db_index=False)
    day = models.DateField("日期")
    unread = models.IntegerField("未读")
    due = models.IntegerField("将到期")

    class Meta:
        verbose_name = "每日汇总"
        verbose_name_plural = "每日汇总"
        constraints = [models.UniqueConstraint(fields=("user", "day"), name="notices_digest_once")]
        indexes = [models.Index(fields=("day",), name="notices_digest_age")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day}"


class OutgoingQuerySet(models.QuerySet["Outgoing"]):
    def visible_to(self, user: User) -> Self:
        """Messages to people of the places whose log the user may read; those of no place, to the ministry's alone."""
        scope = scope_of(user, Action.VIEW_AUDIT)
        return self if EVERYWHERE in scope.spans else self.filter(scope.query("place"))

    def counted(self) -> Self:
        """Those that count against the limits: what was held back does not."""
        return self.exclude(state=Outgoing.State.HELD)


def indexed_as(recipient: str, channel: str) -> str:
    """What the index of a recipient is made of."""
    return f"{channel}:{recipient.lower()}"


class Outgoing(models.Model):
    """A message that leaves the platform, and what became of it (外发消息).

    The recipient's number or address and the text stand encrypted; pages show `masked`. Past their time they are empty
    (`retention.forget_messages`).
    """

    class State(models.TextChoices):
        QUEUED = "queued", "待发送"
        SENT = "sent", "已发送"
        FAILED = "failed", "发送失败"
        HELD = "held", "超过限额，未发送"

    class Purpose(models.TextChoices):
        DIGEST = "digest", "每日汇总"
        NOTICE = "notice", "提醒"
        CODE = "code", "验证码"

    class Via(models.TextChoices):
        GATEWAY = "gateway", "短信网关"
        SMTP = "smtp", "邮件服务器"
        HTTPS = "https", "政务应用接口"
        CONSOLE = "console", "控制台"
        FILE = "file", "文件"

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False, help_text="每次重试都用它，网关据此去重")
    channel = models.CharField("方式", max_length=8, choices=Channel.choices)
    via = models.CharField("经由", max_length=8, choices=Via.choices)
    purpose = models.CharField("用途", max_length=8, choices=Purpose.choices)
    recipient = EncryptedTextField("接收人", index="recipient_index", index_with=("channel",), indexed_as=indexed_as)
    recipient_index = models.BinaryField("接收人索引", max_length=16)
    masked = models.CharField("接收人（部分）", max_length=120)
    subject = EncryptedTextField("标题", blank=True, default="")
    body = EncryptedTextField("内容")
    user = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="人员", related_name="+", db_index=False)
    place = models.BigIntegerField("所在地", null=True)
    from_address = models.GenericIPAddressField("来源网络", null=True, help_text="IPv6 只记前 64 位")
    is_answered = models.BooleanField(
        "验证码已答对", default=False, db_default=False, help_text="答对的不再占来源网络的限额"
    )
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.SmallIntegerField("尝试次数", default=0)
    last_error = models.CharField("错误", max_length=300, blank=True)
    created_at = models.DateTimeField("时间", default=timezone.now)
    sent_at = models.DateTimeField("发送时间", null=True)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        verbose_name = "外发消息"
        verbose_name_plural = "外发消息"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("recipient_index", "created_at"), name="notices_outgoing_recipient"),
            models.Index(
                fields=("from_address", "created_at"),
                condition=Q(from_address__isnull=False) & ~Q(state="held"),
                name="notices_outgoing_address",
            ),
            models.Index(fields=("place", "-id"), name="notices_outgoing_place"),
            models.Index(fields=("user", "-id"), name="notices_outgoing_user"),
            models.Index(fields=("created_at",), condition=~Q(body=""), name="notices_outgoing_age"),
            models.Index(
                fields=("state", "-id"),
                condition=~Q(state="sent"),
                name="notices_outgoing_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.masked}"

    @property
    def is_forgotten(self) -> bool:
        """Whether the text and the recipient are past their time."""
        return not self.body

    @property
    def tone(self) -> str:
        """The colour of the state."""
        return {"sent": "green", "failed": "red", "held": "amber"}.get(self.state, "grey")
