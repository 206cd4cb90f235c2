"""One notice for all that a filter of the directory finds (批量督促整改): confirmed, then sent by the worker."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.urls import reverse

from nongma.accounts.access import Action, may
from nongma.accounts.models import User
from nongma.accounts.queries import place_of
from nongma.accounts.wholes import run_whole
from nongma.audit.services import record, record_many
from nongma.lib.forms import narrowed_in_words
from nongma.lib.once import once
from nongma.lib.refused import Refused
from nongma.lib.retention import days_ago, delete_rows
from nongma.notices.models import Notice
from nongma.notices.services import notify
from nongma.registry.directory.corrections.fates import SENT, entries_for, forecast, with_fates
from nongma.registry.directory.corrections.services import about_sending, checked_demand, details_of
from nongma.registry.directory.marks import mark
from nongma.registry.directory.queries import EntryFilter
from nongma.registry.models import Correction, DirectoryEntry, Operator, OperatorMember, Sending

AT_ONCE = 500
"""So many entries are gone through in one transaction."""
Matter = Correction.Matter


@transaction.atomic
def start_sending(
    *,
    filters: Mapping[str, str],
    confirmed: int,
    matter: Correction.Matter,
    finding: str,
    demand: str,
    due_on: date,
    actor: User,
    fields: Sequence[str] = (),
) -> Sending:
    """Have the worker send a notice to all that the filter finds; progress and result stand in the sending.

    `confirmed`: how many notices the officer saw that would go out. Refuses `not_manager`, `filter_invalid`,
    `too_many` (past `MOST_SENT` entries), `nothing_found`, `changed_meanwhile` (more would get one by now; fewer is no
    harm), `nobody_left`, `already_sending` (one at a time of each person), and of words, fields and day what
    `send_correction` does.
    """
    wanted, description, words = read_filters(filters, actor)
    asked = checked_demand(matter, fields, finding, demand, due_on, is_listed=True)
    counts = forecast(actor, wanted, asked.matter)
    if not counts[SENT]:
        raise Refused("nobody_left", "符合条件的主体都不用发")
    if counts[SENT] > confirmed:
        told = f"您确认的是 {confirmed:,} 份，现在要发 {counts[SENT]:,} 份，没有发。请再核对一遍"
        raise Refused("changed_meanwhile", told)
    last = entries_for(actor, wanted).aggregate(last=Max("pk"))["last"]
    with once("already_sending", "您上一次批量发的还没有发完，请等发完再发"):
        sending = Sending.objects.create(
            user=actor,
            filters=dict(filters),
            description=description[:300],
            found=counts["found"],
            total=counts[SENT],
            last_entry=last,
            **asked.columns(),
        )
    record(
        "correction.many_started",
        actor=actor,
        target=sending,
        region_code=place_of(actor),
        count=sending.total,
        matter=asked.matter.label,
        due=str(due_on),
        filter=words,
        searched=bool(wanted.q),
    )
    _defer(sending)
    return sending


def run_sending(job_id: int) -> None:
    """Send chunk by chunk until nothing is left; safe to run again after a crash, and twice at once."""
    run_whole(Sending.objects.all(), job_id, _send_chunk)


def forget_sendings() -> int:
    """Delete sendings to many that ended `settings.KEEP_JOBS_DAYS` ago; how many. The notices stay."""
    return delete_rows(Sending.objects.filter(finished_at__lt=days_ago(settings.KEEP_JOBS_DAYS)), by=["finished_at"])


def _defer(sending: Sending) -> None:
    """Hand it to the worker, in the transaction that made it."""
    from nongma.registry.tasks import send_to_many

    send_to_many.defer(job_id=sending.pk)


def read_filters(filters: Mapping[str, str], actor: User) -> tuple[EntryFilter, str, str]:
    """The filter, what it says in words, and that without what was typed, which may be a name."""
    if not may(actor, Action.SUPERVISE_OPERATORS):
        raise Refused("not_manager", "您的角色不能督促整改")
    wanted, form = EntryFilter.read(filters)
    if not form.is_valid():
        raise Refused("filter_invalid", "筛选条件有误，没有发。请重新筛选")
    words = narrowed_in_words(form)
    return wanted, f"名称有“{wanted.q}”；{words}" if wanted.q else words, words


def _send_chunk(sending: Sending) -> bool:
    """Send to the next entries, by place; whether there may be more."""
    actor, matter = sending.user, Matter(sending.matter)
    wanted, *_ = read_filters(sending.filters, actor)
    after = Q(region_id__gt=sending.reached_region) | Q(region_id=sending.reached_region, pk__gt=sending.reached_entry)
    ahead = entries_for(actor, wanted).filter(after, region_id__gte=sending.reached_region, pk__lte=sending.last_entry)
    reached = list(ahead.order_by("region_id", "pk").values_list("region_id", "pk", "operator_id")[:AT_ONCE])
    if not reached:
        _finish(sending)
        return False
    # In one order, as single notices lock theirs: who sends to the same operator waits, then sees the open notice.
    operators = Operator.objects.select_for_update().filter(pk__in={one for *_, one in reached if one})
    held = {one.pk: one for one in operators.order_by("pk")}
    chunk = DirectoryEntry.objects.filter(pk__in=[pk for _, pk, _ in reached])
    notices: list[Correction] = []
    for entry in with_fates(chunk, matter, actor).order_by("region_id", "pk"):
        fate = entry.fate
        if fate == SENT and sending.sent + len(notices) >= sending.total:
            fate = "unconfirmed"
        if fate != SENT:
            setattr(sending, fate, getattr(sending, fate) + 1)
            continue
        sending.unheard += not entry.is_heard
        notices.append(_notice(sending, held[entry.operator_id], entry.lacks))
    _send(sending, notices)
    sending.reached_region, sending.reached_entry, _ = reached[-1]
    return True


def _notice(sending: Sending, operator: Operator, lacks: list[str]) -> Correction:
    """The notice to one operator: what is missing is what the directory says of it."""
    return Correction(
        operator=operator,
        region_id=operator.region_id,
        matter=sending.matter,
        fields=lacks if sending.matter == Matter.MISSING else sending.fields,
        finding=sending.finding,
        demand=sending.demand,
        due_on=sending.due_on,
        sent_by=sending.user,
        sending=sending.uid,
    )


def _send(sending: Sending, notices: list[Correction]) -> None:
    Correction.objects.bulk_create(notices)
    sending.sent += len(notices)
    targets = (("operator", str(one.operator.uid), one.region_id, details_of(one)) for one in notices)
    record_many("correction.sent", actor=sending.user, targets=targets)
    operators = [one.operator_id for one in notices]
    mark(operators)
    notify(
        users=OperatorMember.objects.open().filter(operator__in=operators).values_list("user_id", flat=True),
        kind=Notice.Kind.DECISION,
        title="请整改主体信息：{count} 份督促整改通知",
        body=f"{sending.get_matter_display()}，{sending.due_on} 前整改",
        url=f"{reverse('registry:corrections')}?sending={sending.uid}",
        about=about_sending(sending.uid),
        due_on=sending.due_on,
        actor=sending.user,
    )


def _finish(sending: Sending) -> None:
    record(
        "correction.many_sent",
        actor=sending.user,
        target=sending,
        region_code=place_of(sending.user),
        count=sending.sent,
        left_out=sending.handled - sending.sent,
    )
    notify(
        users=[sending.user_id],
        kind=Notice.Kind.DECISION,
        title=f"批量督促整改发完了：发出 {sending.sent:,} 份",
        body=sending.get_matter_display(),
        url=sending.get_absolute_url(),
        about=f"sending:{sending.uid}:sent",
    )
