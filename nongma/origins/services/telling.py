"""Telling collectors what became of what they sent in, and reviewers how much waits (提醒)."""

from collections.abc import Iterable

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import User
from nongma.notices.models import Notice
from nongma.notices.reviewers import prompt_reviewers
from nongma.notices.services import notify, withdraw
from nongma.origins.models import ImportJob, Missed, Origin


def tell_approved(*, collectors: Iterable[int], actor: User) -> None:
    """Approvals add up in one notice until it is read."""
    notify(
        users=collectors,
        kind=Notice.Kind.DECISION,
        title="产地信息审核通过 {count} 条",
        url=f"{reverse('origins:table')}?status={Origin.State.APPROVED}",
        about="origins.approved",
        actor=actor,
    )


def tell_returned(*, origin: Origin, actor: User) -> None:
    """A returned record leads to itself, with the reason."""
    notify(
        users=[origin.collected_by_id],
        kind=Notice.Kind.DECISION,
        title="一条产地信息被退回，请改正",
        body=f"退回原因：{origin.return_reason}",
        url=origin.get_absolute_url(),
        about=f"origin:{origin.uid}",
        actor=actor,
    )


def tell_all_returned(*, collectors: Iterable[int], reason: str, about: str, actor: User) -> None:
    """Records returned together are one notice for each collector."""
    notify(
        users=collectors,
        kind=Notice.Kind.DECISION,
        title="{count} 条产地信息被退回，请改正",
        body=f"退回原因：{reason}",
        url=f"{reverse('origins:table')}?status={Origin.State.RETURNED}",
        about=about,
        actor=actor,
    )


def tell_imported(job: ImportJob) -> None:
    """Who uploaded a form may be elsewhere by the time it is done."""
    saved = job.accepted + job.to_locate
    if job.status == ImportJob.Status.FAILED:
        title, body = "表格导入失败", f"{job.filename}：{job.message}"
    else:
        title, body = f"表格导入完成：保存 {saved} 条，有误 {job.rejected} 行", job.filename
    page = reverse("origins:import-job", args=[job.uid])
    notify(users=[job.user_id], kind=Notice.Kind.DECISION, title=title, body=body[:400], url=page)


def prompt_of_waiting() -> int:
    """Tell each reviewer how many records of the own area wait; one read of the index of states."""
    return prompt_reviewers(
        waiting=Origin.objects.filter(state=Origin.State.SUBMITTED),
        about="origins.waiting",
        title="{count} 条产地信息等您审核",
        url=f"{reverse('origins:table')}?status={Origin.State.SUBMITTED}",
    )


def prompt_of_missed() -> int:
    """Tell each reviewer how many of the own area have to be collected and are not (漏采)."""
    return prompt_reviewers(
        waiting=Missed.objects.open(),
        about="origins.missed",
        title="{count} 个主体的产品达到规模，还没有采集",
        url=reverse("origins:missed"),
    )


def prompt_of_overdue() -> int:
    """Tell reviewers and collectors what they are late with; how many people."""
    late = Origin.objects.filter(due_on__lt=timezone.localdate())
    told = prompt_reviewers(
        waiting=late.filter(state=Origin.State.SUBMITTED),
        about="origins.review_overdue",
        title="{count} 条产地信息过了审核期限，请尽快审核",
        url=f"{reverse('origins:table')}?status={Origin.State.SUBMITTED}",
    )
    returned = late.filter(state=Origin.State.RETURNED).order_by().values_list("collected_by").annotate(Count("pk"))
    collectors = dict(returned)
    withdraw(about="origins.correct_overdue", but=collectors)
    notify(
        users=collectors,
        kind=Notice.Kind.PROMPT,
        title="{count} 条退回的产地信息过了改正期限，请尽快改正",
        url=f"{reverse('origins:table')}?status={Origin.State.RETURNED}",
        about="origins.correct_overdue",
        is_added=False,
    )
    return told + len(collectors)
