"""What the worker does with everything that a filter finds (批量办理): on file, chunk by chunk, safe to run again."""

from collections.abc import Callable
from typing import Any, Self, TypeVar

from django.db import models, transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.accounts.queries import done_by
from nongma.lib.ids import uuid7
from nongma.lib.refused import Refused


class WholeJobQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """A person's own jobs, and those of the holders of the person's posts before in their time."""
        return self.filter(done_by(user))

    def unfinished(self) -> Self:
        return self.filter(status__in=WholeJob.UNFINISHED)


class WholeJob(models.Model):
    """A deed on everything that a filter finds, when that is too much for one request."""

    class Status(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "办理中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"

    UNFINISHED = (Status.QUEUED, Status.RUNNING)

    uid = models.UUIDField("编号", unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    filters = models.JSONField("筛选条件")
    description = models.CharField("筛选说明", max_length=300)
    total = models.IntegerField("条数")
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.QUEUED)
    message = models.CharField("说明", max_length=200, blank=True)
    created_at = models.DateTimeField("开始时间", auto_now_add=True)
    moved_at = models.DateTimeField("最近进展", auto_now=True)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)

    objects = WholeJobQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_over(self) -> bool:
        """Whether the worker has nothing more to do."""
        return self.status not in WholeJob.UNFINISHED

    @property
    def tone(self) -> str:
        """The colour of the state on screen."""
        return {"done": "green", "failed": "red"}.get(self.status, "blue")

    @property
    def handled(self) -> int:
        """How many of `expected` are dealt with."""
        raise NotImplementedError

    @property
    def expected(self) -> int:
        """How many there are to deal with."""
        return self.total

    @property
    def percent(self) -> int:
        """How far it is; whole only when it is over."""
        if self.status == WholeJob.Status.DONE:
            return 100
        return min(99, self.handled * 100 // max(self.expected, 1))


Job = TypeVar("Job", bound=WholeJob)


def run_whole(jobs: "models.QuerySet[Job]", job_id: int, chunk: Callable[[Job], bool]) -> None:
    """Deal with chunk by chunk until nothing is left; safe to run again after a crash, and twice at once.

    `chunk` deals with some and tells whether there may be more; what it counts in the job is saved with what it did.
    What it refuses ends the job with the reason; what was done before stays.
    """
    while _run_chunk(jobs, job_id, chunk):
        pass


@transaction.atomic
def _run_chunk(jobs: "models.QuerySet[Job]", job_id: int, chunk: Callable[[Job], bool]) -> bool:
    """One chunk, under the job's lock; whether there may be more."""
    job = jobs.select_for_update(of=("self",)).select_related("user").get(pk=job_id)
    if job.is_over:
        return False
    try:
        with transaction.atomic():
            is_more = chunk(job)
    except Refused as refusal:
        job.status, job.message, job.finished_at = WholeJob.Status.FAILED, refusal.message[:200], timezone.now()
        # What the chunk counted is undone with what it did.
        job.save(update_fields=["status", "message", "finished_at", "moved_at"])
        return False
    job.status = WholeJob.Status.RUNNING
    if not is_more:
        job.status, job.finished_at = WholeJob.Status.DONE, timezone.now()
    job.save()
    return is_more
